"""The sample chain: a small home store chain in five countries, the same each time. Numbers and addresses belong to nobody."""

from __future__ import annotations

import csv
import datetime as dt
import random
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from regulars_core.customers.models import Consent, Customer
from regulars_core.exchange import runs
from regulars_core.exchange.models import ImportRun
from regulars_core.exchange.options import ImportOptions
from regulars_core.stores.models import Store
from regulars_plugin_api.bulk import update_rows
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.hookspecs import lifecycle
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import fold
from regulars_web.demo_names import COMPANIES, LOCALS, NAMES, SPOKEN, STREETS, TAGS

if TYPE_CHECKING:
    from regulars_core.crm import Crm

SIZES = {"small": 3_000, "medium": 10_000, "large": 100_000}
SEED = 20_261_122
FIRST_OPENED = dt.datetime(2024, 11, 15, 17, tzinfo=dt.UTC)
LATEST_JOINED = dt.datetime(2026, 11, 15, 17, tzinfo=dt.UTC)
"""Half of the customers came before the first receipts and contacts of the sample chain, half while it was open."""

STORES = (
    ("MALMO", "Malmö Triangeln", "Malmö", "Öresund", "SE", "Europe/Stockholm", "SEK", "2009-03-14"),
    ("LUND", "Lund Nova", "Lund", "Öresund", "SE", "Europe/Stockholm", "SEK", "2012-09-01"),
    ("GBG", "Göteborg Nordstan", "Göteborg", "West", "SE", "Europe/Stockholm", "SEK", "2011-04-02"),
    ("STHLM", "Stockholm Söder", "Stockholm", "Mälaren", "SE", "Europe/Stockholm", "SEK", "2014-10-18"),
    ("UPPS", "Uppsala Gränby", "Uppsala", "Mälaren", "SE", "Europe/Stockholm", "SEK", "2018-05-26"),
    ("HKI", "Helsinki Kamppi", "Helsinki", "Finland", "FI", "Europe/Helsinki", "EUR", "2015-08-20"),
    ("TKU", "Turku Hansa", "Turku", "Finland", "FI", "Europe/Helsinki", "EUR", "2019-03-09"),
    ("BER", "Berlin Mitte", "Berlin", "Germany", "DE", "Europe/Berlin", "EUR", "2016-11-05"),
    ("HH", "Hamburg Altona", "Hamburg", "Germany", "DE", "Europe/Berlin", "EUR", "2017-06-10"),
    ("LYON", "Lyon Part-Dieu", "Lyon", "France", "FR", "Europe/Paris", "EUR", "2020-02-01"),
    ("LON", "London Hackney", "London", "Britain", "GB", "Europe/London", "GBP", "2021-09-11"),
    ("WEB", "Web shop", "Malmö", "Öresund", "SE", "Europe/Stockholm", "SEK", "2010-01-01"),
)
COLUMNS = (
    *("external_id", "kind", "status", "first_name", "last_name", "display_name", "email", "phone", "birthday", "language", "street"),
    *("city", "country", "store", "tags", "consent_email", "consent_sms", "consent_date", "consent_source"),
)


def fill(crm: Crm, size: str) -> dict[str, int]:
    """Bring in stores and customers through the importers, then let every enabled plugin add its own. Returns how many of each."""
    with crm.read() as session:
        if session.scalar(sa.select(Customer.id).limit(1)) or session.scalar(sa.select(Store.id).limit(1)):
            raise NotAllowedYet(_("There are stores or customers already. The sample chain goes into an empty system only."))
    customers = list(_customers(random.Random(SEED), SIZES[size]))  # noqa: S311 - the same each time, and no secret
    with tempfile.TemporaryDirectory() as folder:
        names = ("code", "name", "city", "region", "country", "timezone", "currency", "opened_on")
        _import(crm, "store", Path(folder) / "stores.csv", names, [dict(zip(names, store, strict=True)) for store in STORES])
        _import(crm, "customer", Path(folder) / "customers.csv", COLUMNS, customers)
    _age(crm)
    crm.bus.each(lifecycle.demo_data, crm=crm, size=size)
    return {"stores": len(STORES), "customers": len(customers)}


