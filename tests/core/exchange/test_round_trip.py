"""What is exported comes back: nothing changed in the same system, all of it in an empty one on the other database."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from regulars_core.exchange.undo import undo
from regulars_plugin_api import values
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.values import BadValue
from regulars_testkit.crm import CrmHarness, open_harness

Cli = Callable[..., Any]
NAUGHTY = Path(__file__).parents[2] / "data" / "naughty-strings" / "blns.base64.json"
STORES = [
    {"code": "007", "name": "Malmö =Triangeln", "city": "Malmö", "region": "Süd; West", "country": "SE", "opened_on": "1999-12-31"},
    {"code": "Т-1", "name": "'n Лавка", "timezone": "Asia/Tehran", "currency": "IRR"},
]
SHARED = {"kind": "person", "status": "prospect", "birthday": "1984-03-12", "store": "007", "consent_email": "yes", "consent_sms": "no"}
PEOPLE: list[dict[str, str]] = [
    {
        "external_id": "0012",
        "first_name": "Zoë",
        "last_name": "D’Ångström-O'Brien",
        "display_name": "Dr Zoë D’Ångström",
        "email": "Zoe.D+x@Exämple.com; zoe@work.example",
        "phone": "070-174 06 31; +46 (0)8 123 456 78",
        "gender": "female",
        "language": "sv",
        "street": '"Gamla" gatan 1,\nlgh 3',
        "city": "Malmö",
        "postal_code": "012 34",
        "region": "Skåne",
        "country": "SE",
        "tags": "=1+1; vip; Älskar; åter",
        "notes": "'=cmd|' /C calc'!A0\r\nrad två\n\n\"citat\", komma; semikolon\ttab ",
        "consent_date": "2024-05-01",
        "consent_source": "=HYPERLINK(kassa)",
    },
    {
        "external_id": "Ж-1",
        "first_name": "Дмитрий",
        "last_name": "Коваленко",
        "display_name": "Коваленко Дмитрий Ёжикович",
        "email": "дмитрий@пример.рф",
        "phone": "+7 495 123-45-67; +380 44 123 45 67",
        "gender": "male",
        "language": "ru",
        "street": "ул. Ленина, д. 1",
        "city": "Москва",
        "postal_code": "101000",
        "region": "Московская область",
        "country": "RU",
        "tags": "друзья; vip",
        "notes": "@SUM(A1)\nвторая строка",
        "consent_date": "2023-12-31",
        "consent_source": "касса",
    },
    {
        "external_id": "۱۲",
        "first_name": "فاطمه",
        "last_name": "رضایی\u200cنژاد",
        "display_name": "\u200fفاطمه رضایی\u200cنژاد (VIP)",
        "email": "fateme@example.ir; f.rezaei@example.com",
        "phone": "۰۹۱۲ ۳۴۵ ۶۷۸۹; +98 21 8888 1234",
        "gender": "female",
        "language": "fa",
        "street": "خیابان ولیعصر، پلاک ۱۲",
        "city": "تهران",
        "postal_code": "۱۲۳۴۵-۶۷۸۹۰",
        "region": "استان تهران",
        "country": "IR",
        "tags": "مشتری ویژه; باشگاه",
        "notes": "+98\n«یادداشت»",
        "consent_date": "2022-02-28",
        "consent_source": "صندوق",
    },
    {
        "external_id": "王-１",
        "first_name": "秀英",
        "last_name": "李",
        "display_name": "李秀英",
        "email": "li@例子.测试",
        "phone": "+86 138 0013 8000",
        "gender": "other",
        "language": "zh-Hant",
        "street": "中山路１号",
        "city": "北京",
        "postal_code": "100000",
        "region": "北京市",
        "country": "CN",
        "tags": "会员; ＝重要",
        "notes": "＝1+1\n𠮷野家 👩‍👩‍👧",
        "consent_date": "2020-02-29",
        "consent_source": "门店",
    },
    {
        "external_id": "Ω9",
        "first_name": "Γιώργος",
        "last_name": "Παπαδόπουλος",
        "display_name": "Γ. Παπαδόπουλος ς",
        "email": "g@παράδειγμα.ελ",
        "phone": "+30 21 0123 4567",
        "gender": "other",
        "language": "el",
        "street": "-Οδός Ερμού 1",
        "city": "Αθήνα",
        "postal_code": "00501",
        "region": "Αττική",
        "country": "GR",
        "tags": "'n; ''τέλος",
        "notes": "-12,50",
        "consent_date": "2019-10-27",
        "consent_source": "'=ταμείο",
    },
]


def json_lines(path: Path, records: Sequence[Mapping[str, str]]) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def other(crm: CrmHarness, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CrmHarness]:
    """An empty system on the other kind of database."""
    url = request.getfixturevalue("postgres_url" if crm.database.is_sqlite else "sqlite_url")
    harness = open_harness(url, tmp_path / "other")
    yield harness
    harness.close()


def check_round_trip(cli: Cli, crm: CrmHarness, other: CrmHarness, folder: Path, customers: int) -> None:
    here, empty = crm.dump(), other.dump()
    for format_ in ("csv", "xlsx", "jsonl"):
        stores, people = folder / f"stores-out.{format_}", folder / f"people-out.{format_}"
        assert cli("export", "store", "--format", format_, "--out", stores).code == 0
        assert cli("export", "customer", "--format", format_, "--out", people).document == {"out": str(people), "records": customers}
        for kind, path in (("store", stores), ("customer", people)):
            same = cli("import", kind, path)
            assert (same.code, same.document["unchanged"], same.document["rejected"]) == (0, same.document["records"], []), format_
        assert crm.dump() == here, format_
        made = [other.import_file(kind, path) for kind, path in (("store", stores), ("customer", people))]
        assert [one["verdict"] for one in made] == ["accept", "accept"], format_
        assert other.dump() == here, format_
        for one in reversed(made):
            assert undo(other, one["run"])["kept"] == []
        assert other.dump() == empty


def test_customers_with_everything_in_five_scripts(cli: Cli, crm: CrmHarness, other: CrmHarness, tmp_path: Path) -> None:
    crm.import_file("store", json_lines(tmp_path / "stores.jsonl", STORES))
    report = crm.import_file("customer", json_lines(tmp_path / "people.jsonl", [SHARED | one for one in PEOPLE]))
    assert (report["created"], report["rejected"], report["notes"]) == (5, [], [])
    kept = {one["name"]: one for one in map(json.loads, crm.dump()) if one["record"] == "customer"}
    for person in PEOPLE:
        found = kept[f"import:{person['external_id']}"]
        names = ("first_name", "last_name", "display_name", "notes", "gender", "language")
        assert [found[name] for name in names] == [person[name] for name in names]
    check_round_trip(cli, crm, other, tmp_path, 5)


def test_every_naughty_string_in_every_text_field(cli: Cli, crm: CrmHarness, other: CrmHarness, tmp_path: Path) -> None:
    crm.import_file("store", json_lines(tmp_path / "stores.jsonl", STORES))
    strings = [base64.b64decode(line).decode() for line in json.loads(NAUGHTY.read_text())]
    texts = {str(number): text for number, text in enumerate(strings) if _is_text(text)}
    assert len(texts) > 480
    fields = ("first_name", "last_name", "display_name", "street", "city", "region", "postal_code", "notes", "consent_source")
    records = [
        {"external_id": number, "consent_email": "no", **dict.fromkeys(fields, text), **({"tags": text} if ";" not in text else {})}
        for number, text in texts.items()
    ]
    report = crm.import_file("customer", json_lines(tmp_path / "people.jsonl", records))
    assert (report["created"], report["rejected"]) == (len(records), [])
    dumped = [json.loads(line) for line in crm.dump()]
    for record in ("customer", "customer_address", "consent", "customer_tag"):
        name = "name" if record == "customer" else "customer"
        rows = {one[name].removeprefix("import:"): one for one in dumped if one["record"] == record}
        for number, text in texts.items():
            told = {name: rows[number][name] for name in (*fields, "source") if name in rows.get(number, {})}
            assert set(told.values()) <= {text}, (record, number)
            if record == "customer_tag" and ";" not in text:
                assert rows[number]["tag"] == text.strip()
    check_round_trip(cli, crm, other, tmp_path, len(records))


def _is_text(text: str) -> bool:
    try:
        values.refuse_card_number(text)
        return bool(values.text(text, max_length=400))
    except BadValue:
        return False


def test_a_tag_holds_no_semicolon(crm: CrmHarness) -> None:
    with pytest.raises(InvalidInput) as refused:
        crm.customers.create({"first_name": "Anna", "tags": ["one; two"]})
    assert "semicolon" in str(refused.value.fields["tags"])
    customer = crm.customers.get(crm.customers.create({"first_name": "Anna", "tags": "one; two"}))
    assert customer is not None
    assert customer.tags == ("one", "two")


def test_a_note_too_long_for_a_workbook_is_told_and_leaves_no_file(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    crm.import_text("customer", f"external_id,notes\n1,{'x' * 40_000}\n")
    for name in ("out.xlsx", "out.csv"):
        (tmp_path / name).write_text("older")
    reply = cli("export", "customer", "--format", "xlsx", "--out", tmp_path / "out.xlsx")
    assert (reply.code, "Export as CSV" in reply.said, (tmp_path / "out.xlsx").read_text()) == (2, True, "older")
    assert cli("export", "customer", "--out", tmp_path / "out.csv").code == 0
    assert [path.name for path in tmp_path.glob(".*.part")] == []


def test_proof_of_consent_does_not_spread_from_one_channel_to_the_other(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    header = "external_id,consent_email,consent_sms,consent_date,consent_source\n"
    crm.import_text("customer", header + "1,yes,,2024-01-01,till\n")
    crm.import_text("customer", header + "1,,yes,2025-01-01,web\n")
    before, path = crm.dump(), tmp_path / "out.csv"
    cli("export", "customer", "--out", path)
    again = cli("import", "customer", path)
    assert (again.code, again.document["unchanged"], crm.dump() == before) == (0, 1, True)
