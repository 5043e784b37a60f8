"""A customer with something in every place that core and the purchases plugin know, and ways to look for traces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from regulars_core.customers.models import ExternalId
from regulars_testkit.crm import CrmHarness

MARK = "Qzxmark"
PEOPLE = (
    "external_id,first_name,last_name,email,phone,birthday,street,city,tags,notes,consent_email,consent_sms,consent_date,consent_source\n"
    f"{MARK}-7,{MARK}först,{MARK}sist,{MARK}@example.com,+46701740631,1984-03-12,{MARK}gatan 1,{MARK}stad,{MARK}tagg;vip,{MARK}not,"
    f"yes,no,2024-05-01,{MARK}källa\n"
    "B,Eva,Ek,eva@example.com,+46701740632,,,,vip,,,,,\n"
)
SALES = (
    "receipt_no,line_no,sold_at,store,till,customer_external_id,sku,quantity,amount,currency\n"
    f"R1,1,2024-05-02 10:00,LUND,1,{MARK}-7,SKU1,2,100.50,SEK\n"
    "R2,1,2024-05-03 10:00,LUND,1,B,SKU1,1,50.25,SEK\n"
    "R3,1,2024-05-04 10:00,LUND,1,guest-8,SKU2,1,10,SEK\n"
)


@pytest.fixture
def person(crm: CrmHarness) -> int:
    """Somebody with markers everywhere: the id."""
    crm.enable("purchases")
    crm.import_text("store", "code,name,timezone,currency\nLUND,Lund,Europe/Stockholm,SEK\n")
    crm.import_text("customer", PEOPLE)
    crm.import_text("sale", SALES)
    return number_of(crm, f"{MARK}-7")


@pytest.fixture
def mark() -> str:
    """What is in every text about that person."""
    return MARK


@pytest.fixture
def id_of(crm: CrmHarness) -> Callable[[str], int]:
    """``id_of(number)``: the customer with this number."""
    return lambda number: number_of(crm, number)


def number_of(crm: CrmHarness, number: str) -> int:
    with crm.read() as session:
        return session.scalars(sa.select(ExternalId.customer_id).where(ExternalId.value == number)).one()


@pytest.fixture
def traces(crm: CrmHarness) -> Callable[[str], list[str]]:
    """``traces(text)``: tables, and on SQLite files, in which the text is found."""

    def look(text: str) -> list[str]:
        found = []
        with crm.read() as session:
            connection = session.connection()
            for name in sa.inspect(connection).get_table_names():
                rows = connection.execute(sa.text(f'SELECT * FROM "{name}"')).all()
                found += [name] if text.lower() in repr(rows).lower() or text.encode("utf-16-be").hex() in repr(rows) else []
        if crm.database.is_sqlite:
            base = Path(str(crm.database.url.database))
            for file in base.parent.glob(f"{base.name}*"):
                content = file.read_bytes().lower()
                found += [file.name] if text.lower().encode() in content else []
        return sorted(found)

    return look
