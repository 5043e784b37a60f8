"""Questions about the health of the installation: for ``regulars doctor`` and ``/readyz``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import sqlalchemy as sa

from regulars_core.crm import Crm
from regulars_plugin_api.contributions import HealthCheck
from regulars_plugin_api.hookspecs import lifecycle
from regulars_plugin_api.i18n import Text, _
from regulars_web.health import database, home, work
from regulars_web.health.finding import Finding

SUSTAINED = 2.0
"""Seconds that an answer to ``/readyz`` is good for: strangers may ask as often as they like."""

__all__ = ["Finding", "Readiness", "examine"]


def examine(crm: Crm) -> list[Finding]:
    """Ask core's questions, then those of plugins. What needs the database is asked only while it answers."""
    findings = [database.reachable(crm), *home.examine(crm)]
    if findings[0].problem is None:
        findings += database.examine(crm)
        if not any(one.problem for one in findings if one.name == "schema"):
            findings += [*work.examine(crm), *_of_plugins(crm)]
    broken = [one for one in crm.plugins.listed() if one.reason is not None]
    return [*findings, *(Finding(f"plugin {one.name}", one.reason) for one in broken)]


def _of_plugins(crm: Crm, *, needed_only: bool = False) -> Iterator[Finding]:
    for plugin, checks in crm.bus.each(lifecycle.health_checks):
        for check in checks:
            if check.needed or not needed_only:
                answer = crm.bus.guarded(plugin, f"health check {check.name}", partial(_ask, crm, check))
                yield Finding(check.name, answer.failure if answer.value is None else answer.value[0], check.needed)


def _ask(crm: Crm, check: HealthCheck) -> tuple[Text | None]:
    with crm.read() as session:
        return (check.check(session),)


class Readiness:
    """What keeps a process from answering requests; asked again after two seconds."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._asked = float("-inf")
        self._missing: dict[str, str] = {}

    def missing(self) -> dict[str, str]:
        """Names of what is missing, with words that a stranger may read."""
        if time.monotonic() - self._asked > SUSTAINED:
            self._missing, self._asked = self._look(), time.monotonic()
        return self._missing

    def _look(self) -> dict[str, str]:
        try:
            if database.reachable(self._crm).problem is not None:
                return {"database": str(_("The database does not answer."))}
            if database.schema(self._crm).problem is not None:
                return {"schema": str(_("The database has to be upgraded first."))}
            found = [one.name for one in _of_plugins(self._crm, needed_only=True) if one.problem is not None]
        except sa.exc.SQLAlchemyError:
            return {"database": str(_("The database does not answer."))}
        return {name: str(_("Not ready.")) for name in found}
