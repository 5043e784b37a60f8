"""Reading what was typed into a form, field by field, with all that is wrong told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.values import BadValue

T = TypeVar("T")


class Reader:
    """Reads the fields of one form and gathers what is wrong with them; ``done`` raises it.

    The parsers are those of ``regulars_plugin_api.values``, or any function that raises ``BadValue``.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given
        self.wrong: dict[str, Text] = {}

    def read(self, name: str, parse: Callable[[str], T]) -> T | None:
        """The value of a field; None where it is blank or wrong."""
        raw = self.given.get(name, "")
        if not raw.strip():
            return None
        try:
            return parse(raw)
        except BadValue as bad:
            self.wrong[name] = bad.message
            return None

    def needed(self, name: str, parse: Callable[[str], T], message: Text) -> T | None:
        """The value of a field that must not be blank."""
        found = self.read(name, parse)
        if found is None:
            self.wrong.setdefault(name, message)
        return found

    def done(self) -> None:
        """Raise ``InvalidInput`` if anything was wrong."""
        if self.wrong:
            raise InvalidInput(**self.wrong)
