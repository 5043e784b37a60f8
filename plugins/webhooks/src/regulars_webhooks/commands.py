"""regulars webhooks list | test | replay"""

from __future__ import annotations

import datetime as dt

import click

from regulars_plugin_api import values
from regulars_plugin_api.cli import CommandLine, JsonGroup
from regulars_plugin_api.forms import Reader
from regulars_plugin_api.services import Crm
from regulars_webhooks import deliveries, endpoints, words
from regulars_webhooks.deliveries import Which
from regulars_webhooks.i18n import _, _n
from regulars_webhooks.models import State
from regulars_webhooks.rest_shapes import plain_outcome
from regulars_webhooks.sending.call import ping

DONE, FAILED = 0, 1
COLUMNS = ("id", "state", "parked", "title", "url")


@click.group(cls=JsonGroup)
def webhooks() -> None:
    """Other systems that are told what happens."""


@webhooks.command("list")
@click.pass_obj
def list_(console: CommandLine) -> int:
    """Endpoints, how they are, and how many deliveries are parked."""
    with console.crm().read() as session:
        found = endpoints.listed(session)
        parked = endpoints.parked_of(session, [one.id for one in found])
    rows = [
        {
            "id": one.id,
            "state": words.standing(one),
            "parked": parked.get(one.id, 0),
            "title": one.title,
            "url": one.url,
            "types": one.types,
        }
        for one in found
    ]
    console.answer(rows, lambda: console.table(rows, COLUMNS))
    return DONE


@webhooks.command()
@click.argument("endpoint", type=int)
@click.pass_obj
def test(console: CommandLine, endpoint: int) -> int:
    """Send a ping at once and print what was answered."""
    crm = console.crm()
    with crm.read() as session:
        found = endpoints.get(session, endpoint)
    outcome = ping(crm, found)
    text = _("Answered %(status)s", status=outcome.status) if outcome.status is not None else _("No answer: %(why)s", why=outcome.problem)
    console.answer(plain_outcome(outcome), str(text))
    return DONE if outcome.is_taken else FAILED


@webhooks.command()
@click.argument("endpoint", type=int)
@click.option("--delivery", type=int, help="One delivery.")
@click.option("--since", help="What happened since then, such as 2026-11-22T14:30; without an offset as the chain's clocks show it.")
@click.option("--until", help="With --since: and before then.")
@click.pass_obj
def replay(console: CommandLine, endpoint: int, delivery: int | None, since: str | None, until: str | None) -> int:
    """Send again, with the ids it had: what is parked, unless an option says otherwise."""
    crm = console.crm()
    which = _span(crm, since, until) if since or until else Which(state=State.PARKED)
    with crm.transaction(cause="cli") as session:
        if delivery is None:
            count = deliveries.replay(session, endpoint, which)
        else:
            deliveries.replay_one(session, endpoint, delivery)
            count = 1
    console.answer({"replayed": count}, str(_n("%(num)s delivery is sent again.", "%(num)s deliveries are sent again.", count)))
    return DONE


def _span(crm: Crm, since: str | None, until: str | None) -> Which:
    def instant(raw: str) -> dt.datetime:
        return values.instant(raw, None, crm.timezone).at

    form = Reader({"since": since or "", "until": until or ""})
    which = Which(since=form.needed("since", instant, _("Say since when.")), until=form.read("until", instant))
    form.done()
    return which
