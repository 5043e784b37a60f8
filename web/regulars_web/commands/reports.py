"""regulars reports list | run"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, Console, JsonGroup

FORMATS = ("json", "csv", "xlsx", "html")
PATIENCE = 3600.0
"""Seconds: nobody waits at a page."""


@click.group(cls=JsonGroup)
def reports() -> None:
    """Named questions with a table for an answer."""


@reports.command("list")
@click.pass_obj
def list_(console: Console) -> int:
    """Every report of the plugins that are on, with its parameters."""
    from regulars_plugin_api.views import SYSTEM
    from regulars_web.reports import offered

    rows = [
        {
            "name": one.report.name,
            "title": str(one.report.title),
            "definition": str(one.report.definition),
            "parameters": list(one.schema.fields),
        }
        for one in offered(console.crm(), SYSTEM)
    ]
    console.answer(rows, lambda: console.table(rows, ("name", "title", "parameters")))
    return DONE


@reports.command()
@click.argument("name")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="KEY=VALUE", help="A parameter of the report; repeat for more.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="By default the ending of --out, else a table for people.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of standard output.")
@click.pass_obj
def run(console: Console, name: str, parameters: tuple[str, ...], form: str | None, out: Path | None) -> int:
    """Run a report."""
    from regulars_plugin_api.views import SYSTEM
    from regulars_web import reports as running

    crm, given = console.crm(), dict(_pair(one) for one in parameters)
    chosen = running.find(crm, SYSTEM, name)
    table = running.run(crm, SYSTEM, chosen, given, patience=PATIENCE)
    ending = out.suffix[1:] if out is not None and out.suffix[1:] in FORMATS else "csv"
    if out is not None:
        out.write_bytes(running.written(chosen.report, table, form or ending))
        console.answer({"out": str(out), "rows": len(table.rows)}, _("%(count)s rows in %(out)s", count=len(table.rows), out=out))
    elif form is None or console.as_json:
        document = running.document(chosen.report, table)
        titles = [str(column.title) for column in table.columns]
        lines = [dict(zip(titles, row, strict=True)) for row in document["rows"]]
        console.answer(document, lambda: "\n".join([console.table(lines, titles), *document["notes"]]))
    else:
        sys.stdout.buffer.write(running.written(chosen.report, table, form))
        sys.stdout.buffer.flush()
    return DONE


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(parameter=_("Write it as KEY=VALUE: %(text)s", text=text))
    return key, value


COMMANDS = {"reports": reports}
