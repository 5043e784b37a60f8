"""regulars customers show"""

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
    """One customer."""
    customer = console.crm().customers.get(customer_id)
    if customer is None:
        raise NotFound(_("There is no such customer."))
    found = asdict(customer)
    console.answer(found, lambda: "\n".join(f"{name}: {value}" for name, value in found.items() if value))
    return DONE


COMMANDS = {"customers": customers}
