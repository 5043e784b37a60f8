"""Telephone numbers: kept as typed, matched and dialled by E.164.

The full parser of ``phonenumbers`` takes 30 to 200 µs a number. What most files hold (``+46701740631``, ``070-174 06 31``) is
decided here from the same metadata, with the same answer, in a fraction of that; the rest goes to the full parser.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.folding import western_digits
from regulars_plugin_api.values.problem import BadValue, required, shown

_KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "uan", "pager", "voicemail")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_DECORATION = str.maketrans("", "", " -().\u00a0")
_SAME = str.maketrans({"＋": "+", "－": "-", "\u2010": "-", "\u2011": "-", "\u2012": "-", "–": "-", "\u3000": " ", "（": "(", "）": ")"})
_NEVER = re.compile(r"(?!)")


class PhoneValue(NamedTuple):
    """A number as it was typed, and in E.164."""

    as_typed: str
    e164: str


class _Region(NamedTuple):
    """How a region's own numbers are told: first digits (of regions that share a code), shape, kinds, trunk prefix."""

    calling_code: str
    first_digits: re.Pattern[str] | None
    shape: re.Pattern[str]
    kinds: re.Pattern[str]
    trunk: re.Pattern[str]
    plain_trunk: str


def phone(raw: str, country: str | None = None) -> PhoneValue:
    """A number, read as dialled in ``country`` (ISO 3166) unless it begins with ``+``. Raises ``bad_phone``, ``phone_country_unknown``."""
    return PhoneValue(raw.strip(), _e164(raw, country))


@lru_cache(maxsize=1 << 16)
def _e164(raw: str, country: str | None) -> str:
    bare = raw if _INTERNATIONAL.fullmatch(raw) else western_digits(raw).translate(_SAME).translate(_DECORATION)
    if _INTERNATIONAL.fullmatch(bare):
        regions = _regions(bare[1:4])
        if regions and _exists(bare[1 + len(regions[0].calling_code) :], regions):
            return bare
    elif country and bare.isascii() and bare.isdecimal():
        region = _region(country)
        if region and region.plain_trunk and bare.startswith(region.plain_trunk) and not region.shape.fullmatch(bare):
            national = bare[len(region.plain_trunk) :]
            if _exists(national, _regions(region.calling_code)):
                return f"+{region.calling_code}{national}"
    return _parsed(required(raw), country)


def _exists(national: str, regions: tuple[_Region, ...]) -> bool:
    """Whether the full parser would call the number valid; False also for what needs its closer look."""
    if regions[0].trunk.match(national):
        return False
    for region in regions:
        if region.first_digits and region.first_digits.match(national):
            return _numbered(national, region)
        if not region.first_digits and _numbered(national, region):
            return True
    return False


def _numbered(national: str, region: _Region) -> bool:
    return region.shape.fullmatch(national) is not None and region.kinds.fullmatch(national) is not None


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
    # Possible, not valid: numbering plans change faster than anybody's copy of them.
    if not phonenumbers.is_possible_number(number):
        raise _bad_phone(raw)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _bad_phone(raw: str) -> BadValue:
    return BadValue("bad_phone", _("“%(value)s” is not a telephone number that exists.", value=shown(raw)))


@lru_cache(maxsize=1024)
def _regions(digits: str) -> tuple[_Region, ...]:
    """The regions of the calling code that ``digits`` begins with, the main one first; none for codes of no region."""
    for end in (1, 2, 3):
        names = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:end]))
        if names:
            return tuple(region for name in names if (region := _region(name)))
    return ()


@lru_cache(maxsize=512)
def _region(name: str) -> _Region | None:
    metadata = PhoneMetadata.metadata_for_region(name)
    if metadata is None:
        return None
    trunk, plain = metadata.national_prefix_for_parsing, metadata.national_prefix
    kinds = [pattern for kind in _KINDS if (pattern := _pattern(getattr(metadata, kind)))]
    return _Region(
        str(metadata.country_code),
        re.compile(metadata.leading_digits) if metadata.leading_digits else None,
        re.compile(_pattern(metadata.general_desc)),
        re.compile("|".join(kinds)),
        re.compile(trunk) if trunk else _NEVER,
        plain if plain and plain == trunk and metadata.national_prefix_transform_rule is None else "",
    )


def _pattern(kind: PhoneNumberDesc | None) -> str:
    if kind is None or not kind.national_number_pattern:
        return ""
    lengths = "|".join(f"[0-9]{{{length}}}" for length in kind.possible_length) or "[0-9]*"
    return f"(?:(?=(?:{lengths})$)(?:{kind.national_number_pattern}))"
