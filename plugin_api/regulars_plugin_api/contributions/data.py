"""What plugins add to filters and reports."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow
import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions.base import Contribution
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import Viewer


class FieldType(enum.Enum):
    """What the values of a filter field or report column are."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    YES_NO = "yes_no"


@dataclass(frozen=True)
class FilterField(Contribution):
    """A field of the filter language, named ``<plugin>.<what>``.

    ``clause(customer_id_column, op, value)`` is true for the customers selected; ``explain(session, customer_id)`` is one customer's
    own value, to show why it was or was not selected.
    """

    name: str
    title: Text
    type: FieldType
    operators: Sequence[str]
    clause: Callable[[sa.ColumnElement[int], str, Any], sa.ColumnElement[bool]]
    explain: Callable[[Session, int], Any]
    choices: Callable[[Session], Sequence[tuple[str, Text]]] | None = None


@dataclass(frozen=True)
class ReportColumn(Contribution):
    """A column of a report."""

    name: str
    title: Text
    type: FieldType = FieldType.TEXT


@dataclass(frozen=True)
class Table(Contribution):
    """The answer of a report. Money is ``Decimal`` beside a column that names its currency."""

    columns: Sequence[ReportColumn]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[Text] = ()


@dataclass(frozen=True)
class Report(Contribution):
    """A named question with a ``definition`` in words that says what is counted and what is not."""

    name: str
    title: Text
    definition: Text
    permission: str
    parameters: type[marshmallow.Schema]
    run: Callable[[Session, Mapping[str, Any], Viewer], Table]
