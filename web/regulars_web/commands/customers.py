"""regulars customers show | merge | unmerge"""

from __future__ import annotations

from dataclasses import asdict

import click

from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.i18n import _
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


COMMANDS = {"customers": customers}
