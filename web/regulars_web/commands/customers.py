"""regulars customers show | merge | unmerge | duplicates | erase | personal-data"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from regulars_core.acting import acting_as
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import SYSTEM
from regulars_web.console import DONE, Console, JsonGroup


@click.group(cls=JsonGroup)
def customers() -> None:
    """People and companies who buy."""


@customers.command()
@click.argument("customer_id", type=int)
@click.pass_obj
def show(console: Console, customer_id: int) -> int:
    """One customer; of one that was merged, the one it is part of."""
    customer = console.crm().customers.get(customer_id)
    if customer is None:
        raise NotFound(_("There is no such customer."))
    found = asdict(customer)
    console.answer(found, lambda: "\n".join(f"{name}: {value}" for name, value in found.items() if value))
    return DONE


@customers.command()
@click.argument("keep", type=int)
@click.argument("drop", type=int)
@click.pass_obj
def merge(console: Console, keep: int, drop: int) -> int:
    """Make DROP part of KEEP. `unmerge` takes it back."""
    crm = console.crm()
    with crm.transaction(cause="cli") as session:
        number = crm.customers.merge(keep, drop, session=session)
    answer = {"merge": number, "customer": keep, "dropped": drop}
    console.answer(answer, _("Merged. To take it back: regulars customers unmerge %(number)s", number=number))
    return DONE


@customers.command()
@click.argument("number", metavar="MERGE", type=int)
@click.pass_obj
def unmerge(console: Console, number: int) -> int:
    """Take a merge back."""
    crm = console.crm()
    with crm.transaction(cause="cli") as session:
        crm.customers.unmerge(number, session=session)
    console.answer({"merge": number, "undone": True}, _("The merge is taken back."))
    return DONE


@customers.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Pairs at most.")
@click.option("--after", default="0:0", help="Where an earlier answer ended.")
@click.pass_obj
def duplicates(console: Console, limit: int, after: str) -> int:
    """Customers who may be one person, and why."""
    from regulars_core.customers.duplicates import REASONS, listed

    try:
        low, high = (int(part) for part in after.split(":"))
    except ValueError as error:
        raise InvalidInput(after=_("Give what the earlier answer said, such as 12:40.")) from error
    crm = console.crm()
    with crm.read() as session:
        found = listed(crm, session, SYSTEM, after=(low, high), limit=limit, seconds=60)
    pairs = [
        {"keep": pair.one.id, "drop": pair.other.id, "names": [pair.one.display_name, pair.other.display_name], "reasons": pair.reasons}
        for pair in found.pairs
    ]
    further = found.after and ":".join(map(str, found.after))

    def words() -> str:
        lines = []
        for pair in found.pairs:
            who = " · ".join(f"{one.id} {one.display_name}" for one in (pair.one, pair.other))
            lines.append(f"{who}: {', '.join(str(REASONS[one]) for one in pair.reasons)}")
        return "\n".join([*lines, str(_("There may be more: --after %(after)s", after=further))] if further else lines)

    console.answer({"pairs": pairs, "after": further}, words)
    return DONE


@customers.command()
@click.argument("customer_id", type=int)
@click.option("--yes", is_flag=True, help="Do not ask: there is no way back.")
@click.pass_obj
def erase(console: Console, customer_id: int, yes: bool) -> int:
    """Forget a customer. Books stay without the name; there is no way back."""
    from regulars_core.privacy import upkeep

    crm = console.crm()
    customer = crm.customers.get(customer_id)
    if not yes and sys.stdin.isatty():
        name = customer.display_name if customer else str(customer_id)
        click.confirm(str(_("Erase %(name)s for good?", name=name)), abort=True, err=True)
    with crm.transaction(cause="cli") as session:
        number = crm.privacy.erase(customer_id, session=session)
    upkeep.scrub(crm)
    found = dict(crm.privacy.receipt(number))
    console.answer(found, lambda: in_words(found))
    return DONE


@customers.command("personal-data")
@click.argument("customer_id", type=int)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The ZIP file to write.")
@click.pass_obj
def personal_data(console: Console, customer_id: int, out: Path) -> int:
    """Everything kept about a customer, as a ZIP that only you can read."""
    crm = console.crm()
    draft = out.with_name(f"{out.name}.new")
    draft.unlink(missing_ok=True)
    try:
        with acting_as(cause="cli"), os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            crm.privacy.personal_data(customer_id, file)
        draft.replace(out)
    except OSError as error:
        raise InvalidInput(out=_("%(path)s can't be written: %(why)s", path=out, why=error.strerror)) from error
    finally:
        draft.unlink(missing_ok=True)
    console.answer({"customer": customer_id, "out": str(out)}, str(out))
    return DONE


def in_words(found: Mapping[str, Any]) -> str:
    """The receipt of an erasure for a person."""
    lines = [_("Erased. Receipt %(number)s of %(at)s", number=found["erasure"], at=found["at"])]
    lines += [f"  {table}: {count}" for table, count in found["rows"].items()]
    lines += [f"  {'!' if note['kept'] else '-'} {note['text']}" for note in found["notes"]]
    at = found["scrubbed_at"]
    lines.append(_("The files were scrubbed at %(at)s.", at=at) if at else _("The files are scrubbed by the worker, soon."))
    return "\n".join(map(str, lines))


COMMANDS = {"customers": customers}
