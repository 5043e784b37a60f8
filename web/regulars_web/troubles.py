"""What goes wrong with plugins is written down, so that the plugins page and the command line tell of every process."""

from __future__ import annotations

import datetime as dt
import os
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_core.plugins.models import PluginTrouble
from regulars_plugin_api.views import SYSTEM

KEPT = dt.timedelta(days=1)
LONGEST_NAME, LONGEST_REASON = 120, 1000
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Mishap:
    """Failed calls of a hook, over all processes of the last day. ``rests_until`` is None where every process asks it."""

    hook: str
    reason: str
    count: int
    rests_until: dt.datetime | None


class TroubleNotes:
    """Keeps the notes of one process in step with its bus; cheap while nothing changes."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._written: dict[tuple[str, str], tuple[int, float | None]] = {}

    def __call__(self, _crm: Crm) -> bool:
        """For the worker: a look now and then."""
        self.write()
        return False

    def write(self) -> None:
        """Write down what changed since the last time."""
        found = {(one.plugin, one.hook): (one.count, one.rests_until) for one in self._crm.bus.troubles()}
        if found == self._written:
            return
        try:
            with self._crm.transaction(SYSTEM, "notes") as session:
                gone = (PluginTrouble.process == _process()) | (PluginTrouble.noted_at < self._crm.clock.now() - KEPT)
                session.execute(sa.delete(PluginTrouble).where(gone))
                session.add_all(_rows(self._crm))
        except sa.exc.SQLAlchemyError:
            # A page was made in spite of the plugin; it must not fail for want of a note.
            log.exception("what went wrong with plugins could not be written down")
        self._written = found


def mishaps(crm: Crm, session: Session) -> dict[str, list[Mishap]]:
    """What went wrong lately, by plugin; of this process as it is now."""
    now = crm.clock.now()
    elsewhere = sa.select(PluginTrouble).where(PluginTrouble.process != _process(), PluginTrouble.noted_at >= now - KEPT)
    by_hook: dict[tuple[str, str], list[PluginTrouble]] = {}
    for row in [*session.scalars(elsewhere.order_by(PluginTrouble.noted_at)), *_rows(crm)]:
        by_hook.setdefault((row.plugin, row.hook), []).append(row)
    found: dict[str, list[Mishap]] = {}
    for (plugin, hook), rows in sorted(by_hook.items()):
        found.setdefault(plugin, []).append(Mishap(hook, rows[-1].reason, sum(row.count for row in rows), _latest(rows, now)))
    return found


def _latest(rows: Iterable[PluginTrouble], now: dt.datetime) -> dt.datetime | None:
    return max((row.rests_until for row in rows if row.rests_until is not None and row.rests_until > now), default=None)


def _rows(crm: Crm) -> Sequence[PluginTrouble]:
    now, seconds = crm.clock.now(), time.monotonic()
    return [
        PluginTrouble(
            process=_process(),
            plugin=one.plugin,
            hook=one.hook[:LONGEST_NAME],
            reason=one.reason[:LONGEST_REASON],
            count=one.count,
            rests_until=None if one.rests_until is None else now + dt.timedelta(seconds=one.rests_until - seconds),
            noted_at=now,
        )
        for one in crm.bus.troubles()
    ]


def _process() -> str:
    return f"{socket.gethostname()[:60]}:{os.getpid()}"
