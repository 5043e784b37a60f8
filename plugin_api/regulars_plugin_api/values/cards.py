"""Payment card numbers, which must be kept nowhere."""

from __future__ import annotations

import re

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.folding import western_digits
from regulars_plugin_api.values.problem import BadValue

# Digits alone or in groups, not part of a longer number or word and not a telephone number in international form.
_RUN = re.compile(r"(?<![0-9A-Za-z+])(?:[0-9]+[ \-.\u00a0\u2010-\u2013]){0,18}[0-9]+(?![0-9A-Za-z])")
_THIRTEEN_DIGITS = re.compile(r"\d(?:[ \-.\u00a0\u2010-\u2013]?\d){12}")
_SEPARATOR = re.compile(r"[ \-.\u00a0\u2010-\u2013]")
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
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def card_number_in(text: str) -> str | None:
    """The digits of a payment card number in ``text``, or None.

    A card number is 13 to 19 digits, alone or in groups of three and more, of an issuer's range and length, whose Luhn digit is
    right. Bare 13 and 14 digits with a valid GTIN digit are taken for a bar code: every tenth bar code passes Luhn.
    """
    if len(text) < 13 or not _THIRTEEN_DIGITS.search(text):
        return None
    for run in _RUN.finditer(western_digits(text)):
        if len(run[0]) < 13:
            continue
        groups = _SEPARATOR.split(run[0])
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                if digits and len(group) < 3:
                    break
                digits += group
                if len(digits) > 19:
                    break
                if len(digits) >= 13 and _ISSUERS.fullmatch(digits) and _luhn(digits) and not (digits == group and _bar_code(digits)):
                    return digits
    return None


def refuse_card_number(raw: str) -> None:
    """Raise ``card_number`` if there is one in ``raw``. The message does not repeat it."""
    if card_number_in(raw):
        raise BadValue("card_number", _("There is a payment card number in this text. Card numbers may not be kept: take it out."))


def _luhn(digits: str) -> bool:
    values = [ord(digit) - 48 for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


def _bar_code(digits: str) -> bool:
    values = [ord(digit) - 48 for digit in reversed(digits)]
    return len(digits) in (13, 14) and (sum(values[::2]) + 3 * sum(values[1::2])) % 10 == 0
