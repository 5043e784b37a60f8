"""What plugins build on besides hooks: forms, commands, and the system behind a session."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from regulars_core.plugins.loader import Candidate
from regulars_core.plugins.switching import disable
from regulars_plugin_api import values
from regulars_plugin_api.bulk import journaling
from regulars_plugin_api.cli import CommandLine, JsonGroup
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.forms import Reader
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.rest import Amount, RestSchema
from regulars_plugin_api.services import crm_of
from regulars_plugin_api.views import SYSTEM, Viewer
from regulars_plugin_api.web import PUBLIC, PluginBlueprint, access
from regulars_testkit.crm import CrmHarness, open_harness
from regulars_testkit.staff import add_store, plugin
from regulars_web.app import create_app
from regulars_web.console import Console


def test_a_form_tells_all_that_is_wrong_at_once() -> None:
    form = Reader({"pieces": "three", "day": "2026-11-22", "text": "  "})
    day = form.read("day", lambda raw: values.date(raw, None))
    assert (day.isoformat() if day else None, form.read("missing", values.text)) == ("2026-11-22", None)
    form.read("pieces", values.whole_number)
    form.needed("text", values.text, "Say something.")
    with pytest.raises(InvalidInput) as refusal:
        form.done()
    assert sorted(refusal.value.fields) == ["pieces", "text"]
    assert refusal.value.fields["text"] == "Say something."


def test_a_form_without_mistakes_is_done() -> None:
    form = Reader({"pieces": "3"})
    assert form.needed("pieces", values.whole_number, "How many?") == 3
    form.done()


def test_a_session_knows_its_system(crm: CrmHarness) -> None:
    with crm.read() as reader:
        assert crm_of(reader) is crm
    with crm.transaction() as writer:
        assert crm_of(writer) is crm


def test_lists_of_plugins_hold_living_customers_of_ones_own_stores(crm: CrmHarness) -> None:
    near, far = add_store(crm, "M1", "Malmö"), add_store(crm, "G1", "Göteborg")
    ids = [crm.customers.create({"display_name": name, "store": store}) for name, store in [("Ada", "M1"), ("Bo", "G1"), ("Cy", "")]]
    gone = crm.customers.create({"display_name": "Dee"})
    with crm.transaction() as session:
        crm.customers.trash(session, gone)

    def seen_by(viewer: Viewer) -> list[int]:
        with crm.read() as session:
            return sorted(session.scalars(crm.customers.ids_seen_by(session, viewer)))

    with crm.read() as session:
        in_filter = crm.customers.ids_seen_by(session, SYSTEM, {"field": "store", "op": "eq", "value": "G1"})
        assert session.scalars(in_filter).all() == [ids[1]]
        with pytest.raises(InvalidInput):
            crm.customers.ids_seen_by(session, SYSTEM, {"field": "shoe_size", "op": "hums", "value": 1})
    clerk = Viewer(1, "Anna", frozenset({"customers.view"}), frozenset({near}))
    assert (seen_by(SYSTEM), seen_by(clerk)) == (ids, [ids[0], ids[2]])
    assert seen_by(Viewer(2, "Eve", frozenset(), frozenset({far}))) == ids[1:]


@pytest.mark.parametrize("amount", [Decimal("12.50"), "12.50"])
def test_amounts_are_given_out_as_exact_texts(amount: Decimal | str) -> None:
    class Priced(RestSchema):
        price = Amount(required=True)

    assert Priced().dump({"price": amount}) == {"price": "12.50"}


@pytest.mark.parametrize("text", ["12.5", "-0.005", "007", "1" * 19])
def test_amounts_are_taken_in_as_exact_texts(text: str) -> None:
    class Priced(RestSchema):
        price = Amount(required=True)

    assert Priced().load({"price": text}) == {"price": Decimal(text)}
    for no_amount in (12.5, 12, True, None, "", " 12", "1,5", "1e5", "NaN", "٣", "1" * 20):
        assert list(Priced().validate({"price": no_amount})) == ["price"], no_amount


def test_what_is_written_in_bulk_is_journaled(crm: CrmHarness) -> None:
    store_id = add_store(crm, "G1", "G1")
    with crm.transaction(cause="job:renaming") as session, journaling(session) as journal:
        session.execute(sa.text("UPDATE store SET name = 'Göteborg'"))
        journal.updated("store", [(store_id, "name", "G1", "Göteborg")])
    with crm.read() as session:
        noted = session.execute(sa.text("SELECT column_name, old, new FROM change WHERE cause = 'job:renaming'")).all()
    assert [tuple(one) for one in noted] == [("name", '"G1"', '"Göteborg"')]


def test_the_system_s_own_address_is_known_where_there_is_no_request(crm: CrmHarness) -> None:
    assert crm.config.base_url == "http://127.0.0.1:8000"


def test_what_programs_post_needs_no_form_token_and_everything_else_does(sqlite_url: str, tmp_path: Path) -> None:
    pages = PluginBlueprint("inbox", __name__, url_prefix="/inbox")

    @pages.post("/open")
    @access(PUBLIC, by_programs=True)
    def taken() -> str:
        return "taken"

    @pages.post("/form")
    @access(PUBLIC)
    def form() -> str:
        return "taken"

    client = with_pages(sqlite_url, tmp_path, pages)
    assert [client.post(path, json={"said": 1}).status_code for path in ("/inbox/open", "/inbox/form")] == [200, 400]
    with pytest.raises(ValueError, match="PUBLIC"):
        access("loyalty.award", by_programs=True)


def test_a_view_with_a_limit_is_called_so_often_and_no_more(sqlite_url: str, tmp_path: Path) -> None:
    pages = PluginBlueprint("inbox", __name__, url_prefix="/inbox")

    @pages.get("/")
    @access(PUBLIC, limit="2 per hour")
    def seldom() -> str:
        return "read"

    @pages.get("/often")
    @access(PUBLIC)
    def often() -> str:
        return "read"

    client = with_pages(sqlite_url, tmp_path, pages)
    assert [client.get("/inbox/").status_code for _again in range(3)] == [200, 200, 429]
    assert client.get("/inbox/", environ_base={"REMOTE_ADDR": "198.51.100.7"}).status_code == 200
    assert client.get("/inbox/often").status_code == 200
    with pytest.raises(ValueError, match="10 per minute"):
        access(PUBLIC, limit="often")


def test_a_plugin_s_own_files_are_there_while_it_is_on(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "inbox.css").write_text("h1 { color: teal }")
    toy = plugin("inbox", __file__=str(tmp_path / "plugin.py"))
    crm = open_harness(sqlite_url, tmp_path / "home", candidates=[Candidate("inbox", "1.0", lambda: toy)])
    app = create_app(crm)
    with app.test_request_context():
        address = app.extensions["regulars_assets"].url("inbox.css", "inbox")
    client, answers = app.test_client(), []
    for switch in (None, crm.enable, lambda name: disable(crm, name)):
        if switch is not None:
            switch("inbox")
        answers.append(client.get(address).status_code)
    assert (address.startswith("/static/inbox/"), answers) == (True, [404, 200, 404])


def with_pages(url: str, home: Path, pages: PluginBlueprint) -> FlaskClient:
    """A browser of a system in which a plugin brings these pages."""
    toy = plugin("inbox", blueprints=hookimpl(lambda: [pages]))
    crm = open_harness(url, home, candidates=[Candidate("inbox", "1.0", lambda: toy)])
    crm.enable("inbox")
    return create_app(crm).test_client()


def test_a_plugin_s_command_takes_json_before_and_behind(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    @click.group(cls=JsonGroup)
    def repairs() -> None:
        """Repairs."""

    @repairs.command()
    @click.pass_obj
    def count(console: CommandLine) -> None:
        """How many there are."""
        console.answer({"count": 2}, "2 repairs")

    monkeypatch.setattr(sys, "argv", ["regulars"])
    said = []
    for words in (["count"], ["count", "--json"], ["--json", "count"]):
        repairs.main(words, standalone_mode=False, obj=Console())
        said.append(capsys.readouterr().out)
    assert (said[0], json.loads(said[1]), json.loads(said[2])) == ("2 repairs\n", {"count": 2}, {"count": 2})
