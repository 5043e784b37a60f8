"""regulars tokens create | list | revoke"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, Console, JsonGroup

COLUMNS = ("uid", "user", "name", "scopes", "expires_at", "last_used_at", "revoked_at")


@click.group(cls=JsonGroup)
def tokens() -> None:
    """Keys that let programs use the API for a user."""


@tokens.command()
@click.argument("email")
@click.option("--name", default="API", show_default=True, help="What the token is for.")
@click.option("--scope", "scopes", multiple=True, help="A permission the token carries, such as customers.view; none: all of the user's.")
@click.option("--days", type=click.IntRange(1, 3660), help="For how long it counts; left out, until it is revoked.")
@click.pass_obj
def create(console: Console, email: str, name: str, scopes: Sequence[str], days: int | None) -> int:
    """Make a token for a user. It is shown this once."""
    from regulars_core.users import tokens as service

    crm = console.crm()
    with crm.transaction(cause="cli") as session:
        made, secret = service.create(
            session,
            email,
            name=name,
            scopes=scopes or (service.EVERYTHING,),
            known=service.known_scopes(crm),
            at=crm.clock.now(),
            lasts=dt.timedelta(days=days) if days else None,
        )
    console.answer({**_row(made), "token": secret}, secret)
    console.say(_("Keep it safe: it can't be shown again."))
    return DONE


@tokens.command("list")
@click.option("--user", "email", help="Only those of this user.")
@click.pass_obj
def list_(console: Console, email: str | None) -> int:
    """Every token, newest first."""
    from regulars_core.users import tokens as service

    with console.crm().read() as session:
        rows = [_row(one) for one in service.listed(session, email)]
    console.answer(rows, lambda: console.table(rows, COLUMNS))
    return DONE


@tokens.command()
@click.argument("uid")
@click.pass_obj
def revoke(console: Console, uid: str) -> int:
    """End a token at once."""
    from regulars_core.users import tokens as service

    crm = console.crm()
    with crm.transaction(cause="cli") as session:
        service.revoke(session, uid, crm.clock.now())
    console.answer({"uid": uid, "revoked": True}, _("The token is revoked."))
    return DONE


def _row(token: Any) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in asdict(token).items()}


COMMANDS = {"tokens": tokens}
