"""Everybody puts the blocks of the customer page and the tiles at home in their own order."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from regulars_core.crm import Crm
from regulars_plugin_api.contributions import Panel, Place, Widget
from regulars_plugin_api.hookspecs import hookimpl
from regulars_testkit.staff import Staff, plugin
from regulars_web.app import create_app


def load(*_given: Any) -> dict[str, Any]:
    return {"title": "", "detail": "", "fields": {}}


@hookimpl
def customer_panels(customer: Any, viewer: Any) -> Any:
    for name in ("alpha", "beta", "gamma"):
        yield Panel(name.title(), Place.SIDE, f"toy/{name}.html", load, lazy=True)


@hookimpl
def dashboard_widgets(viewer: Any) -> Any:
    for name in ("alpha", "beta"):
        yield Widget(name.title(), f"toy/{name}.html", load, "customers.view")


@pytest.fixture
def app(make_crm: Callable[..., Crm]) -> Flask:
    """A system with three blocks and two tiles, and one customer."""
    crm = make_crm(plugin("toy", customer_panels=customer_panels, dashboard_widgets=dashboard_widgets))
    crm.customers.create({"display_name": "Åsa Holm"})
    return create_app(crm)


def blocks(page: str) -> list[str]:
    return re.findall(r'hx-get="/(?:customers/1/panels|home/widgets)/toy/(\w+)"', page)


def test_blocks_are_moved_and_hidden_for_oneself_alone(app: Flask, staff: Callable[..., Staff]) -> None:
    clerk, other = staff(role="clerk", on=app), staff(role="clerk", on=app)
    address = "/customers/1/arrange"
    assert clerk.post(address, {"do": "up:toy/gamma"}).location == address
    assert blocks(clerk.get("/customers/1").text) == ["alpha", "gamma", "beta"]
    clerk.post(address, {"do": "hide:toy/alpha"})
    clerk.post(address, {"do": "down:toy/gamma"})
    assert blocks(clerk.get("/customers/1").text) == ["beta", "gamma"]
    assert "Show Alpha" in clerk.get(address).text
    clerk.post(address, {"do": "show:toy/alpha"})
    assert blocks(clerk.get("/customers/1").text) == ["alpha", "beta", "gamma"]
    assert blocks(other.get("/customers/1").text) == ["alpha", "beta", "gamma"]


def test_tiles_are_arranged_as_well(app: Flask, staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk", on=app)
    clerk.post("/home/arrange", {"do": "down:toy/alpha"})
    assert blocks(clerk.get("/").text) == ["beta", "alpha"]


@pytest.mark.parametrize("step", ["", "up", "up:", "up:toy/nothing", "burn:toy/alpha", "up:toy/alpha", "down:toy/gamma"])
def test_a_step_that_leads_nowhere_changes_nothing(app: Flask, staff: Callable[..., Staff], step: str) -> None:
    clerk = staff(role="clerk", on=app)
    clerk.post("/customers/1/arrange", {"do": step})
    assert blocks(clerk.get("/customers/1").text) == ["alpha", "beta", "gamma"]
