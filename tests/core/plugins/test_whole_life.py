"""A plugin comes, goes, is missed and comes back, on both databases: no row of anybody's is lost, and a purge leaves nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins import open_with, toy
from sample_plugins.keeping import plugin as keeping
from sqlalchemy.orm import Session

from regulars_core.bus.models import Delivery, Event, Subscription
from regulars_core.crm import Crm
from regulars_core.customers.merges import CustomerMerge
from regulars_core.dump import dump
from regulars_core.jobs.models import JobSlot
from regulars_core.plugins import switching
from regulars_core.plugins.models import PluginRow, PluginTrouble
from regulars_core.plugins.registry import State
from regulars_core.settings.models import Setting
from regulars_core.users import service, tokens
from regulars_core.users.models import Notice, Role, RolePermission, SavedView, User
from regulars_core.users.roles import TITLES, listed, set_permissions
from regulars_migrations import runner
from regulars_migrations.owners import CORE
from regulars_plugin_api.contributions import Permission
from regulars_plugin_api.contributions import Role as PluginRole
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.views import SYSTEM
from regulars_web import removing, saved_views

REBUILDS_CUSTOMER = """
    '''A later release rebuilds the table everybody points at.'''
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "core_9999", "{head}"

    def upgrade():
        with op.batch_alter_table("customer", recreate="{recreate}") as table:
            table.add_column(sa.Column("motto", sa.Text))

    def downgrade():
        with op.batch_alter_table("customer") as table:
            table.drop_column("motto")
"""


@pytest.fixture
def newer_core(tmp_path: Path, database_url: str) -> Iterator[None]:
    """A release of core with one more migration, to which ``runner.upgrade`` leads as soon as this is asked for."""
    folder, here = tmp_path / "core", CORE.versions
    folder.mkdir()
    for file in here.glob("*.py"):
        (folder / file.name).write_text(file.read_text())
    head = max(file.stem[:9] for file in here.glob("core_*.py"))
    recreate = "always" if database_url.startswith("sqlite") else "never"
    (folder / "core_9999_more.py").write_text(dedent(REBUILDS_CUSTOMER.format(head=head, recreate=recreate)))
    yield
    object.__setattr__(CORE, "versions", here)


def release(folder: Path) -> None:
    """From now on the code is that of the newer release."""
    object.__setattr__(CORE, "versions", folder)


def contents(crm: Crm) -> list[dict[str, Any]]:
    with crm.read() as session:
        return [json.loads(line) for line in dump(session)]


def rows_of(crm: Crm) -> dict[str, list[tuple[int | None, str | None]]]:
    """The plugin's own rows: (customer, what)."""
    with crm.read() as session:
        return {
            table.name: [(row.customer_id, row.what) for row in session.execute(sa.select(table).order_by(table.c.id))]
            for table in (keeping.things, keeping.books)
        }


def tables(crm: Crm) -> set[str]:
    with crm.read() as session:
        return set(sa.inspect(session.connection()).get_table_names())


def test_gone_for_a_release_and_back(database_url: str, tmp_path: Path, newer_core: None) -> None:
    crm = open_with(database_url, tmp_path, keeping)
    switching.enable(crm, "keeping")
    asa, bo, bob, cy = (crm.customers.create({"display_name": name}) for name in ("Åsa Holm", "Bo Ek", "Bob Ek", "Cy Lund"))
    with crm.transaction() as session:
        for table in (keeping.things, keeping.books):
            session.execute(sa.insert(table), [{"customer_id": one, "what": f"of {one}"} for one in (asa, bo, bob, cy)])
        crm.settings.save(session, "keeping", {"colour": "blue"})
    switching.disable(crm, "keeping")
    crm.close()

    without = open_with(database_url, tmp_path)
    assert [(one.name, one.state) for one in without.plugins.listed()] == [("keeping", State.KEPT)]
    without.customers.merge(bo, bob)
    without.privacy.erase(asa)
    before = contents(without)
    release(tmp_path / "core")
    runner.upgrade(database_url, without.plugins.owners())
    assert contents(without) == before, "core went on past it"
    without.close()

    back = open_with(database_url, tmp_path, keeping)
    keeping.seeded.clear()
    switching.enable(back, "keeping")
    assert keeping.seeded == [False]
    assert contents(back) == before
    assert rows_of(back) == {
        "keeping_thing": [(bo, f"of {bo}"), (bo, f"of {bob}"), (cy, f"of {cy}")],
        "keeping_book": [(asa, None), (bo, f"of {bo}"), (bo, f"of {bob}"), (cy, f"of {cy}")],
    }
    assert back.settings.of("keeping") == {"colour": "blue"}
    with back.read() as session:
        waiting = session.scalars(sa.select(Delivery.handler).where(Delivery.state == "ready")).all()
    assert waiting == ["keeping.greet"] * 4, "what happened meanwhile waits for it"
    back.close()


