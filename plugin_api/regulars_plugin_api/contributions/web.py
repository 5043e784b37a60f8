"""What plugins put on the staff's pages."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from posixpath import basename, splitext
from typing import Any

from sqlalchemy.orm import Session

from regulars_plugin_api.contributions.base import Contribution
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import CustomerView, Viewer


@dataclass(frozen=True)
class NavItem(Contribution):
    """An entry of the menu. The host hides it from whoever lacks ``permission`` and knows when it is the active one."""

    # Its words are another text in each language; entries are told apart without them.
    label: Text = field(hash=False)
    endpoint: str
    permission: str
    section: str = "main"
    weight: int = 50
    icon: str = "circle"


class Place(enum.Enum):
    """Where on the customer page a panel stands.

    A COMPOSER stands above the history, without frame and title: there people write down what happened. A FACT is one more cell among
    the particulars at the top, whose template begins with a ``div``. Neither is ``lazy``.
    """

    FACT = "fact"
    COMPOSER = "composer"
    MAIN = "main"
    SIDE = "side"
    TAB = "tab"


@dataclass(frozen=True)
class Panel(Contribution):
    """A block or tab on the customer page.

    ``load(session, customer, viewer)`` gives the template its values, in a read-only session. ``lazy`` panels load after the page.
    """

    title: Text
    place: Place
    template: str
    load: Callable[[Session, CustomerView, Viewer], Mapping[str, Any]]
    weight: int = 50
    lazy: bool = False

    @property
    def key(self) -> str:
        """What tells the panel from the plugin's other ones: the name of its template."""
        return _stem(self.template)


@dataclass(frozen=True)
class Action(Contribution):
    """A button on the customer page, or with ``bulk`` an entry of the list's bulk bar.

    ``endpoint`` gets ``customer_id``; a bulk one gets the chosen ids as form values ``id``. It is posted to, ``get`` makes it a link.
    """

    label: Text
    endpoint: str
    permission: str
    bulk: bool = False
    get: bool = False
    confirm: Text | None = None
    weight: int = 50


@dataclass(frozen=True)
class Widget(Contribution):
    """A tile of the home page, loaded after the page by ``load(session, viewer)`` in a read-only session."""

    title: Text
    template: str
    load: Callable[[Session, Viewer], Mapping[str, Any]]
    permission: str
    weight: int = 50

    @property
    def key(self) -> str:
        """What tells the tile from the plugin's other ones: the name of its template."""
        return _stem(self.template)


@dataclass(frozen=True)
class SearchHit(Contribution):
    """One result of the global search box."""

    title: Text
    url: str
    detail: Text = ""


@dataclass(frozen=True)
class SearchSource(Contribution):
    """Results in the global search box: ``search(session, text, limit, viewer)`` gives at most ``limit`` hits, best first."""

    title: Text
    permission: str
    search: Callable[[Session, str, int, Viewer], Sequence[SearchHit]]


@cache
def _stem(template: str) -> str:
    return splitext(basename(template))[0]
