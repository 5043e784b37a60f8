"""Search folding: what people see as the same word becomes the same string."""

from __future__ import annotations

import re
import unicodedata

# Latin letters that Unicode does not take apart, and Arabic letters that Persian writes otherwise.
_LETTERS = str.maketrans(
    {
        "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "þ": "th", "ħ": "h", "ŧ": "t", "ŋ": "n", "ĸ": "k",
        "ي": "ی", "ى": "ی", "ې": "ی", "ك": "ک", "ڪ": "ک", "ة": "ه", "ە": "ه", "ہ": "ه", "ٱ": "ا", "ء": None,
        "\u0640": None,  # tatweel
    }
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
)  # fmt: skip
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]+"
)
_DIGIT = re.compile(r"\d")


def fold(raw: str) -> str:
    """``raw`` for searching: case, accents, width, Arabic and Persian letter forms and digits, invisible marks and blanks are one."""
    if raw.isascii():
        return " ".join(raw.lower().split())
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", raw).casefold())
    bare = unicodedata.normalize("NFC", _ACCENTS.sub("", flat)).translate(_LETTERS)
    return " ".join(western_digits(bare).split())


def western_digits(raw: str) -> str:
    """``raw`` with the decimal digits of every script (Persian, Arabic, full width, …) written 0 to 9."""
    return raw if raw.isascii() else _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), raw)
