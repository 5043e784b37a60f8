"""Pages speak the language of whoever looks, and write numbers and dates its way."""

from __future__ import annotations

import datetime as dt
import io
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from regulars_core.crm import Crm
from regulars_core.exchange import desk
from regulars_core.users import service
from regulars_plugin_api.i18n import _, _n, current_locale, in_locale
from regulars_testkit.staff import Staff
from regulars_web import language


@pytest.mark.parametrize(
    ("wanted", "heading"),
    [
        ("sv-SE,sv;q=0.9,en;q=0.5", "Logga in"),
        ("fa-IR,fa;q=0.9", "ورود"),
        ("en", "Sign in"),
        ("tlh", "Sign in"),
        ("", "Sign in"),
        ("%%;q=x", "Sign in"),
    ],
)
def test_the_sign_in_page_speaks_the_language_of_the_browser(app: Flask, wanted: str, heading: str) -> None:
    assert f"<h1>{heading}</h1>" in app.test_client().get("/sign-in", headers={"Accept-Language": wanted}).text


def swedish(crm: Crm, somebody: Staff) -> Staff:
    with crm.transaction() as session:
        service.find(session, somebody.email).locale = "sv"
    return somebody


def test_a_user_reads_everything_in_the_chosen_language(crm: Crm, staff: Callable[..., Staff]) -> None:
    crm.customers.create({"display_name": "Åsa Holm", "birthday": "1984-03-12", "kind": "company"})
    manager = swedish(crm, staff(role="manager"))
    assert '<html lang="sv" dir="ltr"' in manager.get("/customers").text
    page = manager.get("/customers/1").text
    for shown in ("Födelsedag 12 mars 1984", "Företag", "Aktiv", "Inget sagt: får inte kontaktas", "Ändringar"):
        assert shown in page
    refused = manager.post("/customers/new", {"emails": "x", "kind": "person", "status": "active"}).text
    assert "”x” är ingen e-postadress som anna@example.com." in refused


def test_one_users_language_is_not_the_next_ones(crm: Crm, staff: Callable[..., Staff]) -> None:
    anna, bo = swedish(crm, staff(role="clerk")), staff(role="clerk")
    assert [one.get("/customers").text.count("Kunder") > 0 for one in (anna, bo, anna, bo)] == [True, False, True, False]


def test_a_request_leaves_no_language_behind(crm: Crm, staff: Callable[..., Staff]) -> None:
    swedish(crm, staff(role="clerk")).get("/customers")
    assert current_locale() == "en"


def test_what_is_written_down_about_a_file_is_in_the_language_of_whoever_gave_it(crm: Crm, staff: Callable[..., Staff]) -> None:
    manager = swedish(crm, staff(role="manager"))
    file = (io.BytesIO(b"external_id,email\nC1,nonsense\n"), "members.csv")
    run = manager.post("/imports/new", {"kind": "customer", "file": file}, content_type="multipart/form-data").location
    assert desk.work_once(crm)
    manager.post(f"{run}/columns", {"column-0": "external_id", "column-1": "email"})
    assert desk.work_once(crm)
    assert "”nonsense” är ingen e-postadress" in manager.get(run).text


def test_a_process_without_pages_speaks_every_language(tmp_path: Path) -> None:
    environment = {**os.environ, "REGULARS_HOME": str(tmp_path / "home")}
    environment.pop("REGULARS_DATABASE_URL", None)
    subprocess.run([sys.executable, "-m", "regulars_web", "init"], env=environment, check=True, capture_output=True)
    told = "from regulars_plugin_api.i18n import _, in_locale\nwith in_locale('sv'): print(_('Stores'))"
    # What a worker has open when it writes down what is wrong with a file.
    code = f"from regulars_web.console import Console\nConsole().crm()\n{told}"
    asked = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert asked.stdout == "Butiker\n"


