"""Free text and codes. What is accepted is never changed."""

from __future__ import annotations

import re

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.cards import refuse_card_number
from regulars_plugin_api.values.problem import BadValue, required

# Control characters but tab and line ends, halves of surrogate pairs, and code points that are no characters:
# no file format of ours carries all of them, and PostgreSQL none of the first.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
    + "]"
)
_NOT_IN_CODES = re.compile(r"[\t\n\r\u2028\u2029]")


def text(raw: str, *, max_length: int = 1000) -> str:
    """``raw`` as it is, or ``""`` if it is all blanks. Raises ``control_character``, ``too_long`` and ``card_number``."""
    if len(raw) > max_length:
        raise _too_long(max_length)
    refuse_card_number(raw)
    if raw.isprintable():
        return raw if raw.strip() else ""
    unfit = _UNFIT.search(raw)
    if unfit:
        raise BadValue(
            "control_character",
            _(
                "There is a character that is no text at position %(position)d (%(code)s). Take it out.",
                position=unfit.start() + 1,
                code=f"U+{ord(unfit[0]):04X}",
            ),
        )
    return raw if raw.strip() else ""


def code(raw: str, *, max_length: int = 100) -> str:
    """An identifier, article or receipt number: text on one line, leading zeros kept, blanks around it taken off."""
    trimmed = text(required(raw), max_length=max_length)
    if not trimmed.isprintable() and _NOT_IN_CODES.search(trimmed):
        raise BadValue("line_break", _("A code stands on one line."))
    return trimmed


def _too_long(max_length: int) -> BadValue:
    return BadValue("too_long", _("The text is too long: at most %(count)d characters.", count=max_length))
