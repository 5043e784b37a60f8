"""Writes all records of a kind that a viewer may see into a file, with flat memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from regulars_core.customers.filter import blaming
from regulars_core.exchange import kinds
from regulars_core.exchange.files.problems import FileRefused
from regulars_core.exchange.files.write import FileFormat, open_writer
from regulars_plugin_api.errors import Forbidden, InvalidInput
from regulars_plugin_api.views import SYSTEM, Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm


TOLD_EVERY = 2000


def export(
    crm: Crm,
    kind: str,
    target: Path | BinaryIO,
    format_: FileFormat = "csv",
    *,
    viewer: Viewer = SYSTEM,
    where: Any | None = None,
    progress: Callable[[int], None] = lambda written: None,
) -> int:
    """Write the records and return how many there were. ``where`` is a filter. Raises ``Forbidden``, ``InvalidInput``.

    ``progress(written)`` is called now and then; what it raises ends the export.
    """
    exporter = kinds.exporter_of(crm, kind)
    if not viewer.may(exporter.permission):
        raise Forbidden
    written = 0
    try:
        with blaming(crm, where), crm.read(viewer) as session:
            rows = iter(exporter.rows(session, viewer, where))
            # A filter that is refused, is refused before the file is begun.
            first = list(islice(rows, 1))
            with open_writer(format_, target, exporter.columns(session)) as writer:
                for row in chain(first, rows):
                    writer.write(row)
                    written += 1
                    if written % TOLD_EVERY == 0:
                        progress(written)
    except FileRefused as refusal:
        raise InvalidInput(format=refusal.message) from refusal
    return written
