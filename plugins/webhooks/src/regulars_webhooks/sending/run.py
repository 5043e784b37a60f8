"""The run of ``webhooks.send``: sends what is due, many at once, outside of any transaction."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from regulars_plugin_api.contributions import JobRun
from regulars_plugin_api.services import Crm
from regulars_webhooks.models import Delivery
from regulars_webhooks.sending import asking, queue
from regulars_webhooks.sending.call import Outcome, call
from regulars_webhooks.sending.result import settle

THREADS = 32
LOOK = 0.25
"""Seconds after which a run looks for new work while calls are under way."""
LONGEST = 20.0
"""Seconds after which a run makes way for the next one, so that a worker that is to stop need not wait for long."""

Calls = dict[Future[Outcome], Delivery]


def run(crm: Crm, job_run: JobRun) -> None:
    """Send until nothing is due or it has lasted long enough, and ask for the next run; then wait for the calls still under way.

    That those may hang for a while holds up nobody: the next run does not wait for them.
    """
    settings, ends = crm.settings.of("webhooks"), time.monotonic() + LONGEST
    calls: Calls = {}
    with ThreadPoolExecutor(THREADS) as threads:
        while time.monotonic() < ends:
            if len(calls) < THREADS:
                for delivery, endpoint in queue.claim(crm):
                    calls[threads.submit(call, crm, endpoint, delivery, settings["seconds"])] = delivery
            if not calls:
                break
            _write_down(crm, calls, settings["tries"])
        with crm.transaction() as session:
            # Locked before it is looked, so that what comes in now either is seen or asks for a run of its own.
            asking.lock(session)
            asking.end_run(session, job_run.slot, queue.next_at(session))
        while calls:
            if _write_down(crm, calls, settings["tries"]):
                asking.ask_for_rest(crm)


def _write_down(crm: Crm, calls: Calls, tries: int) -> int:
    """Wait for calls for a moment and write down those that are over; how many."""
    done, _open = wait(calls, LOOK, FIRST_COMPLETED)
    if done:
        settle(crm, [(calls.pop(one), one.result()) for one in done], tries)
    return len(done)
