"""regulars doctor"""

from __future__ import annotations

import click

from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, FAILED, Console, JsonCommand


@click.command(cls=JsonCommand)
@click.pass_obj
def doctor(console: Console) -> int:
    """Ask everything that can be asked about the health of this installation."""
    from regulars_web.health import examine

    findings = examine(console.crm(any_schema=True))
    rows = [
        {"check": one.name, "well": one.problem is None, "problem": None if one.problem is None else str(one.problem)} for one in findings
    ]
    lines = [f"{'ok ' if row['well'] else 'BAD'} {row['check']}" + (f": {row['problem']}" if row["problem"] else "") for row in rows]
    console.answer(rows, "\n".join(lines))
    if all(row["well"] for row in rows):
        return DONE
    console.say(_("Something needs attention."))
    return FAILED


COMMANDS = {"doctor": doctor}
