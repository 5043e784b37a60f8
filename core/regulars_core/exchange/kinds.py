"""The kinds of records that can be imported and exported: core's own, and those of enabled plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regulars_core.customers.exporting import CustomerExporter
from regulars_core.customers.importing import CustomerImporter
from regulars_core.stores.exporting import StoreExporter
from regulars_core.stores.importing import StoreImporter
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.exchange import Exporter, Importer
from regulars_plugin_api.hookspecs import data
from regulars_plugin_api.i18n import _

if TYPE_CHECKING:
    from regulars_core.crm import Crm


def importers(crm: Crm) -> dict[str, Importer]:
    """A fresh importer of each kind."""
    found: list[Importer] = [StoreImporter(), CustomerImporter(), *crm.bus.collect(data.importers)]
    return {importer.kind: importer for importer in found}


def exporters(crm: Crm) -> dict[str, Exporter]:
    """An exporter of each kind."""
    found: list[Exporter] = [StoreExporter(), CustomerExporter(), *crm.bus.collect(data.exporters)]
    return {exporter.kind: exporter for exporter in found}


def importer_of(crm: Crm, kind: str) -> Importer:
    """The importer of ``kind``. Raises ``InvalidInput``."""
    found = importers(crm)
    if kind not in found:
        raise InvalidInput(kind=_("“%(kind)s” can't be imported here. Known kinds: %(known)s.", kind=kind, known=", ".join(sorted(found))))
    return found[kind]


def exporter_of(crm: Crm, kind: str) -> Exporter:
    """The exporter of ``kind``. Raises ``InvalidInput``."""
    found = exporters(crm)
    if kind not in found:
        raise InvalidInput(kind=_("“%(kind)s” can't be exported here. Known kinds: %(known)s.", kind=kind, known=", ".join(sorted(found))))
    return found[kind]
