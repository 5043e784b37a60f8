"""E-mail addresses and telephone numbers."""

from __future__ import annotations

import random

import phonenumbers
import pytest

from regulars_plugin_api import values
from regulars_plugin_api.values import EmailValue, PhoneValue


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (" Anna.Svensson@Example.COM ", EmailValue("Anna.Svensson@Example.COM", "anna.svensson@example.com")),
        ("o'neil+shop@mail.example.org", EmailValue("o'neil+shop@mail.example.org", "o'neil+shop@mail.example.org")),
        ("åsa@räksmörgås.se", EmailValue("åsa@räksmörgås.se", "åsa@xn--rksmrgs-5wao1o.se")),
        ("ASA@RÄKSMÖRGÅS.SE", EmailValue("ASA@RÄKSMÖRGÅS.SE", "asa@xn--rksmrgs-5wao1o.se")),
        ("asa@xn--rksmrgs-5wao1o.se", EmailValue("asa@xn--rksmrgs-5wao1o.se", "asa@xn--rksmrgs-5wao1o.se")),
        ("王伟@例子.中国", EmailValue("王伟@例子.中国", "王伟@xn--fsqu00a.xn--fiqs8s")),
    ],
)
def test_addresses_are_kept_as_typed_and_matched_by_a_key(raw: str, value: EmailValue) -> None:
    assert values.email(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        "anna",
        "anna@",
        "@example.com",
        "anna@localhost",
        "a b@example.com",
        "anna@exa mple.com",
        "anna@@example.com",
        "a@example.com, b@example.com",
        "Anna <anna@example.com>",
        "anna@example.com\nBcc: all@example.com",
        "anna@-example.com",
        "anna@example..com",
        ".anna@example.com",
        "anna.@example.com",
        "anna@[127.0.0.1]",
        '"anna"@example.com',
        "x" * 65 + "@example.com",
        "anna@" + "x" * 64 + ".com",
        "anna@" + "x." * 130 + "com",
        "anna@xn--a.se",
        "anna@example.c",
        "anna@1.2.3.4",
        "anna\x00@example.com",
        "ann\u2028a@example.com",
        "mailto:anna@example.com",
    ],
)
def test_what_is_no_single_address_is_refused(raw: str) -> None:
    with pytest.raises(values.BadValue) as caught:
        values.email(raw)
    assert caught.value.code == "bad_email"


@pytest.mark.parametrize(
    ("raw", "country", "e164"),
    [
        ("+46701740631", None, "+46701740631"),
        (" +46 (0)70-174 06 31", None, "+46701740631"),
        ("070-174 06 31", "SE", "+46701740631"),
        ("0701740631", "SE", "+46701740631"),
        ("0046 70 174 06 31", "SE", "+46701740631"),
        ("+46701740631", "US", "+46701740631"),
        ("۰۹۱۲ ۳۴۵ ۶۷۸۹", "IR", "+989123456789"),
        ("٠٩١٢٣٤٥٦٧٨٩", "IR", "+989123456789"),
        ("＋８６ １３８ １２３４ ５６７８", None, "+8613812345678"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("1-212-555-0123", "US", "+12125550123"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("+1 242 322 1234", None, "+12423221234"),
        ("+44 7624 123456", None, "+447624123456"),
        ("+800 1234 5678", None, "+80012345678"),
        ("+1 555 123 4567", None, "+15551234567"),
    ],
)
def test_numbers_in_any_notation(raw: str, country: str | None, e164: str) -> None:
    assert values.phone(raw, country) == PhoneValue(raw.strip(), e164)


@pytest.mark.parametrize(
    ("raw", "country", "code"),
    [
        ("070-174 06 31", None, "phone_country_unknown"),
        ("070-174 06 31", "??", "bad_phone"),
        ("12345", "SE", "bad_phone"),
        ("0000000000", "SE", "bad_phone"),
        ("5555555555", "US", "bad_phone"),
        ("+46 999999999", None, "bad_phone"),
        ("555-1234", "US", "bad_phone"),
        ("+999 123 456 789", None, "bad_phone"),
        ("+46", None, "bad_phone"),
        ("call me", "SE", "bad_phone"),
        ("4.6701740631e10", "SE", "bad_phone"),
    ],
)
def test_what_is_no_number_is_refused(raw: str, country: str | None, code: str) -> None:
    with pytest.raises(values.BadValue) as caught:
        values.phone(raw, country)
    assert caught.value.code == code


def truth(raw: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(raw, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    placeholder = len(set(str(number.national_number))) == 1
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible and not placeholder else None


def test_the_short_cut_gives_the_full_parsers_answer_for_every_region() -> None:
    chance = random.Random(4)

    def varied(number: str) -> str:
        kept = len(number) - chance.choice((0, 1, 4, 8))
        return "".join(chance.choice("0123456789") if place >= kept and sign.isdigit() else sign for place, sign in enumerate(number))

    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in phonenumbers.PhoneNumberType.values():
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None:
                continue
            national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
            international = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            code = f"+{example.country_code}"
            for raw in (
                national,
                international,
                varied(national),
                code + varied(international[len(code) :]),
                f"{code}0{international[len(code) :]}",
            ):
                try:
                    assert values.phone(raw, region).e164 == truth(raw, region), (raw, region)
                except values.BadValue:
                    assert truth(raw, region) is None, (raw, region)
