"""The filter language: every core field and operator means the same on both databases as it does in plain Python."""

from __future__ import annotations

import datetime as dt
import json
import string
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars_core.customers.filter import CORE_FIELDS, BadFilter, FilterCompiler, compiler
from regulars_core.customers.models import Customer, ExternalId
from regulars_plugin_api.contributions import FieldType, FilterField
from regulars_plugin_api.values import fold
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.crm import CrmHarness, open_harness

STORES = "code,name,region,timezone,currency\nLUND,Lund,Syd,Europe/Stockholm,SEK\nOSLO,Oslo,Nord,Europe/Oslo,NOK\nWEB,Web,,UTC,EUR\n"
TEXTS = ["Åsa", "asa", "ÅSA", "Öberg", "O'Brien", "王", "王小明", "رضایی", "100%", "a_b", "A_B", "a\\b", "Ж"]
PLAIN: dict[str, list[Any]] = {
    "external_id": [str(number) for number in range(12)],
    "kind": ["person", "company"],
    "status": ["prospect", "active", "inactive", "blocked"],
    "first_name": [None, *TEXTS],
    "last_name": [None, *TEXTS],
    "display_name": TEXTS,
    "email": [None, "asa@example.com", "Asa@Example.com; o'brien@EXAMPLE.org", "b_c@xn--exmple-cua.com"],
    "phone": [None, "+46 70 174 06 31", "+46701740631; +86 138 0013 8000"],
    "birthday": [None, "1984-03-12", "2000-02-29", "1984-03-13"],
    "gender": [None, "female", "male", "other"],
    "language": [None, "sv", "fa", "zh"],
    "city": [None, "Malmö", "malmo", "北京", "Lund"],
    "postal_code": [None, "012 34", "12", "SW1A 1AA"],
    "country": [None, "SE", "CN"],
    "store": [None, "LUND", "OSLO", "WEB"],
    "tags": [None, "vip", "VIP", "vip; Äkta; 50%", "a_b"],
    "notes": [None, "Ring EFTER 17", "100% ull", "a_b", "ÅÄÖ", "'=1"],
    "consent_email": [None, "yes", "no"],
    "consent_sms": [None, "yes", "no"],
}
REGIONS = {"LUND": "Syd", "OSLO": "Nord", "WEB": None}
FOLDED = {"first_name", "last_name", "name", "city"}