def _age(crm: Crm) -> None:
    """Customers came before they bought, not today; what they said of consent is as old as they said it."""
    with crm.transaction() as session:
        said = session.execute(sa.select(Consent.id, Consent.customer_id, Consent.given_on).where(Consent.given_on.is_not(None))).all()
        first_said = {one.customer_id: _at_noon(one.given_on) for one in said}
        joined = []
        for customer_id in session.scalars(sa.select(Customer.id)):
            latest, days = (LATEST_JOINED, 730) if customer_id % 2 else (FIRST_OPENED, 1200)
            at = latest - dt.timedelta(days=customer_id * 37 % days, minutes=customer_id * 53 % 480)
            joined.append((customer_id, min(at, first_said.get(customer_id, at))))
        update_rows(session, Customer.__table__, ("created_at",), joined)
        update_rows(session, Consent.__table__, ("recorded_at",), [(one.id, _at_noon(one.given_on)) for one in said])


def _at_noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


def _import(crm: Crm, kind: str, path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    options = ImportOptions(encoding="utf-8", delimiter=",", date_order="ymd", decimal=".", country="SE")
    run_id = runs.start(crm, kind, path, options)
    runs.process(crm, run_id)
    with crm.read() as session:
        rejected = session.get_one(ImportRun, run_id).rejected
    if rejected:
        raise RuntimeError(f"the sample chain does not fit: {rejected} records of kind {kind}")


def _customers(chance: random.Random, amount: int) -> Iterable[dict[str, str]]:
    phones, addresses = _Phones(), set[str]()
    for number in range(1, amount + 1):
        store = chance.choices(STORES, weights=(9, 5, 7, 8, 4, 5, 3, 5, 4, 3, 3, 6))[0]
        country = store[4]
        weights = [weight * (LOCALS if language == SPOKEN[country] else 1) for _given, _family, language, weight in NAMES]
        given, family, language, _weight = chance.choices(NAMES, weights=weights)[0]
        row = {
            "external_id": f"C{number:06}",
            "kind": "person",
            "status": chance.choices(("active", "prospect", "inactive", "blocked"), weights=(80, 10, 9, 1))[0],
            "first_name": chance.choice(given.split()),
            "last_name": chance.choice(family.split()),
            "language": language,
            "birthday": f"{chance.randint(1945, 2005)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
            if chance.random() < 0.6
            else "",
            "street": f"{chance.choice(STREETS[country])} {chance.randint(1, 90)}",
            "city": store[2],
            "country": country,
            "store": store[0],
            "tags": chance.choice(TAGS) if chance.random() < 0.15 else "",
        }
        if number % 60 == 0:
            company = COMPANIES[number // 60 % len(COMPANIES)]
            row |= {"kind": "company", "first_name": "", "last_name": "", "display_name": company, "birthday": ""}
        phone = phones.next(country) if chance.random() < 0.7 else None
        email = _address(row, number, addresses) if phone is None or chance.random() < 0.6 else ""
        yield row | {"phone": phone or "", "email": email} | _consent(chance)


class _Phones:
    """Numbers nobody has, each once: ranges that the regulators of these countries keep free for stories like this one."""

    RANGES = {
        "SE": [
            *(f"070-174 06 {number:02}" for number in range(5, 100)),
            *(form.format(number) for number in range(100) for form in ("08-465 004 {:02}", "031-390 06 {:02}", "040-628 04 {:02}")),
        ],
        "DE": [form.format(number) for number in range(100) for form in ("0171 39200{:02}", "030 231250{:02}", "040 669690{:02}")],
        "FR": [f"06 39 98 {number // 100:02} {number % 100:02}" for number in range(10_000)],
        "GB": [f"07700 900{number:03}" for number in range(1000)],
    }

    def __init__(self) -> None:
        self._left = {country: iter(numbers) for country, numbers in self.RANGES.items()}

    def next(self, country: str) -> str | None:
        """Another number of ``country``, while there are any."""
        return next(self._left.get(country, iter(())), None)


def _address(row: Mapping[str, str], number: int, taken: set[str]) -> str:
    """An address made of the name where its letters allow that, each once."""
    name = ".".join(filter(None, (fold(row["first_name"]), fold(row["last_name"])))).replace("\u2019", "").replace("'", "")
    name = name if name and name.isascii() else f"kund{number}"
    email = next(address for again in count(1) if (address := f"{name}{again if again > 1 else ''}@example.com") not in taken)
    taken.add(email)
    return email


def _consent(chance: random.Random) -> dict[str, str]:
    said = chance.random()
    if said < 0.55:
        day = f"20{chance.randint(18, 25)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        sms = "yes" if chance.random() < 0.4 else ""
        return {"consent_email": "yes", "consent_sms": sms, "consent_date": day, "consent_source": "store form"}
    return {"consent_email": "no"} if said < 0.65 else {}