@pytest.mark.parametrize("with_package", [True, False])
def test_a_purge_leaves_nothing(database_url: str, tmp_path: Path, with_package: bool) -> None:
    crm = open_with(database_url, tmp_path, keeping)
    customer = crm.customers.create({"display_name": "Åsa Holm"})
    keep, drop = crm.customers.create({"display_name": "Bo Ek"}), crm.customers.create({"display_name": "B. Ek"})
    before, tables_before = contents(crm), tables(crm)
    switching.enable(crm, "keeping")
    with crm.transaction() as session:
        user = service.create(
            session, email="a@example.com", name="A", password="korrekt häst batteri", roles=["clerk", "keeper"], at=session.info["at"]
        )
        known = {"customers.view", "keeping.see"}
        tokens.create(session, "a@example.com", name="till", scopes=known, known=known, at=session.info["at"])
        for key, url in (("keeping:1", "/keeping/1"), ("keeping_room:1", "/keeping_room/1"), ("import:7", "/imports/7")):
            crm.notices.tell(session, [user.id], key, "Look", url)
        # As a release left it whose handler has gone since.
        event_id = session.scalars(sa.select(Event.id)).first()
        session.add(Delivery(event_id=event_id, handler="keeping.former", state="done", due_at=session.info["at"]))
        session.execute(sa.insert(keeping.things).values(customer_id=drop, what="a hat"))
        saved_views.save(session, user.id, "mine", {"columns": "status,keeping.count,city", "q": "x"}, shared=False)
        service.prefer(session, user.id, home={"order": ["keeping/tile", "other/tile"], "hidden": ["keeping/tile"]}, density="compact")
        session.execute(sa.insert(keeping.things).values(customer_id=customer, what="a shoe"))
        crm.settings.save(session, "keeping", {"colour": "blue"})
        crm.jobs.start(session, "keeping.sweep", "today")
        session.add(PluginTrouble(process="x", plugin="keeping", hook="jobs", reason="", count=1, noted_at=session.info["at"]))
        keeping_event = keeping.ThingKept(customer_id=customer)
        session.info["emit"](session, keeping_event)
    merge = crm.customers.merge(keep, drop)
    with crm.transaction() as session:
        session.get_one(CustomerMerge, merge).owed = ["keeping", "other"]
    switching.disable(crm, "keeping")
    crm = crm if with_package else open_with(database_url, tmp_path)
    with crm.read() as session:
        exported = [json.loads(line) for line in removing.rows(crm, session, "keeping")]
    assert exported == [
        {"record": "keeping_thing", "id": 1, "customer_id": keep, "what": "a hat"},
        {"record": "keeping_thing", "id": 2, "customer_id": customer, "what": "a shoe"},
    ]
    assert removing.remove(crm, "keeping") == ["keeper"], "somebody holds it"
    assert tables(crm) == tables_before, "no table, no version table"
    with crm.read() as session:
        for model, column in (
            (PluginRow, PluginRow.name),
            (PluginTrouble, PluginTrouble.plugin),
            (Setting, Setting.owner),
            (Subscription, Subscription.handler),
            (Delivery, Delivery.handler),
            (JobSlot, JobSlot.job),
            (RolePermission, RolePermission.permission),
        ):
            left = sa.select(sa.func.count()).select_from(model).where(column.startswith("keeping"))
            assert session.scalar(left) == 0, model.__tablename__
        assert session.scalars(sa.select(SavedView.query)).all() == [{"columns": "status,city", "q": "x"}]
        assert session.scalars(sa.select(User.preferences)).all() == [
            {"home": {"order": ["other/tile"], "hidden": []}, "density": "compact"}
        ]
        held = session.execute(sa.select(Role.name, Role.brought_by).where(Role.name.not_in(TITLES)).order_by(Role.name)).all()
        assert held == [("keeper", None)], "an ordinary role now; the one nobody holds is gone"
        assert session.scalars(sa.select(tokens.ApiToken.scopes)).all() == [["customers.view"]]
        assert session.scalars(sa.select(Notice.key).order_by(Notice.id)).all() == ["keeping_room:1", "import:7"]
        assert session.scalars(sa.select(User.unread)).all() == [2]
        image, owed = session.execute(sa.select(CustomerMerge.image, CustomerMerge.owed)).one()
        assert ("keeping_" in json.dumps(image), owed) == (False, ["other"])
        assert not [one for one in numbered(session) if one.startswith("keeping")], "nothing that counts its rows"
        assert session.scalar(sa.select(Event.payload).where(Event.type == "keeping.thing_kept")) == {"customer_id": customer}
    crm.customers.unmerge(merge)
    theirs = ("saved_view", "user_account", "user_role")
    same = [one for one in contents(crm) if one["record"] not in theirs and one.get("name") != "keeper"]
    assert without_versions(same) == without_versions(before)
    assert [one.state for one in crm.plugins.listed()] == ([State.INSTALLED] if with_package else [])


