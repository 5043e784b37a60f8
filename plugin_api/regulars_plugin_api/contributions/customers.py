"""What plugins know about customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions.base import Contribution
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import Viewer


@dataclass(frozen=True)
class CustomerColumn(Contribution):
    """A column for lists, exports and ``?include=``. ``name`` is ``<plugin>.<what>``.

    ``load(session, ids, viewer)`` answers a whole page at once; a customer it leaves out has no value.
    """

    name: str
    title: Text
    permission: str
    load: Callable[[Session, Sequence[int], Viewer], Mapping[int, Any]]


@dataclass(frozen=True)
class TimelineEntry(Contribution):
    """One line of a customer's history as a viewer sees it.

    ``summary`` says what happened, ``detail`` the particulars; ``quote`` is what somebody wrote, shown as written. ``icon`` names a
    picture of the platform.
    """

    summary: Text
    detail: Text = ""
    url: str | None = None
    quote: str = ""
    icon: str = "info-circle"


@dataclass(frozen=True)
class TimelineSource(Contribution):
    """A kind of happening in a customer's history.

    ``select(viewer)`` is one SELECT of (customer_id, at, kind, channel, store_id, ref), joined with all others into one UNION ALL.
    One that gives the same object again, made once, spares the host from building its statement anew for each page.
    ``render(session, refs, viewer)`` describes the visible rows in one batch. ``involves(ref, user_id)`` is true of the happenings in
    which that member of staff took part; without it, nobody is known to have.
    """

    name: str
    title: Text
    permission: str
    select: Callable[[Viewer], sa.Select[*tuple[Any, ...]]]
    render: Callable[[Session, Sequence[int], Viewer], Mapping[int, TimelineEntry]]
    involves: Callable[[sa.ColumnElement[int], int], sa.ColumnElement[bool]] | None = None


@dataclass(frozen=True)
class Problem(Contribution):
    """What is wrong with a customer about to be saved: refused, or with ``warning`` only pointed out."""

    message: Text
    field: str | None = None
    warning: bool = False


@dataclass(frozen=True)
class DataSection(Contribution):
    """Part of the personal data handed to a customer: rows under a title, and files by name."""

    title: Text
    rows: Sequence[Mapping[str, Any]] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class ErasureNote(Contribution):
    """What was erased, or what had to be kept and why; printed on the erasure receipt without naming the person."""

    text: Text
    kept: bool = False
