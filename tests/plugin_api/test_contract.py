"""The small parts of the contract: access, addresses, scope, errors, what leaves it."""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask import Flask, g

from regulars_plugin_api import events
from regulars_plugin_api.contributions import EventHandler
from regulars_plugin_api.deprecation import RegularsDeprecationWarning, deprecated
from regulars_plugin_api.errors import Conflict, InvalidInput, NotFound, PluginFailed
from regulars_plugin_api.events import CustomerUpdated, DomainEvent, StoreCreated
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import SYSTEM, Viewer
from regulars_plugin_api.web import PUBLIC, PluginBlueprint, access, current_crm, current_viewer, declared_access


def test_a_view_says_who_may_use_it() -> None:
    @access("toy.see")
    def guarded() -> None:
        """Guarded."""

    @access(PUBLIC)
    def public() -> None:
        """Public."""

    def forgotten() -> None:
        """Forgotten."""

    assert [declared_access(view) for view in (guarded, public, forgotten)] == ["toy.see", "public", None]


@pytest.mark.parametrize("claim", ["/toy", "/u", "/api/v1/things"])
def test_a_blueprint_claims_an_address(claim: str) -> None:
    assert PluginBlueprint("toy", __name__, url_prefix=claim).claim == claim


@pytest.mark.parametrize("claim", ["", "/", "toy", "/toy/", "/toy/more", "/Toy", "/api/v1/", "/api/v1/things/more", "/to y", "/../toy"])
def test_a_blueprint_claims_nothing_else(claim: str) -> None:
    with pytest.raises(ValueError, match="a blueprint claims"):
        PluginBlueprint("toy", __name__, url_prefix=claim)


def test_a_view_finds_the_system_and_the_viewer() -> None:
    app = Flask("toy")
    app.extensions["regulars"] = marker = object()
    with app.test_request_context():
        g.viewer = SYSTEM
        assert current_crm() is marker
        assert current_viewer() is SYSTEM


def test_scope_is_the_whole_chain_or_the_stores_named() -> None:
    table = sa.table("row", sa.column("id", sa.Integer), sa.column("store_id", sa.Integer))
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE row (id INTEGER, store_id INTEGER)")
        connection.exec_driver_sql("INSERT INTO row VALUES (1, 10), (2, 20), (3, NULL)")

    def seen(stores: frozenset[int] | None) -> list[int]:
        viewer = Viewer(1, "Anna", frozenset(), store_ids=stores)
        with engine.connect() as connection:
            return list(connection.scalars(sa.select(table.c.id).where(in_scope(viewer, table.c.store_id)).order_by(table.c.id)))

    assert [seen(None), seen(frozenset({20})), seen(frozenset({10, 20})), seen(frozenset())] == [[1, 2, 3], [2], [1, 2], []]


def test_errors_are_told_in_words() -> None:
    assert str(InvalidInput(points="Award at least one point.")) == "Some fields need attention. points: Award at least one point."
    assert str(InvalidInput("No.", message="Too long.")) == "No. message: Too long."
    assert [str(NotFound()), str(NotFound("No such till.")), Conflict().status] == ["There is no such record.", "No such till.", 409]
    assert str(PluginFailed("toy", "jobs", "KeyError: 1")) == "The plugin toy could not do its part (jobs): KeyError: 1"


def test_what_leaves_the_contract_warns_first() -> None:
    @deprecated("1.2", "2.0", "render")
    def draw(name: str) -> str:
        return name

    with pytest.warns(RegularsDeprecationWarning, match=r"draw is deprecated since 1\.2 and gone in 2\.0: use render"):
        assert draw("x") == "x"


def test_a_handler_that_does_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"toy\.nothing does nothing"):
        EventHandler("toy.nothing", (StoreCreated,))


class Kind(enum.Enum):
    GIFT = "gift"


@dataclass(frozen=True, kw_only=True)
class Everything(DomainEvent):
    """One field of each type."""

    type = "toy.everything"
    customer_id: int
    name: str | None
    amount: Decimal
    day: dt.date
    at: dt.datetime
    kind: Kind
    yes: bool
    pairs: tuple[tuple[int, str], ...]
    added_later: tuple[Decimal, ...] = (Decimal("1.10"),)


def test_an_event_comes_back_from_its_payload_as_it_was() -> None:
    event = Everything(
        customer_id=7,
        name=None,
        amount=Decimal("0.30"),
        day=dt.date(2026, 2, 28),
        at=dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC),
        kind=Kind.GIFT,
        yes=False,
        pairs=((1, "a"), (2, "b")),
    )
    payload = event.to_payload()
    assert payload == {
        "customer_id": 7,
        "name": None,
        "amount": "0.30",
        "day": "2026-02-28",
        "at": "2026-02-28T12:00:00+00:00",
        "kind": "gift",
        "yes": False,
        "pairs": [[1, "a"], [2, "b"]],
        "added_later": ["1.10"],
    }
    assert Everything.from_payload(payload) == event
    del payload["added_later"]
    assert Everything.from_payload(payload) == event


def test_every_event_of_core_has_a_type_of_its_own_and_a_manual_entry() -> None:
    core = [one for one in vars(events).values() if isinstance(one, type) and issubclass(one, DomainEvent) and one is not DomainEvent]
    assert len(core) > 10
    assert len({one.type for one in core}) == len(core)
    assert [one for one in core if not re.fullmatch(r"[a-z_]+\.[a-z_]+", one.type)] == []
    assert [one for one in core if one.__doc__ is None or one.__doc__.startswith(f"{one.__name__}(")] == []


def test_an_event_says_what_it_is_about() -> None:
    assert CustomerUpdated(customer_id=7, uid="u", changed=("email",)).subject == "customer:7"
    assert StoreCreated(store_id=3, code="N").subject == "store:3"
