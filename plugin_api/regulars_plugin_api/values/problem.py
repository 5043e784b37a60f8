"""What every parser of this package raises."""

from __future__ import annotations

from regulars_plugin_api.i18n import Text, _


class BadValue(ValueError):
    """A value that can't be taken: a stable ``code`` and a sentence for the person who has to mend it."""

    def __init__(self, code: str, message: Text) -> None:
        super().__init__(code)
        self.code, self.message = code, message

    def __str__(self) -> str:
        return str(self.message)


def required(raw: str) -> str:
    """``raw`` without the blanks around it; nothing left is ``BadValue("blank")``."""
    trimmed = raw.strip()
    if not trimmed:
        raise BadValue("blank", _("A value is needed here."))
    return trimmed


def shown(raw: str) -> str:
    """``raw`` cut to a length that fits into a sentence."""
    return raw if len(raw) <= 60 else f"{raw[:57]}…"
