"""regulars stores add | list"""

from __future__ import annotations

from dataclasses import asdict

import click

from regulars_web.console import DONE, Console, JsonGroup

COLUMNS = ("code", "name", "city", "region", "country", "timezone", "currency", "opened_on")


@click.group(cls=JsonGroup)
def stores() -> None:
    """Shops and web shops of the chain."""


@stores.command()
@click.argument("code")
@click.option("--name")
@click.option("--city")
@click.option("--region")
@click.option("--country")
@click.option("--timezone")
@click.option("--currency")
@click.option("--opened-on")
@click.pass_obj
def add(console: Console, /, code: str, **given: str | None) -> int:
    """Add a store."""
    from regulars_core.stores import service

    crm = console.crm()
    typed = {"code": code, **{name: value for name, value in given.items() if value}}
    with crm.transaction(cause="cli") as session:
        store_id = service.add(session, typed, timezone=crm.config.timezone.key, currency=crm.config.currency)
    console.answer({"id": store_id, "code": code}, code)
    return DONE


@stores.command("list")
@click.pass_obj
def list_(console: Console) -> int:
    """Every store."""
    from regulars_core.stores import service
    from regulars_plugin_api.views import SYSTEM

    rows = []
    with console.crm().read() as session:
        page = service.listed(session, SYSTEM)
        while page:
            rows += [{name: value for name, value in asdict(store).items() if name in COLUMNS} for store in page]
            page = service.listed(session, SYSTEM, after=page[-1].code)
    console.answer(rows, lambda: console.table(rows, COLUMNS))
    return DONE


COMMANDS = {"stores": stores}
