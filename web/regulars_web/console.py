"""What every command shares: where answers and messages go, exit codes, and the running system."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from regulars_plugin_api.cli import JsonCommand as JsonCommand
from regulars_plugin_api.cli import JsonGroup as JsonGroup
from regulars_plugin_api.errors import InvalidInput, RegularsError
from regulars_plugin_api.i18n import PLATFORM, _, add_catalogue
from regulars_web import TRANSLATIONS

if TYPE_CHECKING:
    from regulars_core.crm import Crm

DONE, FAILED, WRONG_USE, WITH_REJECTS, NEEDS_ANSWER, REFUSED = range(6)


class Failed(Exception):
    """End with an exit code; what there was to say has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def loading() -> Iterator[None]:
    """What is loaded inside the block stays for good: no garbage is looked for in it, now or later."""
    gc.disable()
    try:
        yield
    finally:
        # What loading itself left behind would stay as well.
        gc.collect()
        gc.freeze()
        gc.enable()


class Console:
    """One invocation. With ``as_json`` standard output gets exactly one JSON document; messages always go to standard error."""

    def __init__(self) -> None:
        self.as_json = "--json" in sys.argv
        self._crm: Crm | None = None
        self._is_checked = False

    def crm(self, *, any_schema: bool = False) -> Crm:
        """The running system of the home. Refuses a home without its database, and a schema that is not where the code expects it."""
        if self._crm is None:
            import sqlalchemy as sa

            from regulars_core.config import Config
            from regulars_core.crm import open_crm
            from regulars_core.home import NotInitialised, refuse_lost_database

            config = Config.from_environment()
            refuse_lost_database(config)
            add_catalogue(PLATFORM, TRANSLATIONS)
            try:
                with loading():
                    self._crm = open_crm(config)
            except sa.exc.DBAPIError as error:
                shown = sa.make_url(config.database_url).render_as_string()
                raise NotInitialised(_("The database %(url)s can't be opened: %(why)s", url=shown, why=error.orig)) from error
        if not (any_schema or self._is_checked):
            from regulars_web.starting import refuse_old_schema

            refuse_old_schema(self._crm)
            self._is_checked = True
        return self._crm

    def close(self) -> None:
        """Let go of the database."""
        if self._crm is not None:
            self._crm.close()
            self._crm = None

    def answer(self, document: Any, text: str | Callable[[], str]) -> None:
        """Print the answer: ``document`` as JSON, or ``text``."""
        click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str) if self.as_json else text() if callable(text) else text)

    def say(self, message: object) -> None:
        """Tell the person something that is not the answer."""
        click.echo(str(message), err=True)

    def table(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
        """Rows as aligned columns."""
        cells = [list(columns), *([_plain(row.get(column)) for column in columns] for row in rows)]
        widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)


def exit_code(console: Console, error: Exception) -> int:
    """Say what went wrong and return the exit code for it."""
    if isinstance(error, click.ClickException):
        error.show()
        if console.as_json:
            click.echo(json.dumps({"error": error.format_message(), "fields": {}}, ensure_ascii=False))
        return error.exit_code
    if not isinstance(error, RegularsError):
        import structlog

        structlog.get_logger(__name__).exception("command failed")
        _tell(console, _("Something went wrong: %(kind)s: %(what)s", kind=type(error).__name__, what=error), {})
        return FAILED
    fields = error.fields if isinstance(error, InvalidInput) else {}
    _tell(console, error.message, fields)
    return WRONG_USE if isinstance(error, InvalidInput) else FAILED


def _tell(console: Console, message: object, fields: Mapping[str, object]) -> None:
    console.say(message)
    for name, text in fields.items():
        console.say(f"  {name}: {text}")
    if console.as_json:
        click.echo(json.dumps({"error": str(message), "fields": {name: str(text) for name, text in fields.items()}}, ensure_ascii=False))


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)
