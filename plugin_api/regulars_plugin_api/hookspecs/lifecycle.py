"""A plugin's life: start, switching on, settings, work in the background, health, sample data."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

import click
import marshmallow
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import EventHandler, Executor, HealthCheck, Job
from regulars_plugin_api.hookspecs import OnFailure, hookspec
from regulars_plugin_api.services import Crm


@hookspec(on_failure=OnFailure.PLUGIN_OFF, disabled_too=True, declares=True)
def plugin_hookspecs() -> Iterable[ModuleType]:
    """Modules of hook declarations that this plugin adds for others.

    Asked of every installed plugin, once, before any other hook. On failure the plugin is off, with the reason on the
    plugins page. Since 1.0.
    """
    raise NotImplementedError


@hookspec(declares=True)
def crm_started(crm: Crm) -> None:
    """The system is up in this process: connect signals here.

    Called once per process, of enabled plugins at start and of others when they are switched on. Nothing comes back.
    On failure the plugin goes on without what it had not yet connected. Since 1.0.
    """
    raise NotImplementedError


@hookspec(on_failure=OnFailure.ABORT)
def plugin_enabled(crm: Crm, session: Session, first_time: bool) -> None:
    """The plugin is being switched on: seed defaults.

    Called on this plugin only, after its tables are up to date, in the transaction that switches it on.
    ``first_time`` is false when it was on before. On failure the plugin stays off and everything done here is rolled
    back. Since 1.0.
    """
    raise NotImplementedError


@hookspec(on_failure=OnFailure.PLUGIN_OFF, disabled_too=True, declares=True)
def settings_schema() -> type[marshmallow.Schema] | None:
    """The marshmallow schema of the plugin's settings page.

    Asked of every installed plugin at start. Fields give title (``metadata["title"]``), help, default and check;
    ``Secret`` fields are stored encrypted and never shown again. On failure the plugin is off. Since 1.0.
    """
    raise NotImplementedError


@hookspec(disabled_too=True, declares=True)
def cli_commands() -> Iterable[click.Command]:
    """Commands below ``regulars``.

    Asked of every installed plugin when the command line starts; a command of a disabled plugin says so and does
    nothing. A name that is taken is refused. On failure the plugin has no commands. Since 1.0.
    """
    raise NotImplementedError


@hookspec(declares=True)
def event_handlers() -> Iterable[EventHandler]:
    """Durable consumers of events.

    Asked when the plugin is switched on and when a worker starts. Handlers run in the worker, at least once, see
    ``EventHandler``. On failure its events wait. Since 1.0.
    """
    raise NotImplementedError


@hookspec(declares=True)
def jobs() -> Iterable[Job]:
    """Work by name, periodic or started by ``crm.jobs.start``.

    Asked when a worker starts and every minute after. On failure its jobs wait. Since 1.0.
    """
    raise NotImplementedError


@hookspec(declares=True)
def executors() -> Iterable[Executor]:
    """Other places where leased deliveries can run.

    Asked when a worker starts; ``REGULARS_EXECUTOR`` names the one to use, the worker's own pool is the default. On
    failure the worker uses its own. Since 1.0.
    """
    raise NotImplementedError


@hookspec(declares=True)
def health_checks() -> Iterable[HealthCheck]:
    """Questions of ``regulars doctor`` and ``/readyz``.

    Asked each time one of them is called. On failure that is itself reported as unhealthy. Since 1.0.
    """
    raise NotImplementedError


@hookspec
def demo_data(crm: Crm, size: str) -> None:
    """Fill the plugin's tables with sample data, always the same.

    Called by ``regulars demo`` in plugin order, so that what the plugin requires is there. ``size`` is small, medium
    or large. Nothing comes back. On failure the demo goes on without it. Since 1.0.
    """
    raise NotImplementedError
