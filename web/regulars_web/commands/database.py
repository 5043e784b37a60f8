"""regulars db upgrade | status | check | dump"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, FAILED, Console, JsonGroup


@click.group(cls=JsonGroup)
def db() -> None:
    """The database: schema and contents."""


@db.command()
@click.pass_obj
def upgrade(console: Console) -> int:
    """Bring the schema of core and plugins to where the code expects it."""
    from regulars_migrations import runner

    crm = console.crm(any_schema=True)
    runner.upgrade(crm.config.database_url, crm.plugins.owners())
    return _show_status(console)


@db.command()
@click.pass_obj
def status(console: Console) -> int:
    """How far the schema of core and of each plugin is."""
    return _show_status(console)


@db.command()
@click.pass_obj
def check(console: Console) -> int:
    """Compare the tables with the code; differences end with exit code 1."""
    from regulars_migrations import runner
    from regulars_migrations.owners import CORE

    crm = console.crm(any_schema=True)
    # Tables of a plugin that was never switched on are known to the code and rightly not there.
    known = [CORE, *(owner for plugin in crm.plugins.loaded.values() if (owner := plugin.owner))]
    checked = crm.plugins.owners()
    found = {owner.name: [str(step) for step in runner.differences(crm.config.database_url, owner, known)] for owner in checked}
    found = {owner: steps for owner, steps in found.items() if steps}
    lines = [f"{owner}: {step}" for owner, steps in found.items() for step in steps]
    console.answer({"differences": found}, "\n".join(lines) or str(_("Tables and code agree.")))
    return FAILED if found else DONE


@db.command()
@click.option("--journal", is_flag=True, help="Events, changes, import runs and other bookkeeping as well.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of standard output.")
@click.pass_obj
def dump(console: Console, journal: bool, out: Path | None) -> int:
    """All business data as sorted JSON lines, the same on both databases."""
    from regulars_core.dump import dump as lines

    count = 0
    with console.crm().read() as session:
        if out is None:
            for line in lines(session, journal=journal):
                sys.stdout.write(line + "\n")
            return DONE
        part = out.with_name(f".{out.name}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            for line in lines(session, journal=journal):
                file.write(line + "\n")
                count += 1
        part.replace(out)
    console.answer({"out": str(out), "records": count}, _("%(count)s records in %(out)s", count=count, out=out))
    return DONE


def _show_status(console: Console) -> int:
    from regulars_migrations import standing

    crm = console.crm(any_schema=True)
    rows = [asdict(one) | {"behind": one.behind} for one in standing.status(crm.config.database_url, crm.plugins.owners())]
    console.answer(rows, lambda: console.table(rows, ("owner", "current", "head", "behind")))
    return DONE


COMMANDS = {"db": db}
