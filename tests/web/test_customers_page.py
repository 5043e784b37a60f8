"""The list of customers: found, narrowed, paged, scoped; with a constant number of statements."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from regulars_core.crm import Crm
from regulars_plugin_api.contributions import CustomerColumn, SearchHit, SearchSource
from regulars_plugin_api.hookspecs import hookimpl
from regulars_testkit.staff import Staff, add_store, plugin
from regulars_web.app import create_app

LISTED = re.compile(r'href="/customers/\d+"><bdi>([^<]*)</bdi>')


def add(crm: Crm, name: str, **more: Any) -> int:
    return crm.customers.create({"display_name": name, **more})


def names(page: str) -> list[str]:
    return [html.unescape(name) for name in LISTED.findall(page)]


def test_customers_stand_in_the_order_of_their_names(crm: Crm, staff: Callable[..., Staff]) -> None:
    for name in ("Örjan Ek", "anna berg", "李秀英", "Åsa Holm", "Anders Ek"):
        add(crm, name)
    clerk = staff(role="clerk")
    assert names(clerk.get("/customers").text) == ["Anders Ek", "anna berg", "Åsa Holm", "Örjan Ek", "李秀英"]


@pytest.mark.parametrize("query", ["李", "秀英", "0701740644", "+46 70 174 06 44", "0046701740644", "li@EXAMPLE.com", "C-1000"])
def test_a_customer_is_found_by_name_phone_mail_and_number_in_any_notation(crm: Crm, staff: Callable[..., Staff], query: str) -> None:
    chinese = {"last_name": "李", "first_name": "秀英"}
    crm.customers.create({**chinese, "phones": "070-174 06 44", "emails": "Li@example.com", "external_id": "C-1000", "country": "SE"})
    add(crm, "Åsa Holm", phones="070-174 06 31", country="SE")
    clerk = staff(role="clerk")
    for path in ("/customers", "/search"):
        page = clerk.get(path, query_string={"q": query}).text
        assert re.findall(r"<a [^>]*><bdi>([^<]*)</bdi></a>", page) == ["李秀英"]


def test_filters_narrow_the_list_and_can_be_taken_away(crm: Crm, staff: Callable[..., Staff], malmo: int) -> None:
    add(crm, "Kafé Solrosen AB", kind="company", store="MALMO", city="Malmö", tags="vip")
    add(crm, "Åsa Holm", status="prospect", store="MALMO", city="Malmö")
    add(crm, "Nils Ek", status="blocked", city="Lund")
    clerk = staff(role="clerk")
    assert names(clerk.get("/customers?status=blocked").text) == ["Nils Ek"]
    assert names(clerk.get("/customers?kind=company").text) == ["Kafé Solrosen AB"]
    assert names(clerk.get("/customers?tag=vip").text) == ["Kafé Solrosen AB"]
    assert names(clerk.get("/customers?city=MALMÖ&store=MALMO").text) == ["Åsa Holm", "Kafé Solrosen AB"]
    page = clerk.get("/customers?city=lund&status=blocked&q=nils").text
    assert names(page) == ["Nils Ek"]
    assert 'href="/customers?q=nils&amp;status=blocked"' in page
    assert "Nobody fits" in clerk.get("/customers?city=Lund&kind=company").text


def test_an_unknown_choice_is_refused_in_words(staff: Callable[..., Staff]) -> None:
    reply = staff(role="clerk").get("/customers?status=asleep")
    assert reply.status_code == 422
    assert "all[0].value" in reply.text


def test_pages_go_forth_and_back_without_missing_anybody(crm: Crm, staff: Callable[..., Staff]) -> None:
    with crm.transaction() as session:
        for number in range(120):
            crm.customers.create({"display_name": f"Customer {number:03}"}, session=session)
    clerk, seen, path = staff(role="clerk"), [], "/customers"
    pages = []
    while path:
        page = clerk.get(path).text
        pages.append(names(page))
        seen += pages[-1]
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(following[1]) if following else ""
    assert seen == [f"Customer {number:03}" for number in range(120)]
    back = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back is not None
    assert names(clerk.get(html.unescape(back[1])).text) == pages[1]
    assert "120 customers" in page


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "bnVsbA", "WyJhIiwiYiJd", "é", "W1siYSJdLDFd"])
def test_a_cursor_somebody_made_up_is_the_first_page(crm: Crm, staff: Callable[..., Staff], cursor: str) -> None:
    add(crm, "Åsa Holm")
    reply = staff(role="clerk").get("/customers", query_string={"after": cursor})
    assert (reply.status_code, names(reply.text)) == (200, ["Åsa Holm"])


def test_fifty_rows_are_light_and_take_as_many_statements_as_one(
    crm: Crm, staff: Callable[..., Staff], statements: list[str], malmo: int
) -> None:
    clerk = staff(role="clerk")
    counts: list[tuple[int, int]] = []
    for wanted in (1, 3, 50):
        with crm.transaction() as session:
            for number in range(counts[-1][0] if counts else 0, wanted):
                values = {"first_name": "Åsa Maria", "last_name": f"Bergström-Öhrn {number}", "phones": "070-174 06 31", "store": "MALMO"}
                crm.customers.create({**values, "city": "Malmö", "country": "SE", "tags": "vip; sofa"}, session=session)
        clerk.get("/customers")
        crm.plugins.refresh()
        statements.clear()
        page = clerk.get("/customers")
        counts.append((wanted, len(statements)))
        assert len(names(page.text)) == wanted
    assert len({number for _wanted, number in counts}) == 1, counts
    assert len(page.data) <= 40_000


def test_under_each_name_is_how_to_reach_it(crm: Crm, staff: Callable[..., Staff]) -> None:
    add(crm, "A", phones="070-174 06 31; 070-174 06 44", emails="a@example.com", country="SE")
    add(crm, "B", emails="b@example.com; other@example.com")
    add(crm, "C")
    clerk = staff(role="clerk")

    def shown(path: str) -> list[list[str]]:
        rows = re.findall(r"<tr>(?:(?!</tr>).)*/customers/.*?</tr>", clerk.get(path).text)
        return [[*re.findall(r"<small>(?:<bdi>)?([^<]*)", row), *re.findall(r'<td><bdi dir="ltr">([^<]*)', row)] for row in rows]

    assert shown("/customers") == [["070-174 06 31"], ["b@example.com"], ["Person"]]
    assert shown("/customers?column=email&column=phone") == [
        ["070-174 06 31", "a@example.com", "070-174 06 31"],
        ["b@example.com", "b@example.com", ""],
        ["Person", "", ""],
    ]
    assert shown("/customers?column=email&q=example") == [["070-174 06 31", "a@example.com"], ["b@example.com", "b@example.com"]]


def test_what_customers_are_called_is_text_and_nothing_more(crm: Crm, staff: Callable[..., Staff]) -> None:
    nasty = '<img src=x onerror=alert(1)>"\'{{7*7}} hx-get="/x"'
    customer = add(crm, nasty, notes=nasty, tags=nasty, emails="a@example.com", city=nasty)
    clerk = staff(role="manager")
    for path in (
        "/customers",
        f"/customers/{customer}",
        f"/customers/{customer}/edit",
        f"/customers/{customer}/changes",
        "/search?q=onerror",
        "/",
    ):
        page = clerk.get(path).text
        assert "<img" not in page
        assert "49" not in re.sub(r'"[^"]*"', "", page.split("<main")[1]) or "{{7*7}}" in page
        assert 'hx-get="/x"' not in page


def test_a_clerk_sees_the_customers_of_her_own_stores_and_of_none(crm: Crm, staff: Callable[..., Staff]) -> None:
    add_store(crm, "LUND", "Lund Nova")
    add_store(crm, "UMEA", "Umeå Avion")
    here, there = add(crm, "Here", store="LUND"), add(crm, "There", store="UMEA")
    add(crm, "Nowhere")
    clerk = staff(role="clerk", stores=["LUND"])
    assert names(clerk.get("/customers").text) == ["Here", "Nowhere"]
    assert "There" not in clerk.get("/search?q=There").text.split("<main")[1].replace("Found for “There”", "")
    assert [clerk.get(f"/customers/{one}").status_code for one in (here, there)] == [200, 404]
    assert clerk.post(f"/customers/{there}/edit", {"first_name": "Stolen", "version": "1"}).status_code == 404
    assert clerk.post(f"/customers/{there}/trash").status_code == 404
    assert "Umeå" not in clerk.get("/stores").text


def test_an_empty_system_says_what_will_be_here(staff: Callable[..., Staff]) -> None:
    page = staff(role="manager").get("/customers").text
    assert "No customers yet" in page
    assert "/imports/new" in page


@pytest.fixture
def with_plugin(make_crm: Callable[..., Crm]) -> tuple[Crm, Flask]:
    """A system whose plugin adds a column and a search, and another whose parts fail."""

    @hookimpl
    def customer_columns() -> Any:
        return [CustomerColumn("toy.visits", "Visits", "customers.view", lambda session, ids, viewer: dict.fromkeys(ids, 17))]

    @hookimpl
    def search_sources() -> Any:
        return [
            SearchSource("Receipts", "customers.view", lambda session, text, limit, viewer: [SearchHit(f"Receipt {text}", "/r/1", "Malmö")])
        ]

    def fail(*_given: Any) -> Any:
        raise RuntimeError("broken")

    @hookimpl(specname="customer_columns")
    def broken_columns() -> Any:
        return [CustomerColumn("bad.column", "Broken", "customers.view", fail)]

    @hookimpl(specname="search_sources")
    def broken_search() -> Any:
        return [SearchSource("Broken", "customers.view", fail)]

    crm = make_crm(
        plugin("toy", customer_columns=customer_columns, search_sources=search_sources),
        plugin("bad", customer_columns=broken_columns, search_sources=broken_search),
    )
    return crm, create_app(crm)


def test_plugins_add_columns_and_search_results_and_a_broken_one_costs_nobody_the_page(
    with_plugin: tuple[Crm, Flask], staff: Callable[..., Staff]
) -> None:
    crm, app = with_plugin
    add(crm, "Åsa Holm")
    clerk = staff(role="clerk", on=app)
    page = clerk.get("/customers").text
    assert names(page) == ["Åsa Holm"]
    assert "Visits" in page
    assert ">17<" in page
    assert "Broken</th>" not in page
    found = clerk.get("/search?q=4711").text
    assert "Receipt 4711" in found
    assert "Broken" not in found