def test_persian_is_read_from_right_to_left_with_digits_of_its_own(crm: Crm, staff: Callable[..., Staff]) -> None:
    crm.customers.create({"display_name": "کیان رضایی", "birthday": "1984-03-12", "phones": "+98 912 345 6789"})
    clerk = staff(role="clerk")
    with crm.transaction() as session:
        service.find(session, clerk.email).locale = "fa"
    page = clerk.get("/customers").text
    assert '<html lang="fa" dir="rtl"' in page
    assert "bootstrap.rtl.min.css" in page
    assert "۱ مشتری" in page
    customer = clerk.get("/customers/1").text
    assert "تولد: ۱۲ مارس ۱۹۸۴" in customer
    # What is dialled or typed elsewhere stays as it was given.
    assert "+98 912 345 6789" in customer
    with in_locale("fa"):
        assert str(_("There are more than %(count)d columns.", count=512)) == "بیش از ۵۱۲ ستون هست."
        assert str(_n("%(num)s customer", "%(num)s customers", 1)) == "۱ مشتری"


def test_numbers_dates_and_names_are_written_the_way_of_the_language() -> None:
    stockholm = dt.datetime(2026, 11, 22, 13, 32, tzinfo=dt.UTC)
    with in_locale("sv"):
        written = (
            language.number(1234567),
            language.money(Decimal("1249.5"), "SEK"),
            language.day(dt.date(2019, 3, 4)),
            language.country("SE"),
            language.language("fa"),
        )
    assert written == ("1\xa0234\xa0567", "1\xa0249,50\xa0SEK", "4 mars 2019", "Sverige", "persiska")
    with in_locale("en"):
        assert language.moment(stockholm, ZoneInfo("Europe/Stockholm")) == "22 Nov 2026, 14:32"
    with in_locale("fa"):
        assert language.listed(["تهران", 3]) == "تهران، 3"
        assert language.moment(stockholm, ZoneInfo("Europe/Stockholm")) == "۲۲ نوامبر ۲۰۲۶، ۱۴:۳۲"


def test_the_journal_is_read_in_words() -> None:
    zone = ZoneInfo("Europe/Stockholm")
    with in_locale("en"):
        said = [language.noted(value, zone) for value in ("2026-11-22 10:51:52.251532", "1984-03-12", "2026-99-99", "Åsa", 7, None)]
    assert said == ["22 Nov 2026, 11:51", "12 Mar 1984", "2026-99-99", "Åsa", "7", ""]


def test_changes_are_told_to_each_in_their_own_language(crm: Crm, staff: Callable[..., Staff]) -> None:
    crm.customers.create({"display_name": "Åsa Holm"})
    one, other = staff(role="manager"), swedish(crm, staff(role="manager"))
    for page, said in ((one.get("/customers/1/changes").text, "Customer added"), (other.get("/customers/1/changes").text, "Kund tillagd")):
        assert said in page


def test_a_filter_is_said_in_the_language_of_the_page(crm: Crm, staff: Callable[..., Staff]) -> None:
    asked = "/customers/filter?m=any&f0-0=city&v0-0=Lund&f1-0=city&v1-0=Ystad&do=group"
    assert "Lund) eller (" in swedish(crm, staff(may=["customers.view"])).get(asked).text


def test_a_length_of_time_is_told_in_its_largest_whole_unit() -> None:
    lengths = [dt.timedelta(hours=6), dt.timedelta(minutes=90), dt.timedelta(days=1), dt.timedelta(seconds=61)]
    assert [language.duration(one) for one in lengths] == ["6 hours", "90 minutes", "1 day", "61 seconds"]
    with in_locale("fa"):
        assert language.duration(lengths[0]) == "۶ ساعت"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Olena Shevchenko", "OS"), ("李秀英", "李"), ("فاطمه رضایی", "فر"), ("Kafé", "K"), ("«»", "?"), ("åke öhrn-ek", "ÅÖ"), ("", "?")],
)
def test_an_avatar_has_the_initials_of_any_script(name: str, letters: str) -> None:
    assert language.initials(name) == letters
