"""Questions about the health of the installation: for ``regulars doctor`` and ``/readyz``."""

from __future__ import annotations

from dataclasses import dataclass

from regulars_core.crm import Crm
from regulars_migrations import runner
from regulars_plugin_api.hookspecs import lifecycle
from regulars_plugin_api.i18n import Text, _


@dataclass(frozen=True)
class Finding:
    """One question and what is wrong; ``needed`` ones keep the system from being ready."""

    name: str
    problem: Text | None
    needed: bool = True


def examine(crm: Crm) -> list[Finding]:
    """Ask core's questions, then those of plugins."""
    findings = [_schema(crm), _private_home(crm), *_plugins(crm)]
    for plugin, checks in crm.bus.each(lifecycle.health_checks):
        for check in checks:
            with crm.read() as session:
                answer = crm.bus.guarded(plugin, f"health check {check.name}", lambda check=check, session=session: (check.check(session),))  # type: ignore[misc]
            problem = answer.failure if answer.value is None else answer.value[0]
            findings.append(Finding(check.name, problem, check.needed))
    return findings


def _schema(crm: Crm) -> Finding:
    behind = [one.owner for one in runner.status(crm.config.database_url, crm.plugins.owners()) if one.behind]
    problem = _("Behind: %(owners)s. Run: regulars db upgrade", owners=", ".join(behind)) if behind else None
    return Finding("schema", problem)


def _private_home(crm: Crm) -> Finding:
    is_open = crm.config.home.exists() and crm.config.home.stat().st_mode & 0o077
    problem = _("Others can read %(home)s. Run: chmod 700 %(home)s", home=crm.config.home) if is_open else None
    return Finding("home", problem, needed=False)


def _plugins(crm: Crm) -> list[Finding]:
    broken = [one for one in crm.plugins.listed() if one.reason is not None]
    return [Finding(f"plugin {one.name}", one.reason, needed=False) for one in broken]
