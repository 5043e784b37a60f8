"""Work in the background: whether somebody does it, how long it waits, what was given up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from regulars_core.crm import Crm
from regulars_core.plugins.models import PluginTrouble
from regulars_plugin_api.i18n import Text, _
from regulars_web import figures
from regulars_web.event_desk import HandlerFigures
from regulars_web.health.finding import Finding
from regulars_web.heartbeat import ALIVE, CLOCKS_AGREE, beats

LONG = dt.timedelta(minutes=15)


def examine(crm: Crm) -> Iterator[Finding]:
    """Ask about it."""
    with crm.read() as session:
        now = crm.clock.now()
        lags, heard = figures.lags(crm, session), beats(session)
        there = [one for one in heard if one.seen_at > now - ALIVE]
        yield Finding("worker", _worker(lags, silent=[one.worker for one in heard if one not in there], is_there=bool(there)))
        off = [one.worker for one in there if abs(one.clock_ahead_ms) > CLOCKS_AGREE * 1000]
        told = _("The clocks of these workers are off the database's: %(workers)s. Keep them right by NTP.", workers=", ".join(off))
        yield Finding("clocks of workers", told if off else None)
        late = [one for one in lags if one.lag > LONG]
        yield Finding("deliveries waiting", _late(late) if late else None)
        dead = {one.handler: one.dead for one in lags if one.dead}
        given_up = ", ".join(f"{handler} ({count})" for handler, count in dead.items())
        yield Finding("deliveries given up", _("Given up: %(what)s. See: regulars events dead", what=given_up) if dead else None)
        resting = sa.select(PluginTrouble.plugin, PluginTrouble.hook).where(PluginTrouble.rests_until > now).distinct()
        hooks = [f"{plugin}.{hook}" for plugin, hook in session.execute(resting.order_by(PluginTrouble.plugin, PluginTrouble.hook))]
        yield Finding("hooks", _("Left alone after failures: %(hooks)s", hooks=", ".join(hooks)) if hooks else None)


def _worker(lags: Sequence[HandlerFigures], *, silent: Sequence[str], is_there: bool) -> Text | None:
    if is_there:
        return None
    if silent:
        return _("Not heard of any more: %(workers)s. Start one: regulars worker", workers=", ".join(silent))
    waiting = any(one.lag > ALIVE for one in lags)
    return _("Events wait and no worker is running. Start one: regulars worker") if waiting else None


def _late(late: Sequence[HandlerFigures]) -> Text:
    waiting = ", ".join(f"{one.handler}: {one.waiting}, {round(one.lag.total_seconds() / 60)} min" for one in late)
    return _("Waiting for long: %(what)s", what=waiting)
