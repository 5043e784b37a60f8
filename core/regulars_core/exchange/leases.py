"""Who holds an import run: one process at a time, for as long as it renews its lease, or lives where that can be seen."""

from __future__ import annotations

import datetime as dt
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from regulars_core.exchange.models import ImportRun, RunState
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.i18n import _

if TYPE_CHECKING:
    from regulars_core.crm import Crm

log = structlog.get_logger(__name__)
LEASE = dt.timedelta(seconds=30)
# A trial run can't renew its lease: what it writes is seen by nobody.
TRIAL_LEASE = dt.timedelta(hours=2)


class LostLease(NotAllowedYet):
    """Another process has taken this run over."""

    default = _("Another process has taken this import over.")


def claim(crm: Crm, run_id: int, states: Sequence[RunState], state: RunState) -> ImportRun | None:
    """Take a run in one of ``states`` in hand and into ``state``. None if it is in another one, or somebody living has it."""
    now = crm.clock.now()
    with crm.transaction(cause=f"import:{run_id}") as session:
        run = session.get(ImportRun, run_id, with_for_update=True)
        if run is None or run.state not in states:
            return None
        held = run.leased_until is not None and run.leased_until > now and not _is_dead(run.holder)
        if held:
            return None
        run.state, run.fence, run.holder, run.leased_until = (
            state,
            run.fence + 1,
            _me(),
            now + (TRIAL_LEASE if run.dry_run else LEASE),
        )
    return run


@contextmanager
def kept_alive(crm: Crm, run: ImportRun) -> Iterator[None]:
    """Renew the lease meanwhile: reading a large file up to where a run goes on takes longer than a lease."""
    ended = threading.Event()
    mine = sa.and_(ImportRun.id == run.id, ImportRun.fence == run.fence)

    def renew() -> None:
        while not ended.wait(LEASE.total_seconds() / 3):
            try:
                with crm.database.transaction() as session:
                    session.execute(sa.update(ImportRun).where(mine).values(leased_until=crm.clock.now() + LEASE))
            except sa.exc.OperationalError:
                log.warning("the lease of an import could not be renewed", run=run.id, exc_info=True)

    if run.dry_run:
        # On PostgreSQL a trial run holds its own row.
        yield
        return
    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def let_go(crm: Crm, run: ImportRun) -> None:
    """Somebody else may take the run in hand at once."""
    with crm.database.transaction() as session:
        mine = sa.and_(ImportRun.id == run.id, ImportRun.fence == run.fence)
        session.execute(sa.update(ImportRun).where(mine).values(leased_until=None, holder=None))


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_dead(holder: str | None) -> bool:
    """Whether the holder is a process of this host that is gone; of other hosts only the lease tells."""
    host, _colon, pid = (holder or "").rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
