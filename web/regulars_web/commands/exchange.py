"""regulars import, regulars imports list | show | undo, regulars export"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from regulars_core.exchange.files.write import FileFormat
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, NEEDS_ANSWER, REFUSED, WITH_REJECTS, Console, JsonCommand, JsonGroup

Progress = Callable[[int, int], None]
CODES = {"accept": DONE, "partial": WITH_REJECTS, "ask": NEEDS_ANSWER, "reject": REFUSED}
COLUMNS = ("run", "kind", "state", "file", "records", "created", "updated", "unchanged", "merged", "rejected")
file_in = click.Path(path_type=Path, exists=True, dir_okay=False)
file_out = click.Path(path_type=Path, dir_okay=False)


@click.command("import", cls=JsonCommand)
@click.argument("kind")
@click.argument("file", type=file_in)
@click.option("--mapping", type=file_in, help="JSON: heading of the file -> column, or null to leave it out.")
@click.option("--encoding")
@click.option("--delimiter")
@click.option("--sheet")
@click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]))
@click.option("--decimal", type=click.Choice([",", "."]))
@click.option("--country")
@click.option("--timezone")
@click.option("--source", default="import", show_default=True)
@click.option("--mode", type=click.Choice(["create", "update", "upsert"]), default="upsert", show_default=True)
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would happen.")
@click.option("--rejects", type=file_out, help="Write the rejected records here.")
@click.pass_obj
def import_(console: Console, /, kind: str, file: Path, mapping: Path | None, dry_run: bool, rejects: Path | None, **options: Any) -> int:
    """Import a file of KIND. Exit codes: 3 some records rejected, 4 an answer is needed, 5 refused whole."""
    from regulars_core.exchange import desk, runs
    from regulars_core.exchange.options import ImportOptions
    from regulars_core.exchange.report import report

    crm = console.crm()
    if options["delimiter"] in ("tab", "\\t"):
        options["delimiter"] = "\t"
    chosen = ImportOptions(mapping=_mapping(mapping), **options)
    _refuse_unwritable("rejects", rejects)
    run_id = runs.start(crm, kind, file, chosen, dry_run=dry_run)
    with shown_progress() as progress:
        runs.finish(crm, run_id, progress)
    with crm.read() as session:
        found = report(session, runs.get(session, run_id))
        if rejects is not None and found["verdict"] in ("accept", "partial"):
            desk.write_rejects(session, run_id, rejects)
    console.answer(found, lambda: in_words(found))
    return CODES[found["verdict"]]


@click.group(cls=JsonGroup)
def imports() -> None:
    """Imports that were made."""


@imports.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.pass_obj
def list_(console: Console, limit: int) -> int:
    """Imports, newest first."""
    from regulars_core.exchange import desk

    with console.crm().read() as session:
        rows = [
            {
                "run": run.id,
                "kind": run.kind,
                "state": run.state.value,
                "dry_run": run.dry_run,
                "file": run.file_name,
                "at": run.created_at.isoformat(),
                **{name: getattr(run, name) for name in COLUMNS[4:]},
            }
            for run in desk.listed(session, limit=limit)
        ]
    console.answer(rows, lambda: console.table(rows, COLUMNS))
    return DONE


@imports.command()
@click.argument("run", type=int)
@click.pass_obj
def show(console: Console, run: int) -> int:
    """The report of an import."""
    from regulars_core.exchange import runs
    from regulars_core.exchange.report import report

    with console.crm().read() as session:
        found = report(session, runs.get(session, run))
    console.answer(found, lambda: in_words(found))
    return DONE


@imports.command()
@click.argument("run", type=int)
@click.pass_obj
def undo(console: Console, run: int) -> int:
    """Take an import back. What somebody has changed since is kept and listed."""
    from regulars_core.exchange.undo import undo as take_back

    with shown_progress() as progress:
        found = take_back(console.crm(), run, progress=progress)
    words = _("%(restored)s values restored, %(deleted)s rows removed, %(kept)s kept.", **(found | {"kept": len(found["kept"])}))
    console.answer(found, words)
    return DONE


@click.command(cls=JsonCommand)
@click.argument("kind")
@click.option("--format", "file_format", type=click.Choice(["csv", "xlsx", "jsonl"]), default="csv", show_default=True)
@click.option("--filter", "filter_file", type=file_in, help="A filter of the filter language, as JSON.")
@click.option("--out", type=file_out, help="A file instead of standard output.")
@click.pass_obj
def export(console: Console, kind: str, file_format: FileFormat, filter_file: Path | None, out: Path | None) -> int:
    """Export records of KIND, in the columns they are imported by."""
    from regulars_core.customers.filter import fields_nobody_offers
    from regulars_core.exchange.exports import export as write

    where = _json_file(filter_file, "filter") if filter_file else None
    if where is not None and kind == "customer":
        for name in fields_nobody_offers(console.crm(), where):
            console.say(_("The field “%(name)s” belongs to a plugin that is off: it selects nobody.", name=name))
    if out is None:
        if file_format == "xlsx" and sys.stdout.isatty():
            raise InvalidInput(out=_("An Excel file can't be shown on a terminal: give --out."))
        write(console.crm(), kind, sys.stdout.buffer, file_format, where=where)
        return DONE
    _refuse_unwritable("out", out)
    count = write(console.crm(), kind, out, file_format, where=where)
    console.answer({"out": str(out), "records": count}, _("%(count)s records in %(out)s", count=count, out=out))
    return DONE


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, records: None
        return
    from rich.console import Console as Terminal
    from rich.progress import Progress as Bar

    with Bar(console=Terminal(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, records: bar.update(task, completed=done, total=records)


def in_words(found: dict[str, Any]) -> str:
    """A report for a person."""
    counted = _(
        "%(records)s records: %(created)s created, %(updated)s updated, %(unchanged)s unchanged, %(merged)s merged, %(refused)s rejected",
        **(found | {"refused": len(found["rejected"])}),
    )
    lines = [str(counted)]
    lines += [
        f"  ? --{question['option'].replace('_', '-')} {'|'.join(question['choices'])}: {question['why']}"
        for question in found["questions"]
    ]
    lines += [f"  - {note['message']}" for note in found["notes"]]
    lines += [f"  ! {one['record']} {one['field']}: {one['message']}" for one in found["rejected"][:20]]
    return "\n".join(lines)


def _refuse_unwritable(option: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InvalidInput(**{option: _("%(path)s can't be written: %(why)s", path=path, why=error.strerror)}) from error


def _mapping(path: Path | None) -> dict[str, str | None]:
    found = _json_file(path, "mapping") if path else {}
    if not isinstance(found, dict) or not all(isinstance(one, str | None) for one in found.values()):
        raise InvalidInput(mapping=_("The mapping is a JSON object: heading -> column, or null to leave it out."))
    return found


def _json_file(path: Path, name: str) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(**{name: _("%(path)s can't be read as JSON: %(why)s", path=path, why=error)}) from error


COMMANDS = {"import": import_, "imports": imports, "export": export}
