"""What a person says about a file that is to be imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from regulars_core.exchange.files.delimited import known_delimiter
from regulars_core.exchange.files.encodings import known_encoding
from regulars_core.exchange.files.problems import FileRefused
from regulars_plugin_api import values
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.exchange import Column, Mode
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import BadValue, DateOrder, DecimalMark


@dataclass(frozen=True)
class ImportOptions:
    """What a person says about a file; None means: find out, or ask. ``look_first`` asks for the mapping before anything is tried."""

    mapping: dict[str, str | None] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    date_order: DateOrder | None = None
    decimal: DecimalMark | None = None
    country: str | None = None
    timezone: str | None = None
    source: str = "import"
    mode: Mode = "upsert"
    look_first: bool = False

    def check(self) -> None:
        """Raise ``InvalidInput`` for what can't be meant."""
        wrong: dict[str, Any] = {}
        checks: dict[str, Callable[[str], object]] = {
            "country": values.country,
            "timezone": values.timezone,
            "source": values.code,
            "encoding": known_encoding,
            "delimiter": known_delimiter,
        }
        for name, check in checks.items():
            given = getattr(self, name)
            try:
                if given is not None:
                    check(given)
            except (BadValue, FileRefused) as bad:
                wrong[name] = bad.message
        for name, choices in (
            ("mode", ("create", "update", "upsert")),
            ("date_order", (None, "dmy", "mdy", "ymd")),
            ("decimal", (None, ",", ".")),
        ):
            if getattr(self, name) not in choices:
                wrong[name] = _("Choose one of: %(choices)s.", choices=", ".join(choice for choice in choices if choice))
        if wrong:
            raise InvalidInput(**wrong)

    def check_mapping(self, columns: Sequence[Column]) -> None:
        """Raise ``InvalidInput`` where headings are mapped to a column that is not there, or two of them to the same one."""
        chosen = [column for column in self.mapping.values() if column is not None]
        unknown = sorted(set(chosen) - {column.name for column in columns})
        twice = sorted({column for column in chosen if chosen.count(column) > 1})
        if unknown:
            known = ", ".join(column.name for column in columns)
            raise InvalidInput(mapping=_("There is no column %(unknown)s. Known are: %(known)s.", unknown=", ".join(unknown), known=known))
        if twice:
            raise InvalidInput(mapping=_("Several headings are mapped to the same column: %(columns)s.", columns=", ".join(twice)))
