"""regulars users add | list | disable | set-password | grant"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, Console, JsonGroup

COLUMNS = ("email", "name", "active", "roles", "stores", "regions")
password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input; else one is made up and shown."
)
roles_option = click.option("--role", "roles", multiple=True, required=True, help="May be given more than once.")
stores_option = click.option("--store", "stores", multiple=True, help="Code of a store the user sees; none: the whole chain.")
regions_option = click.option("--region", "regions", multiple=True, help="A region whose stores the user sees.")


@click.group(cls=JsonGroup)
def users() -> None:
    """Staff who may sign in."""


@users.command()
@click.argument("email")
@click.option("--name", help="Left out, it is the part before the @.")
@roles_option
@stores_option
@regions_option
@password_option
@click.pass_obj
def add(
    console: Console,
    email: str,
    name: str | None,
    roles: Sequence[str],
    stores: Sequence[str],
    regions: Sequence[str],
    password_stdin: bool,
) -> int:
    """Add a user."""
    from regulars_core.users import service

    password, shown = _password(password_stdin)
    crm = console.crm()
    with crm.transaction(cause="cli") as session:
        user = service.create(
            session, email=email, name=name or email.partition("@")[0], password=password, roles=roles, at=crm.clock.now()
        )
        if stores or regions:
            service.grant(session, user.email, roles=roles, stores=stores, regions=regions)
    console.answer({"email": user.email, "uid": user.uid, "password": shown}, f"{user.email}  {shown}" if shown else user.email)
    return DONE


@users.command("list")
@click.pass_obj
def list_(console: Console) -> int:
    """Every user with roles and scope."""
    from regulars_core.users import service

    with console.crm().read() as session:
        rows = [asdict(user) for user in service.listed(session)]
    console.answer(rows, lambda: console.table(rows, COLUMNS))
    return DONE


@users.command()
@click.argument("email")
@click.pass_obj
def disable(console: Console, email: str) -> int:
    """Keep a user from signing in; every session ends at once."""
    from regulars_core.users import service

    with console.crm().transaction(cause="cli") as session:
        user = service.disable(session, email)
    console.answer({"email": user.email, "active": False}, _("%(email)s can no longer sign in.", email=user.email))
    return DONE


@users.command("set-password")
@click.argument("email")
@password_option
@click.pass_obj
def set_password(console: Console, email: str, password_stdin: bool) -> int:
    """Replace a user's password; every session ends at once."""
    from regulars_core.users import service

    password, shown = _password(password_stdin)
    with console.crm().transaction(cause="cli") as session:
        user = service.find(session, email)
        service.set_password(session, user, password)
    console.answer({"email": user.email, "password": shown}, f"{user.email}  {shown}" if shown else user.email)
    return DONE


@users.command()
@click.argument("email")
@roles_option
@stores_option
@regions_option
@click.pass_obj
def grant(console: Console, email: str, roles: Sequence[str], stores: Sequence[str], regions: Sequence[str]) -> int:
    """Give a user exactly these roles and this scope; every session ends at once."""
    from regulars_core.users import service

    with console.crm().transaction(cause="cli") as session:
        user = service.grant(session, email, roles=roles, stores=stores, regions=regions)
    console.answer({"email": user.email, "roles": [role.name for role in user.roles]}, ", ".join(role.name for role in user.roles))
    return DONE


def _password(from_stdin: bool) -> tuple[str, str | None]:
    """The password, and what is to be shown of it."""
    from regulars_core.users import passwords

    if from_stdin:
        return sys.stdin.readline().rstrip("\n"), None
    made_up = passwords.invented()
    return made_up, made_up


COMMANDS = {"users": users}
