"""Free text, codes, search folding, card numbers, closed lists."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars_plugin_api import values


def code_of(raw: str, parser: object = values.text) -> str:
    with pytest.raises(values.BadValue) as caught:
        parser(raw)  # type: ignore[operator]
    return caught.value.code


@pytest.mark.parametrize(
    "raw",
    [
        "Åsa",
        "A\u030asa",
        " leading and trailing ",
        "two\nlines\r\nand\ta tab\r",
        "علی‌رضا",
        "🧑‍🤝‍🧑",
        "\ufeffmark",
        "O'Neil",
        "=1+1",
        "\u202eright to left",
    ],
)
def test_text_is_kept_as_it_is(raw: str) -> None:
    assert values.text(raw) == raw


@pytest.mark.parametrize("raw", ["", "  ", "\n\t", "\u3000"])
def test_text_of_blanks_is_empty(raw: str) -> None:
    assert values.text(raw) == ""


@pytest.mark.parametrize("raw", ["a\x00b", "\x1b[31m", "a\x7f", "a\x85b", "\ud800", "\uffff", "\ufdd0", "\U0010ffff", "a\x0b", "a\x0c"])
def test_what_is_no_text_is_refused(raw: str) -> None:
    assert code_of(raw) == "control_character"


def test_message_says_where_the_character_stands() -> None:
    with pytest.raises(values.BadValue) as caught:
        values.text("ab\x00")
    assert str(caught.value) == "There is a character that is no text at position 3 (U+0000). Take it out."


def test_text_has_a_greatest_length() -> None:
    assert values.text("x" * 10, max_length=10) == "x" * 10
    assert code_of("x" * 1001) == "too_long"


def test_codes_keep_leading_zeros_and_lose_outer_blanks() -> None:
    assert values.code("  00123 ") == "00123"
    assert values.code("1E5") == "1E5"
    assert code_of("a\nb", values.code) == "line_break"


@pytest.mark.parametrize(
    ("written", "also_written"),
    [
        ("Åsa Öberg", "asa  oberg"),
        ("STRASSE", "straße"),
        ("Łukasz Đorđe Øystein Æbler", "lukasz dorde oystein aebler"),
        ("İbrahim IŞIK ışık", "ibrahim isik isik"),
        ("علي كريمي", "علی کریمی"),
        ("علی‌رضا", "علیرضا"),
        ("مـحـمـد", "محمد"),
        ("مُحَمَّد", "محمد"),
        ("أحمد إبراهيم آرش مؤمن", "احمد ابراهیم ارش مومن"),
        ("فاطمة", "فاطمه"),
        ("ＡＢＣ　１２３", "abc 123"),
        ("۱۲۳ ٤٥٦", "123 456"),
        ("ﾀﾛｳ", "タロウ"),
        ("Ёлка", "елка"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"),
        (unicodedata.normalize("NFD", "Éloïse"), "eloise"),
        ("王伟", "王伟"),
    ],
)
def test_folding_makes_one_of_what_people_see_as_one(written: str, also_written: str) -> None:
    assert values.fold(written) == values.fold(also_written)


@pytest.mark.parametrize(("one", "other"), [("が", "か"), ("王", "玉"), ("한", "하"), ("anna", "anne")])
def test_folding_keeps_apart_what_differs(one: str, other: str) -> None:
    assert values.fold(one) != values.fold(other)


@given(st.text())
def test_folding_twice_is_folding_once(raw: str) -> None:
    assert values.fold(values.fold(raw)) == values.fold(raw)


CARDS = ["4111111111111111", "5555555555554444", "2223003122003222", "378282246310005", "6011111111111117", "3530111333300000",
         "30569309025904", "6200000000000005", "2200123456789019", "4222222222222"]  # fmt: skip


@pytest.mark.parametrize("digits", CARDS)
@pytest.mark.parametrize("around", ["%s", "card %s, thanks", "(%s)", "visa:%s\n", "12 %s 34"])
def test_card_numbers_are_found(digits: str, around: str) -> None:
    assert values.card_number_in(around % digits) == digits


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "３７８２ ８２２４６３ １０００５",
        "۴۱۱۱۱۱۱۱۱۱۱۱۱۱۱۱",
        "Storgatan 12 4111 1111 1111 1111",
        "2024-01-01 4111111111111111",
    ],
)
def test_card_numbers_are_found_however_they_are_written(text: str) -> None:
    assert values.card_number_in(text) is not None
    assert code_of(text, values.refuse_card_number) == "card_number"


@pytest.mark.parametrize(
    "text",
    [
        "+46701740631",
        "+4111111111111111",
        "4111111111111112",
        "4006381333931",
        "04006381333931",
        "20240305123456",
        "1234567890123456",
        "41111111111111111111",
        "a4111111111111111",
        "070-174 06 31",
        "2024-03-05 14:22:11 4711",
        "0.4111111",
        "",
        "no digits at all in this one",
    ],
)
def test_telephones_bar_codes_and_stamps_are_no_card_numbers(text: str) -> None:
    assert values.card_number_in(text) is None


@pytest.mark.parametrize("parse", [values.text, values.code])
def test_neither_a_text_nor_a_code_has_a_card_number(parse: Callable[[str], str]) -> None:
    assert code_of("4111 1111 1111 1111", parse) == "card_number"


def test_an_email_address_has_no_card_number() -> None:
    assert code_of("4111111111111111@example.com", values.email) == "card_number"


def test_the_refusal_does_not_repeat_the_card_number() -> None:
    with pytest.raises(values.BadValue) as caught:
        values.refuse_card_number("4111 1111 1111 1111")
    assert "1111" not in str(caught.value)


def test_closed_lists() -> None:
    assert values.country(" se ") == "SE"
    assert values.currency("sek") == "SEK"
    assert [values.minor_digits(code) for code in ("SEK", "JPY", "KWD", "RSD", "CLF")] == [2, 0, 3, 2, 4]
    assert [values.language(tag) for tag in ("SV", "pt_br", "zh-hans", "zh-Hant-TW", "fil")] == [
        "sv",
        "pt-BR",
        "zh-Hans",
        "zh-Hant-TW",
        "fil",
    ]
    assert values.timezone("Asia/Tehran").key == "Asia/Tehran"
    assert [values.gender(word) for word in ("F", "kvinna", "муж.", "مرد", "آقا", "女", "X")] == [
        "female",
        "female",
        "male",
        "male",
        "male",
        "female",
        "other",
    ]
    assert [values.yes_no(word) for word in ("Yes", "nej", "ДА", "خیر", "是", "0", "１")] == [True, False, True, False, True, False, True]
    assert values.choice(" Företag ", {"foretag": "company"}) == "company"


def test_what_may_be_chosen_is_said_in_words() -> None:
    class Way(enum.Enum):
        PHONE = "phone"
        VISIT = "visit"

    with pytest.raises(values.BadValue) as refusal:
        values.choice("fax", {way.value: way for way in Way})
    assert str(refusal.value.message) == "“fax” is none of: phone, visit."


@pytest.mark.parametrize(
    ("parser", "raw", "code"),
    [
        (values.country, "SWE", "unknown_country"),
        (values.country, "UK", "unknown_country"),
        (values.country, "EU", "unknown_country"),
        (values.currency, "XXX", "unknown_currency"),
        (values.currency, "kr", "unknown_currency"),
        (values.language, "klingon", "unknown_language"),
        (values.language, "sv-", "unknown_language"),
        (values.timezone, "../etc/passwd", "unknown_timezone"),
        (values.timezone, "CEST", "unknown_timezone"),
        (values.gender, "1", "unknown_choice"),
        (values.yes_no, "maybe", "unknown_choice"),
    ],
)
def test_what_is_not_on_a_list_is_refused(parser: object, raw: str, code: str) -> None:
    assert code_of(raw, parser) == code


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("4111 1111 1111 1111", "**** **** **** 1111"),
        ("4111111111111111 and 5555-5555-5555-4444.", "************1111 and ****-****-****-4444."),
        ("call ۴۱۱۱۱۱۱۱۱۱۱۱۱۱۱۱", "call ************۱۱۱۱"),
        ("order 1234567890123456", "order 1234567890123456"),
        ("", ""),
    ],
)
def test_card_numbers_are_masked_but_for_four_digits(text: str, shown: str) -> None:
    assert values.masked(text) == shown
