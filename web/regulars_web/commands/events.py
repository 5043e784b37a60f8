"""regulars events list | handlers | replay | dead | retry"""

from __future__ import annotations

import click

from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, Console, JsonGroup


@click.group(cls=JsonGroup)
def events() -> None:
    """What happened, and who was told."""


@events.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.pass_obj
def list_(console: Console, limit: int) -> int:
    """The latest events, newest first."""
    import sqlalchemy as sa

    from regulars_core.bus.models import Event

    with console.crm().read() as session:
        latest = session.scalars(sa.select(Event).order_by(Event.id.desc()).limit(limit))
        named = ("uid", "type", "subject", "actor", "payload", "cause", "depth")
        rows = [{"at": one.at.isoformat()} | {name: getattr(one, name) for name in named} for one in latest]
    console.answer(rows, lambda: console.table(rows, ("at", "type", "subject", "actor")))
    return DONE


@events.command()
@click.pass_obj
def handlers(console: Console) -> int:
    """Who is told of what, how far behind each is, and how much failed."""
    from dataclasses import asdict

    from regulars_web import event_desk as desk

    crm = console.crm()
    with crm.read() as session:
        found = desk.handlers(session, crm.clock.now())
    rows = [asdict(one) | {"lag": round(one.lag.total_seconds()), "enabled": crm.plugins.is_enabled(one.plugin)} for one in found]
    console.answer(rows, lambda: console.table(rows, ("handler", "enabled", "waiting", "retrying", "dead", "lag", "types")))
    return DONE


@events.command()
@click.argument("handler")
@click.pass_obj
def replay(console: Console, handler: str) -> int:
    """Give a handler the whole history again."""
    from regulars_core.bus.eventlog import replay as again

    with console.crm().transaction(cause="cli") as session:
        count = again(session, handler)
    console.answer({"handler": handler, "deliveries": count}, _("%(count)s events will be delivered again.", count=count))
    return DONE


@events.command()
@click.pass_obj
def dead(console: Console) -> int:
    """Deliveries that failed for good, with the reason."""
    from regulars_web import event_desk as desk

    with console.crm().read() as session:
        rows = [
            {"id": delivery.id, "handler": delivery.handler, "type": event.type, "attempts": delivery.attempts, "error": delivery.error}
            for delivery, event in desk.dead(session, limit=100)
        ]
    console.answer(rows, lambda: console.table(rows, ("id", "handler", "type", "attempts", "error")))
    return DONE


@events.command()
@click.argument("handler", required=False)
@click.pass_obj
def retry(console: Console, handler: str | None) -> int:
    """Try failed deliveries again, all or those of one handler."""
    from regulars_web.event_desk import retry as again

    with console.crm().transaction(cause="cli") as session:
        count = again(session, handler)
    console.answer({"retried": count}, _("%(count)s deliveries will be tried again.", count=count))
    return DONE


COMMANDS = {"events": events}
