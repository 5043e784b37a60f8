"""Taking imports back: all that was theirs goes, all that is somebody else's stays and is listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from regulars_core.customers.importing import CustomerImporter
from regulars_core.exchange import undo as undoing
from regulars_core.exchange.leases import claim
from regulars_core.exchange.models import RunState
from regulars_core.exchange.runs import RESUMABLE
from regulars_core.exchange.undo import UNDOABLE, undo
from regulars_plugin_api.errors import NotAllowedYet
from regulars_testkit.crm import CrmHarness

Cli = Callable[..., Any]
HEADER = "external_id,first_name,last_name,email,city,tags,notes,birthday\n"
FIRST = HEADER + "1,Anna,Ek,anna@example.com,Lund,vip,first,1984-03-12\n2,Eva,Ek,,,,,\n"
SECOND = HEADER + "1,Anne,Ek,anne@work.se,Malmö,vip; new,second,1984-03-13\n3,Ulf,Ek,,,new,,\n"


def test_imports_are_taken_back_in_reverse_order_step_by_step(cli: Cli, crm: CrmHarness) -> None:
    dumps, runs = [crm.dump()], []
    for text in (FIRST, SECOND):
        runs.append(crm.import_text("customer", text)["run"])
        dumps.append(crm.dump())
    for run, before in zip(reversed(runs), reversed(dumps[:-1]), strict=True):
        reply = cli("imports", "undo", run)
        assert (reply.code, set(reply.document), reply.document["kept"]) == (0, {"run", "restored", "deleted", "kept"}, [])
        assert crm.dump() == before
    assert [one["state"] for one in cli("imports", "list").document] == ["undone", "undone"]
    assert cli("imports", "undo", runs[0]).code == 1
    assert crm.import_text("customer", FIRST)["created"] == 2
    assert crm.dump() == dumps[1]


def test_what_a_later_import_changed_or_uses_is_kept_and_listed(crm: CrmHarness) -> None:
    first, _second = (crm.import_text("customer", text)["run"] for text in (FIRST, SECOND))
    result = undo(crm, first)
    assert [(one["table"], one["id"]) for one in result["kept"]] == [("customer", 1), ("tag", 1)]
    assert all(one["why"] for one in result["kept"])
    kept = crm.customers.get(1)
    assert kept is not None
    assert (kept.first_name, kept.tags, [one.match for one in kept.emails]) == (
        "Anne",
        ("new", "vip"),
        ["anna@example.com", "anne@work.se"],
    )
    assert crm.customers.get(2) is None


def test_a_tag_somebody_else_has_taken_up_stays(crm: CrmHarness) -> None:
    run = crm.import_text("customer", SECOND)["run"]
    mine = crm.customers.create({"first_name": "Mine", "tags": ["new"]})
    assert [(one["table"], one["why"]) for one in undo(crm, run)["kept"]] == [("tag", "Somebody has made use of it since.")]
    customer = crm.customers.get(mine)
    assert customer is not None
    assert customer.tags == ("new",)


def test_an_undo_that_was_interrupted_is_started_again_and_takes_nothing_for_somebody_elses(
    crm: CrmHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.import_text("customer", FIRST)
    before = crm.dump()
    many = "".join(f"N{number},Åsa,Holm,,,,,\n" for number in range(105))
    run = crm.import_text("customer", HEADER + "1,One,,,,,,\n" + many + "1,Two,,,Ystad,,,\n2,Evy,,,,,x,\n")["run"]
    monkeypatch.setattr(undoing, "STEP", 7)
    monkeypatch.setattr(undoing, "STEP_ON_SQLITE", 2)

    def pull_the_plug(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    for _again in range(3):
        with pytest.raises(KeyboardInterrupt):
            undo(crm, run, progress=pull_the_plug)
    assert undo(crm, run)["kept"] == []
    assert crm.dump() == before


def test_nobody_undoes_what_another_process_works_on(crm: CrmHarness, tmp_path: Path) -> None:
    run = crm.import_text("customer", FIRST)["run"]
    whole = crm.dump()
    assert claim(crm, run, UNDOABLE, RunState.UNDOING) is not None
    with pytest.raises(NotAllowedYet):
        undo(crm, run)
    assert claim(crm, run, RESUMABLE, RunState.RUNNING) is None
    assert crm.dump() == whole


def test_a_run_that_an_error_stopped_can_be_gone_on_with_or_undone(
    cli: Cli, crm: CrmHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = tmp_path / "in.csv", crm.dump()
    path.write_text(HEADER + "".join(f"N{number},Åsa,Holm,,,,,\n" for number in range(12_000)))
    apply, calls = CustomerImporter.apply, iter(range(100))

    def stumble(self: CustomerImporter, session: Any, batch: Sequence[Any], context: Any) -> Any:
        if next(calls) in (1, 2):
            raise RuntimeError("card 4111 1111 1111 1111 does not fit")
        return apply(self, session, batch, context)

    monkeypatch.setattr(CustomerImporter, "apply", stumble)
    for _try in range(2):
        reply = cli("import", "customer", path)
        assert (reply.code, "Something went wrong" in reply.said) == (1, True)
        (row,) = cli("imports", "list").document
        assert (row["state"], 0 < row["created"] < 12_000) == ("stopped", True)
    whole = cli("import", "customer", path)
    assert (whole.code, whole.document["run"], whole.document["created"]) == (0, 1, 12_000)
    assert cli("imports", "undo", 1).document["kept"] == []
    assert crm.dump() == before
    assert not list((crm.config.home / "uploads").iterdir())