def test_a_role_that_two_plugins_bring_stays_for_the_other(database_url: str, tmp_path: Path) -> None:
    def permissions() -> Any:
        yield PluginRole("shared", "Shared")
        yield Permission("other.see", "See", roles={"clerk"})

    crm = open_with(database_url, tmp_path, keeping, toy("other", permissions))
    for name in ("keeping", "other"):
        switching.enable(crm, name)
    switching.disable(crm, "keeping")
    assert removing.remove(crm, "keeping") == []
    assert roles_brought(crm) == [("shared", "other")]
    switching.disable(crm, "other")
    assert removing.remove(crm, "other") == []
    assert roles_brought(crm) == []


def test_a_role_an_administrator_gave_something_else_to_stays(database_url: str, tmp_path: Path) -> None:
    crm = open_with(database_url, tmp_path, keeping)
    switching.enable(crm, "keeping")
    with crm.transaction() as session:
        set_permissions(session, "porter", ["customers.view", "keeping.see"])
    switching.disable(crm, "keeping")
    assert removing.remove(crm, "keeping") == ["porter"]
    with crm.read() as session:
        assert [(one.name, one.permissions) for one in listed(session) if one.name not in TITLES] == [
            ("porter", frozenset({"customers.view"}))
        ]


def roles_brought(crm: Crm) -> list[tuple[str, str | None]]:
    """The roles that a chain does not start with: (name, plugin)."""
    with crm.read() as session:
        return [(one.name, one.brought_by) for one in session.scalars(sa.select(Role).where(Role.name.not_in(TITLES)).order_by(Role.name))]


def numbered(session: Session) -> list[str]:
    """What hands out numbers, or tells types apart: sequences and types of PostgreSQL, counters of SQLite."""
    if session.get_bind().dialect.name == "sqlite":
        return list(session.scalars(sa.text("SELECT name FROM sqlite_sequence")))
    return list(session.scalars(sa.text("SELECT relname FROM pg_class UNION SELECT typname FROM pg_type")))


def without_versions(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merging and taking it back counts as a change of both."""
    return [{name: value for name, value in one.items() if name not in ("version", "updated_at")} for one in records]


def test_what_others_point_at_is_removed_after_them(database_url: str, tmp_path: Path) -> None:
    crm = open_with(database_url, tmp_path, keeping)
    switching.enable(crm, "keeping")
    switching.disable(crm, "keeping")
    with crm.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE other_part (id INTEGER PRIMARY KEY, thing_id BIGINT REFERENCES keeping_thing (id))")
    with pytest.raises(NotAllowedYet, match="Rows of other_part point at those of keeping: remove them first"):
        removing.remove(crm, "keeping")
    assert "keeping_thing" in tables(crm)


ENABLES = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from sample_plugins import open_with
from sample_plugins.keeping import plugin as keeping
from regulars_core.plugins import switching
crm = open_with({url!r}, Path({home!r}), keeping)
print("ready", flush=True)
sys.stdin.readline()
switching.enable(crm, "keeping")
print(keeping.seeded)
"""


def test_two_processes_switch_it_on_at_once(database_url: str, tmp_path: Path) -> None:
    program = ENABLES.format(path=sys.path, url=database_url, home=str(tmp_path))
    started = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _process in range(2)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    answers = sorted(one.communicate(timeout=60)[0].strip() for one in started)
    assert [one.returncode for one in started] == [0, 0]
    assert answers == ["[False]", "[True]"], "first for one of them only"
    crm = open_with(database_url, tmp_path, keeping)
    assert [(one.name, one.state) for one in crm.plugins.listed()] == [("keeping", State.ENABLED)]
    with crm.read(SYSTEM) as session:
        assert session.scalars(sa.select(Subscription.handler)).all() == ["keeping.greet"]
        granted = sa.select(sa.func.count()).select_from(RolePermission).where(RolePermission.permission == "keeping.see")
        assert session.scalar(granted) == 4
