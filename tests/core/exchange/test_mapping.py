"""Which heading of a file is which column."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from regulars_core.customers.importing import CustomerImporter
from regulars_core.exchange.mapping import match_columns
from regulars_core.stores.importing import StoreImporter
from regulars_core.users.service import LOCALES
from regulars_plugin_api.exchange import Column
from regulars_plugin_api.i18n import PLATFORM, add_catalogue, in_locale
from regulars_web import TRANSLATIONS


@pytest.fixture(autouse=True)
def _translated() -> None:
    add_catalogue(PLATFORM, TRANSLATIONS)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("columns", [CustomerImporter.columns, StoreImporter.columns], ids=["customers", "stores"])
def test_a_column_is_known_by_its_title_in_every_language_of_the_product(columns: Sequence[Column], locale: str) -> None:
    with in_locale(locale):
        header = [str(column.title) for column in columns]
    assert match_columns(header, columns, {}) == {title: column.name for title, column in zip(header, columns, strict=True)}


@pytest.mark.parametrize("heading", ["Customer no", "Customer no.", "CUSTOMER NO", "Kundnr", "Customer number", "Member no"])
def test_a_customer_number_is_known_by_its_short_names(heading: str) -> None:
    assert match_columns([heading], CustomerImporter.columns, {}) == {heading: "external_id"}


def test_a_title_of_two_columns_is_nobodys() -> None:
    columns = [Column("bought", "Day"), Column("sold", "Dáy"), Column("due", "Due")]
    assert match_columns(["Day", "Due"], columns, {}) == {"Due": "due"}


def test_names_go_before_titles() -> None:
    columns = [Column("name", "Full name", aliases=("who",)), Column("owner", "Who")]
    assert match_columns(["Who"], columns, {}) == {"Who": "name"}
    for header in permutations(["Full name", "who", "owner"]):
        assert match_columns(header, columns, {}) == {"who": "name", "owner": "owner"}


def test_what_a_person_chose_goes_before_all() -> None:
    columns = [Column("name", "Full name"), Column("notes", "Notes")]
    assert match_columns(["Full name", "name", "x"], columns, {"x": "name"}) == {"x": "name"}
    assert match_columns(["Full name", "notes"], columns, {"Full name": None}) == {"notes": "notes"}
