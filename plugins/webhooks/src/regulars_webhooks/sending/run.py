"""The run of ``webhooks.send``: sends what is due, many at once, outside of any transaction."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from regulars_plugin_api.contributions import JobRun
from regulars_plugin_api.services import Crm
from regulars_webhooks.models import Delivery, Endpoint
from regulars_webhooks.sending import asking, queue
from regulars_webhooks.sending.call import Outcome, call
from regulars_webhooks.sending.result import settle

THREADS = 32
LOOK = 0.25
"""Seconds after which a run looks for new work while calls are under way."""
LONGEST = 20.0
"""Seconds after which a run makes way for the next one, so that a worker that is to stop need not wait for long."""


def run(crm: Crm, job_run: JobRun) -> None:
    """Send until nothing is due; then ask for the run of what is due later."""
    _work_off(crm, time.monotonic() + LONGEST)
    with crm.transaction() as session:
        # Locked before it is looked, so that what comes in now either is seen or asks for a run of its own.
        asking.lock(session)
        asking.end_run(session, job_run.slot, queue.next_at(session))


def _work_off(crm: Crm, ends: float) -> None:
    settings = crm.settings.of("webhooks")
    calls: dict[Future[Outcome], tuple[Delivery, Endpoint]] = {}
    with ThreadPoolExecutor(THREADS) as threads:
        while True:
            if time.monotonic() < ends and len(calls) < THREADS:
                under_way = Counter(endpoint.id for _delivery, endpoint in calls.values())
                for delivery, endpoint in queue.claim(crm, under_way):
                    calls[threads.submit(call, crm, endpoint, delivery, settings["seconds"])] = (delivery, endpoint)
            if not calls:
                return
            done, _open = wait(calls, LOOK, FIRST_COMPLETED)
            if done:
                settle(crm, [(calls.pop(one)[0], one.result()) for one in done], settings["tries"])
