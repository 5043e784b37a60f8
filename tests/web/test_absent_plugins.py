"""A plugin is off, or its package is gone: what it left behind stays readable, and can be had before it is removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins.keeping import plugin as keeping

from regulars_core.crm import Crm
from regulars_core.exchange import runs
from regulars_core.exchange.options import ImportOptions
from regulars_core.plugins.switching import disable
from regulars_testkit.staff import Staff
from regulars_web.app import create_app


@pytest.fixture
def left(make_crm: Callable[..., Crm]) -> dict[str, int]:
    """What the plugin ``keeping`` left behind: a customer with things, an import, an event, a notice; then it is off."""
    crm = make_crm(keeping)
    customer = crm.customers.create({"display_name": "Åsa Holm"})
    path = crm.config.home / "things.csv"
    path.write_text("name\nshoe\n")
    run = runs.start(crm, "thing", path, ImportOptions())
    runs.process(crm, run)
    with crm.transaction() as session:
        session.execute(sa.insert(keeping.things), [{"customer_id": customer, "what": what} for what in ("shoe", "hat")])
        session.info["emit"](session, keeping.ThingKept(customer_id=customer))
    disable(crm, "keeping")
    return {"customer": customer, "run": run}


@pytest.mark.parametrize("with_package", [True, False])
def test_what_it_left_behind_is_readable(
    left: dict[str, int], make_crm: Callable[..., Crm], staff: Callable[..., Staff], with_package: bool
) -> None:
    crm = make_crm() if not with_package else make_crm(keeping)
    if with_package:
        disable(crm, "keeping")
    admin = staff(role="administrator", on=create_app(crm))
    page = admin.get(f"/customers/{left['customer']}").text
    assert "Kept by plugins that are off" in page
    assert ("Things kept" if with_package else "keeping") in page
    assert "2 records" in page
    assert "thing" in admin.get("/imports").text
    run = admin.get(f"/imports/{left['run']}")
    assert run.status_code == 200
    assert "Nobody knows “thing” now: the plugin that imports it is off." in run.text
    assert "Undo this import" not in run.text
    refused = admin.post(f"/imports/{left['run']}/undo")
    assert (refused.status_code, "Nobody knows “thing” now" in refused.text) == (409, True)
    assert "keeping.thing_kept" in admin.get("/events").text
    for path in ("/jobs", "/audit", "/notices", "/exports", "/plugins/keeping", f"/customers/{left['customer']}/changes"):
        assert admin.get(path).status_code == 200, path
    lines = [json.loads(line) for line in admin.get("/plugins/keeping/rows").text.splitlines()]
    assert [(one["record"], one["what"]) for one in lines] == [("keeping_thing", "shoe"), ("keeping_thing", "hat")]


def test_a_list_that_names_its_column_is_shown_without_it(left: dict[str, int], staff: Callable[..., Staff], make_crm: Any) -> None:
    admin = staff(role="administrator", on=create_app(make_crm()))
    page = admin.get("/customers?columns=status,keeping.count")
    assert page.status_code == 200
    assert "Åsa Holm" in page.text
    assert "keeping" not in page.text.split("<tbody>")[1]


def test_only_who_manages_plugins_downloads_rows(left: dict[str, int], staff: Callable[..., Staff], make_crm: Any) -> None:
    app = create_app(make_crm())
    assert staff(role="manager", on=app).get("/plugins/keeping/rows").status_code == 403
    assert staff(role="administrator", on=app).get("/plugins/nobody/rows").status_code == 404