def people() -> list[dict[str, Any]]:
    """Customers that differ in every field, each value of each field on several of them."""
    return [{name: found[(number * (place + 1) + number // 3) % len(found)] for place, (name, found) in enumerate(PLAIN.items())}
            | {"external_id": str(number)} for number in range(36)]  # fmt: skip


def values_of(person: dict[str, Any], field: str) -> list[str]:
    """What a field compares, as the filter sees it."""
    raw: list[str | None]
    if field == "region":
        raw = [REGIONS[person["store"]]] if person["store"] else []
    elif field == "name":
        raw = [person["display_name"]]
    elif field in ("consent_email", "consent_sms"):
        raw = [{"yes": "unproven", "no": "withdrawn", None: None}[person[field]]]
    else:
        raw = person[field].split("; ") if field in ("email", "phone", "tags") and person[field] else [person[field]]
    found: list[str] = [one for one in raw if one is not None]
    if field in FOLDED:
        return [fold(one) for one in found]
    if field == "email":
        return [one.lower() for one in found]
    return [one.replace(" ", "") for one in found] if field == "phone" else found


def lower(text: str) -> str:
    return text.translate({ord(letter): letter.lower() for letter in string.ascii_uppercase})


def holds(person: dict[str, Any], node: dict[str, Any]) -> bool:
    """The filter language, once more and simply."""
    if "all" in node:
        return all(holds(person, part) for part in node["all"])
    if "any" in node:
        return any(holds(person, part) for part in node["any"])
    if "not" in node:
        return not holds(person, node["not"])
    field, op = node["field"], node["op"]
    value: Any = node.get("value")
    found = values_of(person, field)
    if op == "empty":
        return bool(found) is (value is False)
    wanted: list[Any] = [fold(one) if field in FOLDED else one for one in (value if isinstance(value, list) else [value])]
    if op in ("eq", "in"):
        return any(one in wanted for one in found)
    if op == "contains":
        return any(lower(wanted[0]) in lower(one) for one in found)
    return any(one > wanted[0] if op == "gt" else one < wanted[0] for one in found)


def leaf_values(field: str) -> list[str]:
    return sorted({value for person in people() for value in values_of(person, field)})


LEAVES: list[Any] = []
for _name, _field in CORE_FIELDS.items():
    if _name == "created_on":
        continue
    _known = st.sampled_from(leaf_values(_name))
    for _op in _field.operators:
        _value: Any = (
            st.sampled_from([True, False, None])
            if _op == "empty"
            else st.lists(_known, max_size=4)
            if _op == "in"
            else st.sampled_from([*leaf_values(_name), "a", "SA", "%", "_", "1", "'"])
            if _op == "contains" and _name != "phone"
            else _known
        )
        LEAVES.append(st.fixed_dictionaries({"field": st.just(_name), "op": st.just(_op), "value": _value}))
FILTERS = st.recursive(
    st.one_of(LEAVES),
    lambda parts: st.one_of(
        st.fixed_dictionaries({"all": st.lists(parts, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(parts, max_size=3)}),
        st.fixed_dictionaries({"not": parts}),
    ),
    max_leaves=6,
)


@pytest.fixture
def shop(crm: CrmHarness, tmp_path: Path) -> CrmHarness:
    """A chain with the people above."""
    crm.import_text("store", STORES)
    path = tmp_path / "people.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in people()))
    report = crm.import_file("customer", path)
    assert (report["created"], report["rejected"]) == (36, [])
    return crm


def selected(crm: CrmHarness, where: Any) -> list[str]:
    query = sa.select(ExternalId.value).join(Customer, Customer.id == ExternalId.customer_id).where(compiler(crm).compile(where))
    with crm.read() as session:
        return sorted(session.scalars(query), key=int)


def expected(where: Any) -> list[str]:
    return [one["external_id"] for one in people() if holds(one, where)]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=FILTERS)
def test_a_filter_selects_whom_plain_python_selects(shop: CrmHarness, where: Any) -> None:
    assert selected(shop, where) == expected(where)


def test_every_field_with_every_operator_and_its_opposite(shop: CrmHarness) -> None:
    for field, about in CORE_FIELDS.items():
        for op in about.operators if field != "created_on" else ():
            for value in [True, False] if op == "empty" else leaf_values(field):
                where: Any = {"field": field, "op": op, "value": [value] if op == "in" else value}
                assert selected(shop, where) == expected(where), where
                assert selected(shop, {"not": where}) == expected({"not": where}), where


def test_a_list_is_filtered(shop: CrmHarness) -> None:
    where = {"field": "city", "op": "eq", "value": "MALMO"}
    with shop.read() as session:
        rows = shop.customers.page(session, SYSTEM, where=where, limit=100).rows
    assert sorted((one.external_ids[0][1] for one in rows), key=int) == expected(where)


def test_an_export_is_filtered_too(shop: CrmHarness, tmp_path: Path) -> None:
    where = {"all": [{"field": "city", "op": "eq", "value": "MALMO"}, {"not": {"field": "tags", "op": "in", "value": ["vip"]}}]}
    lines = shop.export_file("customer", tmp_path / "out.jsonl", "jsonl", where=where).read_text().splitlines()
    assert [json.loads(line)["external_id"] for line in lines] == expected(where)
    assert lines


def test_contacts_are_found_however_they_are_written(shop: CrmHarness) -> None:
    for field, value, like in (
        ("phone", "0046 (70) 174-06 31", None),
        ("phone", "+46 70 174 06 31", "+46701740631"),
        ("phone", "+۴۶۷۰۱۷۴۰۶۳۱", "+46701740631"),
        ("email", " ASA@example.COM ", "asa@example.com"),
        ("email", "b_c@exämple.com", "b_c@xn--exmple-cua.com"),
    ):
        found = selected(shop, {"field": field, "op": "eq", "value": value})
        assert found == (expected({"field": field, "op": "eq", "value": like}) if like else [])


def test_days_are_days_of_the_chain(database_url: str, tmp_path: Path) -> None:
    crm = open_harness(database_url, tmp_path / "home", timezone=ZoneInfo("Asia/Tokyo"))
    crm.import_text("customer", "external_id\n1\n2\n3\n")
    moments = [dt.datetime(2025, 3, day, hour, tzinfo=dt.UTC) for day, hour in ((1, 14), (1, 15), (2, 15))]
    with crm.transaction() as session:
        for number, at in enumerate(moments, 1):
            session.execute(sa.update(Customer).where(Customer.id == number).values(created_at=at))
    found = {op: selected(crm, {"field": "created_on", "op": op, "value": "2025-03-02"}) for op in ("lt", "eq", "gt")}
    assert found == {"lt": ["1"], "eq": ["2"], "gt": ["3"]}
    crm.close()


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ([], "filter"),
        ({}, "filter"),
        ({"all": {}}, "all"),
        ({"some": []}, "some"),
        ({"all": [], "any": []}, "filter"),
        ({"all": [{"field": "city", "op": "eq", "value": "x"}, {"field": "shoe", "op": "eq"}]}, "all[1].field"),
        ({"not": {"any": [{"field": "city", "op": "like", "value": "x"}]}}, "not.any[0].op"),
        ({"field": "city", "op": "eq", "value": 7}, "value"),
        ({"field": "city", "op": "eq"}, "value"),
        ({"field": "city", "op": ["eq"], "value": "x"}, "op"),
        ({"field": 7, "op": "eq", "value": "x"}, "field"),
        ({"field": "city", "op": "eq", "value": "x", "where": {}}, "where"),
        ({"field": "birthday", "op": "gt", "value": "yesterday"}, "value"),
        ({"field": "birthday", "op": "gt", "value": "03/04/2025"}, "value"),
        ({"field": "tags", "op": "in", "value": "vip"}, "value"),
        ({"field": "tags", "op": "in", "value": ["x"] * 1001}, "value"),
        ({"field": "tags", "op": "contains", "value": ""}, "value"),
        ({"field": "tags", "op": "eq", "value": "a\0b"}, "value"),
        ({"field": "tags", "op": "eq", "value": "\ud800"}, "value"),
        ({"field": "gender", "op": "empty", "value": "yes"}, "value"),
        ({"field": "purchases.amount", "op": "gt", "value": 1, "wihtin": {}}, "wihtin"),
        ({"any": [{"field": "tags", "op": "in", "value": ["x"] * 1000}] * 11}, "any[10].value"),
        ({"any": [{"all": []}] * 400}, "any[299]"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(where: Any, path: str) -> None:
    with pytest.raises(BadFilter) as refused:
        FilterCompiler().compile(where)
    assert str(refused.value.message).startswith(f"{path}: ")


def test_a_filter_nested_too_deep_is_refused() -> None:
    where: dict[str, Any] = {"all": []}
    for _level in range(5000):
        where = {"not": where}
    with pytest.raises(BadFilter, match="too deep"):
        FilterCompiler().compile(where)


def test_injection_is_a_value_like_any_other(shop: CrmHarness) -> None:
    for text in ("'; DROP TABLE customer; --", "' OR 1=1 --", "%' OR '%'='", "\\'", '"'):
        for op in ("eq", "contains"):
            assert selected(shop, {"field": "name", "op": op, "value": text}) == []


VIP: Any = {"field": "tags", "op": "eq", "value": "vip"}
OFF: Any = {"field": "loyalty.points", "op": "gt", "value": 5, "within": {"last": "90d"}}


@pytest.mark.parametrize(
    ("where", "same_as"),
    [
        (OFF, {"any": []}),
        ({"not": OFF}, {"any": []}),
        ({"not": {"not": OFF}}, {"any": []}),
        ({"all": [OFF, VIP]}, {"any": []}),
        ({"not": {"any": [OFF, VIP]}}, {"any": []}),
        ({"any": [OFF, VIP]}, VIP),
        ({"any": [{"not": OFF}, VIP]}, VIP),
        ({"not": {"all": [OFF, VIP]}}, {"not": VIP}),
    ],
)
def test_a_field_whose_plugin_is_off_selects_nobody_and_is_named(shop: CrmHarness, where: Any, same_as: Any) -> None:
    assert selected(shop, where) == expected(same_as)
    alone = FilterCompiler()
    alone.compile(where)
    assert alone.unknown == ["loyalty.points"]


def test_a_plugin_field_that_knows_nothing_of_a_customer_is_false_and_its_opposite_true(shop: CrmHarness) -> None:
    def clause(_customer_id: sa.ColumnElement[int], _op: str, _value: Any) -> sa.ColumnElement[bool]:
        return sa.null() > sa.literal(1)

    with_field = FilterCompiler([FilterField("loyalty.points", "Points", FieldType.NUMBER, ("gt",), clause, lambda *_about: None)])
    leaf = {"field": "loyalty.points", "op": "gt", "value": 1}
    assert [_count(shop, with_field.compile(where)) for where in (leaf, {"not": leaf})] == [0, 36]


def _count(crm: CrmHarness, *conditions: Any) -> int:
    with crm.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Customer).where(*conditions)) or 0
