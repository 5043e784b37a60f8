"""Starting: init, run, web, worker, demo."""

from __future__ import annotations

import sys

import click

from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, Console, JsonCommand

host_option = click.option("--host", default="127.0.0.1", show_default=True)
port_option = click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))


@click.command(cls=JsonCommand)
@click.option("--admin-email", help="E-mail address of the first administrator.")
@click.option("--admin-password-stdin", is_flag=True, help="Read the first administrator's password from standard input.")
@click.pass_obj
def init(console: Console, admin_email: str | None, admin_password_stdin: bool) -> int:
    """Make the home, its secrets, the schema and the first administrator."""
    from regulars_web import starting

    password = sys.stdin.readline().rstrip("\n") if admin_password_stdin else None
    if admin_password_stdin and not admin_email:
        raise InvalidInput(admin_email=_("A password needs an e-mail address: give --admin-email as well."))
    config = starting.initialise(console)
    shown = starting.add_administrator(console, admin_email, password) if admin_email else None
    console.answer(
        {"home": str(config.home), "administrator": admin_email, "password": shown},
        _("Regulars is ready in %(home)s.", home=config.home) + (f"\n{admin_email}  {shown}" if shown else ""),
    )
    return DONE


@click.command(cls=JsonCommand)
@host_option
@port_option
@click.option("--bootstrap", is_flag=True, help="In an empty home: init, enable every plugin, and fill it with the sample chain.")
@click.pass_obj
def run(console: Console, host: str, port: int, bootstrap: bool) -> int:
    """Web and worker together."""
    from regulars_web import starting

    if bootstrap:
        starting.bootstrap(console, f"http://{host}:{port}")
    console.crm()
    starting.web_and_worker(console, host, port)
    return DONE


@click.command(cls=JsonCommand)
@host_option
@port_option
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
@click.pass_obj
def web(console: Console, host: str, port: int, workers: int) -> int:
    """Answer requests."""
    from regulars_web import starting

    console.crm()
    console.close()
    starting.serve_web(host, port, workers)
    return DONE


@click.command(cls=JsonCommand)
@click.option("--concurrency", default=4, show_default=True, type=click.IntRange(1, 64))
@click.option("--follow", type=int, hidden=True, help="The parent process to end with.")
@click.pass_obj
def worker(console: Console, concurrency: int, follow: int | None) -> int:
    """Deliver events, run jobs and imports."""
    from regulars_web import starting

    starting.work(console.crm(), concurrency, follow=follow)
    return DONE


@click.command(cls=JsonCommand)
@click.option("--size", type=click.Choice(["small", "medium", "large"]), default="small", show_default=True)
@click.pass_obj
def demo(console: Console, size: str) -> int:
    """Fill an empty system with the sample chain, always the same."""
    from regulars_web import demo as sample

    counts = sample.fill(console.crm(), size)
    console.answer(counts, _("The sample chain is in: %(stores)s stores, %(customers)s customers.", **counts))
    return DONE


COMMANDS = {"init": init, "run": run, "web": web, "worker": worker, "demo": demo}
