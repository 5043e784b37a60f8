"""Tools of the list of customers: the filter form, saved views, columns, order, what is done to many at once."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from regulars_core.crm import Crm
from regulars_plugin_api.contributions import Action, CustomerColumn, FieldType, FilterField
from regulars_plugin_api.db import customers
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.web import PluginBlueprint, access
from regulars_testkit.staff import Staff, add_store, plugin
from regulars_web.app import create_app

LISTED = re.compile(r'href="/customers/\d+"><bdi>([^<]*)</bdi>')


def names(page: str) -> list[str]:
    return [html.unescape(name) for name in LISTED.findall(page)]


@pytest.fixture
def people(crm: Crm) -> dict[str, int]:
    """Four customers."""
    given: list[dict[str, Any]] = [
        {"display_name": "Anna", "city": "Malmö", "status": "active", "tags": "vip"},
        {"display_name": "Bo", "city": "Lund", "status": "blocked"},
        {"display_name": "Cia", "city": "Malmö", "status": "prospect", "birthday": "1990-05-01"},
        {"display_name": "Dan", "city": "Ystad", "status": "active"},
    ]
    return {one["display_name"]: crm.customers.create(one) for one in given}


@pytest.fixture
def clerk(staff: Callable[..., Staff]) -> Staff:
    """A clerk."""
    return staff(role="clerk")


def built(somebody: Staff, **fields: Any) -> tuple[Any, list[str]]:
    """The filter a form leads to, and who it selects."""
    reply = somebody.get("/customers/filter", query_string={**fields, "do": "show"})
    assert reply.status_code == 302, reply.text
    text = parse_qs(urlsplit(reply.location).query).get("filter", [""])[0]
    return json.loads(text) if text else None, names(somebody.get(reply.location).text)


def test_a_form_becomes_a_filter(clerk: Staff, people: dict[str, int]) -> None:
    where, found = built(
        clerk, **{"m0": "all", "f0-0": "city", "o0-0": "eq", "v0-0": "malmö", "f0-1": "status", "o0-1": "not", "v0-1": "prospect"}
    )
    assert where == {
        "all": [{"field": "city", "op": "eq", "value": "malmö"}, {"not": {"field": "status", "op": "eq", "value": "prospect"}}]
    }
    assert found == ["Anna"]


def test_groups_are_joined_by_any(clerk: Staff, people: dict[str, int]) -> None:
    group = {"f0-0": "city", "o0-0": "in", "v0-0": "Lund, Ystad", "m": "any", "f1-0": "birthday", "o1-0": "gt", "v1-0": "1989-12-31"}
    where, found = built(clerk, **group)
    assert list(where) == ["any"]
    assert found == ["Bo", "Cia", "Dan"]


@pytest.mark.parametrize(("op", "found"), [("empty", ["Anna", "Bo", "Dan"]), ("filled", ["Cia"])])
def test_what_is_not_known_can_be_asked_for(clerk: Staff, people: dict[str, int], op: str, found: list[str]) -> None:
    assert built(clerk, **{"f0-0": "birthday", "o0-0": op})[1] == found


def test_several_choices_are_one_condition(clerk: Staff, people: dict[str, int]) -> None:
    where, found = built(clerk, **{"f0-0": "status", "o0-0": "eq", "v0-0": ["blocked", "prospect"]})
    assert where == {"all": [{"field": "status", "op": "in", "value": ["blocked", "prospect"]}]}
    assert found == ["Bo", "Cia"]


def test_the_form_grows_and_shrinks_without_a_script_and_keeps_what_was_typed(clerk: Staff, people: dict[str, int]) -> None:
    page = clerk.get(
        "/customers/filter", query_string={"m0": "any", "f0-0": "city", "o0-0": "eq", "v0-0": "Lu<nd", "new0": "tags", "do": "add-0"}
    ).text
    assert 'value="Lu&lt;nd"' in page
    assert 'name="f0-1" value="tags"' in page
    page = clerk.get("/customers/filter", query_string={"f0-0": "city", "v0-0": "Lund", "f0-1": "tags", "do": "drop-0-0"}).text
    assert 'name="f0-0" value="tags"' in page
    assert clerk.get("/customers/filter", query_string={"f0-0": "city", "do": "group"}).text.count('class="rg-group"') == 2


def test_an_open_filter_comes_back_into_the_form_and_says_itself_in_words(clerk: Staff, people: dict[str, int]) -> None:
    where = {"all": [{"field": "city", "op": "eq", "value": "Lund"}, {"any": [{"field": "status", "op": "eq", "value": "blocked"}]}]}
    given = {"filter": json.dumps(where), "q": "Bo"}
    page = clerk.get("/customers", query_string=given).text
    assert names(page) == ["Bo"]
    assert "City is Lund" in page
    assert "Status is Blocked" in page
    form = clerk.get("/customers/filter", query_string=given).text
    assert 'value="Lund"' in form
    assert 'name="q" value="Bo"' in form
    without = re.findall(r'class="rg-chip-x" href="([^"]+)"', page)
    assert names(clerk.get(html.unescape(without[1])).text) == ["Bo"]


def test_a_filter_the_form_can_not_show_is_not_lost_in_silence(clerk: Staff, people: dict[str, int]) -> None:
    deep = {"not": {"all": [{"any": [{"field": "city", "op": "eq", "value": "Lund"}]}]}}
    page = clerk.get("/customers", query_string={"filter": json.dumps(deep)}).text
    assert names(page) == ["Anna", "Cia", "Dan"]
    assert "more to it than this form can show" in clerk.get("/customers/filter", query_string={"filter": json.dumps(deep)}).text


@pytest.mark.parametrize("text", ["{", '{"a":1}', '"x"', "[]", '{"all":1}', '{"not":7}'])
def test_a_filter_somebody_made_up_is_refused_in_words(clerk: Staff, text: str) -> None:
    for path in ("/customers", "/customers/filter"):
        reply = clerk.get(path, query_string={"filter": text})
        assert reply.status_code < 500
        assert "Traceback" not in reply.text
    assert clerk.get("/customers", query_string={"filter": text}).status_code == 422


def test_a_wrong_value_is_refused_and_kept(clerk: Staff) -> None:
    reply = clerk.get("/customers/filter", query_string={"f0-0": "birthday", "o0-0": "gt", "v0-0": "yesterday", "do": "show"})
    assert (reply.status_code, 'value="yesterday"' in reply.text) == (422, True)


def test_a_view_is_saved_found_again_and_deleted(crm: Crm, staff: Callable[..., Staff], people: dict[str, int]) -> None:
    manager, clerk = staff(role="manager"), staff(role="clerk")
    state = {"status": "active", "columns": "city,email", "sort": "newest"}
    address = manager.post("/customers/views", {**state, "name": "Our  best", "shared": "1"}).location
    page = manager.get(address).text
    assert names(page) == ["Dan", "Anna"]
    assert '<th scope="col">E-mail</th>' in page
    assert "Home store</th>" not in page
    assert "Our best" in clerk.get("/customers").text
    assert names(clerk.get(address).text) == ["Dan", "Anna"]
    assert clerk.post("/customers/views/1/delete").status_code == 404
    left = manager.post("/customers/views/1/delete").location
    assert names(manager.get(left).text) == ["Dan", "Anna"]
    assert "Our best" not in clerk.get("/customers").text


def test_a_clerk_keeps_views_to_herself(staff: Callable[..., Staff], clerk: Staff, people: dict[str, int]) -> None:
    address = clerk.post("/customers/views", {"city": "Lund", "name": "Mine", "shared": "1"}).location
    assert names(clerk.get(address).text) == ["Bo"]
    other = staff(role="manager")
    assert "Mine" not in other.get("/customers").text
    assert names(other.get(address).text) == ["Anna", "Bo", "Cia", "Dan"]


@pytest.mark.parametrize("name", ["", " ", "x" * 61])
def test_a_view_without_a_good_name_is_refused_in_words(clerk: Staff, contents: Callable[[], list[str]], name: str) -> None:
    before = contents()
    reply = clerk.post("/customers/views", {"name": name, "city": "Lund"})
    assert (reply.status_code, "at most 60 characters" in reply.text, f'value="{name}"' in reply.text) == (422, True, True)
    assert 'name="city" value="Lund"' in reply.text
    assert 'href="/customers?city=Lund"' in reply.text
    assert contents() == before


def test_the_newest_come_first_over_all_pages(crm: Crm, clerk: Staff) -> None:
    with crm.transaction() as session:
        for number in range(120):
            crm.customers.create({"display_name": f"Customer {number:03}"}, session=session)
    path, seen, pages = "/customers?sort=newest", [], []
    while path:
        page = clerk.get(path).text
        pages.append(names(page))
        seen += pages[-1]
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(following[1]) if following else ""
    assert seen == [f"Customer {number:03}" for number in reversed(range(120))]
    back = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back is not None
    assert names(clerk.get(html.unescape(back[1])).text) == pages[1]


def test_many_go_to_the_trash_and_come_back(crm: Crm, clerk: Staff, people: dict[str, int]) -> None:
    chosen = [people["Anna"], people["Dan"]]
    address = clerk.post("/customers/bulk/trash", {"id": [*map(str, chosen), "x", "999"], "status": "active"}).location
    page = clerk.get(address).text
    assert "2 customers are in the trash." in page
    assert names(page) == []
    clerk.post("/customers/bulk/restore", {"id": list(map(str, chosen))})
    assert names(clerk.get("/customers").text) == ["Anna", "Bo", "Cia", "Dan"]


def test_many_get_a_tag_once(crm: Crm, clerk: Staff, people: dict[str, int]) -> None:
    reply = clerk.post("/customers/bulk/tag", {"id": [str(one) for one in people.values()], "new_tag": "vip"})
    assert "3 customers have the tag now." in clerk.get(reply.location).text
    assert all("vip" in customer.tags for customer in crm.customers.get_many(list(people.values())).values())


def test_nobody_touches_customers_they_can_not_see(crm: Crm, staff: Callable[..., Staff], contents: Callable[[], list[str]]) -> None:
    for store in ("LUND", "UMEA"):
        add_store(crm, store, store)
    there = crm.customers.create({"display_name": "There", "store": "UMEA"})
    before = contents()
    clerk, analyst = staff(role="clerk", stores=["LUND"]), staff(role="analyst")
    for what in ("trash", "tag", "restore"):
        clerk.post(f"/customers/bulk/{what}", {"id": str(there), "new_tag": "stolen"})
        assert analyst.post(f"/customers/bulk/{what}", {"id": str(there)}).status_code == 403
    assert [line for line in contents() if "user" not in line] == [line for line in before if "user" not in line]


def toy() -> Any:
    """A plugin with columns, a field and a bulk action."""

    @hookimpl
    def customer_columns() -> Any:
        for name, value in (("visits", 17), ("points", 23)):
            yield CustomerColumn(
                f"toy.{name}",
                name.title(),
                "customers.view",
                lambda session, ids, viewer, value=value: dict.fromkeys(ids, value),  # type: ignore[misc]
            )

    @hookimpl
    def filter_fields() -> Any:
        is_odd = lambda column, op, value: (column % 2 == 1) == value  # noqa: E731
        yield FilterField("toy.odd", "Odd", FieldType.YES_NO, ("eq",), is_odd, lambda session, customer_id: customer_id % 2 == 1)

    @hookimpl
    def customer_actions(customer: Any, viewer: Any) -> Any:
        yield Action("Greet them", "toy.greet", "customers.edit", bulk=True)
        yield Action("Secret", "toy.greet", "toy.secret", bulk=True)

    @hookimpl
    def blueprints() -> Any:
        pages = PluginBlueprint("toy", __name__, url_prefix="/toy")
        pages.add_url_rule("/greet", "greet", access("customers.edit")(lambda: "greeted"), methods=["POST"])
        yield pages

    parts = {"customer_columns": customer_columns, "filter_fields": filter_fields}
    return plugin("toy", **parts, customer_actions=customer_actions, blueprints=blueprints)


def test_plugins_take_part_in_columns_filters_and_bulk_actions(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    assert customers.c.id is not None
    crm = make_crm(toy())
    for name in ("Anna", "Bo"):
        crm.customers.create({"display_name": name})
    clerk = staff(role="clerk", on=create_app(crm))
    page = clerk.get("/customers?column=city&column=toy.points").text
    assert ">23</td>" in page
    assert ">17</td>" not in page
    assert 'formaction="/toy/greet"' in page
    assert "Secret" not in page
    assert built(clerk, **{"f0-0": "toy.odd", "o0-0": "eq", "v0-0": "true"})[1] == ["Anna"]


def test_an_analyst_has_no_bulk_bar(staff: Callable[..., Staff], people: dict[str, int]) -> None:
    assert "type=checkbox name=id" not in staff(role="analyst").get("/customers").text
