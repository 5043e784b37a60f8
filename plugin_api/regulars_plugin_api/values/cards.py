"""Payment card numbers, which must be kept nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.folding import western_digits
from regulars_plugin_api.values.problem import BadValue

# Digits alone or in groups, not part of a longer number or word and not a telephone number in international form.
_RUN = re.compile(r"(?<![0-9A-Za-z+])(?:[0-9]+[ \-.\u00a0\u2010-\u2013]){0,18}[0-9]+(?![0-9A-Za-z])")
_THIRTEEN_DIGITS = re.compile(r"\d(?:[ \-.\u00a0\u2010-\u2013]?\d){12}")
_GROUP = re.compile(r"[0-9]+")
_ISSUERS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12}"  # Discover
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|3(?:0[0-5]|[68][0-9]|9[0-9])[0-9]{11}"  # Diners
    r"|62[0-9]{14,17}"  # UnionPay
    r"|220[0-4][0-9]{12}"  # Mir
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])[0-9]{12}"  # Maestro
)
_DIGITS = re.compile(r"\d")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def card_number_in(text: str) -> str | None:
    """The digits of a payment card number in ``text``, or None.

    A card number is 13 to 19 digits, alone or in groups of three and more, of an issuer's range and length, whose Luhn digit is
    right. Bare 13 and 14 digits with a valid GTIN digit are taken for a bar code: every tenth bar code passes Luhn.
    """
    return next((digits for digits, _start, _end in _card_numbers(text)), None)


def masked(text: str) -> str:
    """``text`` with all but the last four digits of every payment card number in it written as asterisks."""
    pieces, done = [], 0
    for _digits, start, end in _card_numbers(text):
        hidden = sum(character.isdigit() for character in text[start:end]) - 4
        pieces.append(text[done:start] + _DIGITS.sub("*", text[start:end], count=hidden))
        done = end
    return "".join(pieces) + text[done:]


def refuse_card_number(raw: str) -> None:
    """Raise ``card_number`` if there is one in ``raw``. The message does not repeat it."""
    if card_number_in(raw):
        raise BadValue("card_number", _("There is a payment card number in this text. Card numbers may not be kept: take it out."))


def _card_numbers(text: str) -> Iterator[tuple[str, int, int]]:
    """The digits of each card number, and where in ``text`` it begins and ends."""
    if len(text) < 13 or not _THIRTEEN_DIGITS.search(text):
        return
    # Digit for digit: a place in this text is the same place in the original.
    for run in _RUN.finditer(western_digits(text)):
        groups = [(group[0], run.start() + group.start(), run.start() + group.end()) for group in _GROUP.finditer(run[0])]
        first = 0
        while len(run[0]) >= 13 and first < len(groups):
            last = _end_of_card(groups, first)
            if last is not None:
                yield "".join(group for group, _start, _end in groups[first : last + 1]), groups[first][1], groups[last][2]
            first = first + 1 if last is None else last + 1


def _end_of_card(groups: Sequence[tuple[str, int, int]], first: int) -> int | None:
    digits = ""
    for place, (group, _start, _end) in enumerate(groups[first:], first):
        if digits and len(group) < 3:
            return None
        digits += group
        if len(digits) > 19:
            return None
        if len(digits) >= 13 and _ISSUERS.fullmatch(digits) and _luhn(digits) and not (digits == group and _bar_code(digits)):
            return place
    return None


def _luhn(digits: str) -> bool:
    values = [ord(digit) - 48 for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


def _bar_code(digits: str) -> bool:
    values = [ord(digit) - 48 for digit in reversed(digits)]
    return len(digits) in (13, 14) and (sum(values[::2]) + 3 * sum(values[1::2])) % 10 == 0
