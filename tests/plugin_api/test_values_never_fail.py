"""Whatever is in a file, a parser answers with a value or with BadValue."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_plugin_api import values

STOCKHOLM = ZoneInfo("Europe/Stockholm")
PARSERS: dict[str, Callable[[str], object]] = {
    "text": values.text,
    "code": values.code,
    "refuse_card_number": values.refuse_card_number,
    "email": values.email,
    "phone": values.phone,
    "phone in Sweden": lambda raw: values.phone(raw, "SE"),
    "phone in no country": lambda raw: values.phone(raw, "??"),
    "date": values.date,
    "date dmy": lambda raw: values.date(raw, "dmy"),
    "instant": lambda raw: values.instant(raw, "mdy", STOCKHOLM),
    "money": lambda raw: values.money(raw, "SEK", ","),
    "unit_price": lambda raw: values.unit_price(raw, "USD", "."),
    "quantity": values.quantity,
    "whole_number": values.whole_number,
    "currency": values.currency,
    "country": values.country,
    "language": values.language,
    "timezone": values.timezone,
    "gender": values.gender,
    "yes_no": values.yes_no,
}
NEARLY = st.from_regex(r"[-+(]?[0-9۰-۹０-９]{0,12}[-/.,: '٫٬()T]?[0-9]{0,12}[-/.,: Z+@]?[0-9a-zåé.]{0,12}\)?", fullmatch=True)


def refusal_of(parser: Callable[[str], object], raw: str) -> values.BadValue | None:
    try:
        parser(raw)
    except values.BadValue as problem:
        return problem
    return None


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=200, deadline=None)
@given(raw=st.text(st.characters()) | NEARLY | st.text("0123456789-/.:,+ TZ", max_size=30))
def test_any_text_gives_a_value_or_a_sentence(name: str, raw: str) -> None:
    refusal = refusal_of(PARSERS[name], raw)
    assert refusal is None or (refusal.code and str(refusal.message))


@pytest.mark.parametrize("name", [name for name in PARSERS if name not in ("text", "refuse_card_number")])
@pytest.mark.parametrize("raw", ["", " ", "\u3000\t"])
def test_blank_is_said_to_be_blank(name: str, raw: str) -> None:
    with pytest.raises(values.BadValue) as caught:
        PARSERS[name](raw)
    assert caught.value.code == "blank"


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize(
    "raw", ["9" * 100_000, "1 " * 50_000, "4111 " * 20_000, "a@" * 50_000, "a." * 50_000, "+" + "1" * 5000, "(" * 100_000]
)
@pytest.mark.timeout(5)
def test_no_text_takes_long(name: str, raw: str) -> None:
    refusal_of(PARSERS[name], raw)
