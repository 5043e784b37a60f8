"""regulars doctor"""

from __future__ import annotations

import click

from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, FAILED, Console, JsonCommand


@click.command(cls=JsonCommand)
@click.option("--security", is_flag=True, help="Ask about weak settings as well.")
@click.pass_obj
def doctor(console: Console, security: bool) -> int:
    """Ask everything that can be asked about the health of this installation."""
    from regulars_web.health import examine
    from regulars_web.health import security as weaknesses

    crm = console.crm(any_schema=True)
    findings = examine(crm)
    if security and not any(one.needed and one.problem for one in findings):
        findings += weaknesses.examine(crm)
    rows = [
        {"check": one.name, "well": one.problem is None, "needed": one.needed, "problem": None if one.problem is None else str(one.problem)}
        for one in findings
    ]
    lines = [f"{'ok ' if row['well'] else 'BAD'} {row['check']}" + (f": {row['problem']}" if row["problem"] else "") for row in rows]
    console.answer(rows, "\n".join(lines))
    if all(row["well"] for row in rows):
        return DONE
    console.say(_("Something needs attention."))
    return FAILED


COMMANDS = {"doctor": doctor}
