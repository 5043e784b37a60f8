"""Data as a whole: filters, reports, import and export."""

from __future__ import annotations

from collections.abc import Iterable

from regulars_plugin_api.contributions import FilterField, Report
from regulars_plugin_api.exchange import Exporter, Importer
from regulars_plugin_api.hookspecs import hookspec


@hookspec(page=True)
def filter_fields() -> Iterable[FilterField]:
    """Fields for list filters, saved views, segments and rules.

    Asked for each filter. A filter that names a field nobody offers selects nobody and says so. On failure its fields
    are missing. Since 1.0.
    """
    raise NotImplementedError


@hookspec(page=True)
def reports() -> Iterable[Report]:
    """Named questions with a definition, parameters and a table for an answer.

    Asked for the list of reports and for each run. On failure its reports are missing. Since 1.0.
    """
    raise NotImplementedError


@hookspec(declares=True)
def importers() -> Iterable[Importer]:
    """Kinds of records that can be imported, for web, REST and command line alike.

    Asked anew for each run: yield fresh instances. On failure its kinds are missing; a run under way waits. Since
    1.0.
    """
    raise NotImplementedError


@hookspec(declares=True)
def exporters() -> Iterable[Exporter]:
    """Kinds of records that can be exported, for web, REST and command line alike.

    Asked for each export. On failure its kinds are missing. Since 1.0.
    """
    raise NotImplementedError
