"""Periodic work."""

from __future__ import annotations

import datetime as dt

from regulars_plugin_api.contributions import JobRun
from regulars_plugin_api.services import Crm
from regulars_webhooks import deliveries
from regulars_webhooks.sending import asking


def tidy(crm: Crm, job_run: JobRun) -> None:
    """Forget what is too old, and see to it that what is due is sent although the run that was asked for may be lost."""
    before = crm.clock.now() - dt.timedelta(days=crm.settings.of("webhooks")["kept_days"])
    while True:
        with crm.transaction() as session:
            if deliveries.forget(session, before) < deliveries.FORGOTTEN_AT_ONCE:
                break
    asking.ask_for_rest(crm)
