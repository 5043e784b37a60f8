"""Telephone numbers: kept as typed, matched and dialled by E.164.

A number must be possible: a calling code that exists, and as many digits as its numbers have. Whether it is given out is not asked,
because numbering plans change faster than anybody's copy of them.

The full parser of ``phonenumbers`` takes 30 to 200 µs a number. What most files hold (``+46701740631``, ``070-174 06 31``) is
decided here from the same metadata, with the same answer, in a fraction of that; the rest goes to the full parser.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, ValidationResult

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.folding import western_digits
from regulars_plugin_api.values.problem import BadValue, required, shown

_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_DECORATION = str.maketrans("", "", " -().\u00a0")
_SAME = str.maketrans({"＋": "+", "－": "-", "\u2010": "-", "\u2011": "-", "\u2012": "-", "–": "-", "\u3000": " ", "（": "(", "）": ")"})
_NEVER = re.compile(r"(?!)")


class PhoneValue(NamedTuple):
    """A number as it was typed, and in E.164."""

    as_typed: str
    e164: str


class _Region(NamedTuple):
    """How a region's own numbers are told: their lengths and shape, what is dialled in front of them at home, and to get out."""

    calling_code: str
    lengths: frozenset[int]
    shape: re.Pattern[str]
    trunk: re.Pattern[str]
    plain_trunk: str
    way_out: re.Pattern[str]


def phone(raw: str, country: str | None = None) -> PhoneValue:
    """A number, read as dialled in ``country`` (ISO 3166) unless it begins with ``+``. Raises ``bad_phone``, ``phone_country_unknown``."""
    return PhoneValue(raw.strip(), _e164(raw, country))


@lru_cache(maxsize=1 << 16)
def _e164(raw: str, country: str | None) -> str:
    bare = raw if _INTERNATIONAL.fullmatch(raw) else western_digits(raw).translate(_SAME).translate(_DECORATION)
    if _INTERNATIONAL.fullmatch(bare):
        region = _main_region(bare[1:4])
        if region:
            national = bare[1 + len(region.calling_code) :]
            if len(national) in region.lengths and not region.trunk.match(national) and not _is_placeholder(national):
                return bare
    elif country and bare.isascii() and bare.isdecimal():
        region = _region(country)
        # Where the calling code is dialled at home too (1 in North America) only the full parser tells them apart.
        if region and region.plain_trunk and bare.startswith(region.plain_trunk) and not bare.startswith(region.calling_code):
            national = bare[len(region.plain_trunk) :]
            certain = not region.way_out.match(bare) and not region.shape.fullmatch(bare)
            if certain and len(national) in region.lengths and not _is_placeholder(national):
                return f"+{region.calling_code}{national}"
    return _parsed(required(raw), country)


def _parsed(raw: str, country: str | None) -> str:
    written = western_digits(raw).translate(_SAME)
    if country is None and not written.startswith(("+", "tel:+")):
        raise BadValue(
            "phone_country_unknown",
            _("“%(value)s” has no country code: write it with + and the code, or say which country it belongs to.", value=shown(raw)),
        )
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        raise _bad_phone(raw) from None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE or _is_placeholder(str(number.national_number)):
        raise _bad_phone(raw)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_placeholder(national: str) -> bool:
    """``0000000000`` and its like stand for no number, and would match strangers with each other."""
    return len(set(national.lstrip("0"))) < 2


def _bad_phone(raw: str) -> BadValue:
    return BadValue("bad_phone", _("“%(value)s” is not a telephone number.", value=shown(raw)))


@lru_cache(maxsize=1024)
def _main_region(digits: str) -> _Region | None:
    """The region that rules the calling code ``digits`` begin with; None for codes of no region."""
    names = (phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:end])) for end in (1, 2, 3))
    return next((_region(found[0]) for found in names if found), None)


@lru_cache(maxsize=512)
def _region(name: str) -> _Region | None:
    metadata = PhoneMetadata.metadata_for_region(name)
    if metadata is None or metadata.general_desc is None:
        return None
    trunk, plain = metadata.national_prefix_for_parsing, metadata.national_prefix
    return _Region(
        str(metadata.country_code),
        frozenset(metadata.general_desc.possible_length),
        re.compile(metadata.general_desc.national_number_pattern or ""),
        re.compile(trunk) if trunk else _NEVER,
        plain if plain and plain == trunk and metadata.national_prefix_transform_rule is None else "",
        re.compile(metadata.international_prefix) if metadata.international_prefix else _NEVER,
    )
