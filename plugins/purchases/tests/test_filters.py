"""Customers by how much, how often and when they bought."""

from __future__ import annotations

from typing import Any

import pytest

from regulars_core.customers.filter import BadFilter
from regulars_plugin_api.views import SYSTEM


@pytest.fixture
def filled(chain: Any) -> Any:
    chain.load("customer", "external_id,display_name", "K1,Ada", "K2,Bo", "K3,Cy", "K4,Di")
    chain.load("product", "sku,name,category", "A,Boots,Shoes", "B,Candle,Light")
    chain.sales(
        "1,2024-01-01 10:00,M1,K1,A,500.00",
        "2,2025-03-01 10:00,M1,K1,B,100.00",
        "3,2025-03-01 10:00,M1,K2,A,50.00",
        "4,2025-03-02 10:00,M1,K2,A,50.00",
        "5,2025-03-02 10:00,TY,K3,B,550",
        columns="receipt_no,sold_at,store,customer_external_id,sku,amount",
    )
    return chain


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"field": "purchases.amount", "op": "gt", "value": 500}, ["Ada", "Cy"]),
        ({"field": "purchases.amount", "op": "eq", "value": "600.00"}, ["Ada"]),
        ({"field": "purchases.amount", "op": "lt", "value": 500}, ["Bo", "Di"]),
        ({"field": "purchases.amount", "op": "gt", "value": 99, "within": {"from": "2025-01-01", "to": "2025-03-01"}}, ["Ada"]),
        ({"field": "purchases.amount", "op": "gt", "value": 0, "within": {"last": "36000d"}}, ["Ada", "Bo", "Cy"]),
        (
            {"field": "purchases.amount", "op": "gt", "value": 99, "where": {"all": [{"field": "category", "op": "eq", "value": "Shoes"}]}},
            ["Ada", "Bo"],
        ),
        (
            {"field": "purchases.amount", "op": "gt", "value": 1, "where": {"not": {"field": "category", "op": "in", "value": ["Shoes"]}}},
            ["Ada", "Cy"],
        ),
        ({"field": "purchases.amount", "op": "gt", "value": 1, "where": {"any": [{"field": "store", "op": "eq", "value": "TY"}]}}, ["Cy"]),
        ({"field": "purchases.count", "op": "gt", "value": 1}, ["Ada", "Bo"]),
        ({"field": "purchases.count", "op": "lt", "value": 1}, ["Di"]),
        ({"field": "purchases.count", "op": "eq", "value": 1, "where": {"all": [{"field": "sku", "op": "eq", "value": "A"}]}}, ["Ada"]),
        ({"field": "purchases.last_on", "op": "lt", "value": "2025-03-02"}, ["Ada"]),
        ({"field": "purchases.last_on", "op": "empty", "value": True}, ["Di"]),
        ({"not": {"field": "purchases.last_on", "op": "eq", "value": "2025-03-02"}}, ["Ada", "Di"]),
    ],
)
def test_who_is_selected(filled: Any, condition: dict[str, Any], found: list[str]) -> None:
    with filled.crm.read() as session:
        assert [row.display_name for row in filled.crm.customers.page(session, SYSTEM, where=condition).rows] == found


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ({"field": "purchases.amount", "op": "contains", "value": 5}, "op"),
        ({"field": "purchases.amount", "op": "gt", "value": "much"}, "value"),
        ({"field": "purchases.amount", "op": "gt", "value": True}, "value"),
        ({"field": "purchases.amount", "op": "gt", "value": 5, "within": {"last": "soon"}}, "value"),
        ({"field": "purchases.amount", "op": "gt", "value": 5, "within": 5}, "value"),
        ({"field": "purchases.amount", "op": "gt", "value": 5, "where": {"field": "colour", "op": "eq", "value": "red"}}, "value"),
        ({"field": "purchases.amount", "op": "gt", "value": 5, "where": {"field": "sku", "op": "gt", "value": "red"}}, "value"),
        ({"field": "purchases.amount", "op": "gt", "value": 5, "where": {"some": []}}, "value"),
        ({"field": "purchases.count", "op": "gt", "value": 1.5}, "value"),
        ({"field": "purchases.last_on", "op": "gt", "value": 2025}, "value"),
    ],
)
def test_what_is_refused(filled: Any, condition: dict[str, Any], path: str) -> None:
    with filled.crm.read() as session, pytest.raises(BadFilter) as refusal:
        filled.crm.customers.page(session, SYSTEM, where={"all": [condition]})
    assert refusal.value.path == f"all[0].{path}"
