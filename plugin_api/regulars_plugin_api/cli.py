"""Commands below ``regulars``: what a plugin's command gets, and ``--json`` on each of them.

::

    @click.group(cls=JsonGroup)
    def repairs() -> None: ...

    @repairs.command()
    @click.pass_obj
    def count(console: CommandLine) -> None:
        with console.crm().read() as session:
            number = service.count(session)
        console.answer({"count": number}, str(number))

A command speaks by ``console`` and refuses by raising an error of ``regulars_plugin_api.errors``: words and exit code follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import click

from regulars_plugin_api.i18n import _
from regulars_plugin_api.services import Crm


class CommandLine(Protocol):
    """One call of ``regulars``: what ``@click.pass_obj`` gives a command."""

    as_json: bool

    def crm(self) -> Crm:
        """The running system of this home. Raises where there is none, or its schema is not where the code expects it."""

    def answer(self, document: Any, text: str | Callable[[], str]) -> None:
        """Print the answer on standard output: ``document`` as JSON with ``--json``, else ``text``."""

    def say(self, message: object) -> None:
        """Tell the person something that is not the answer, on standard error."""

    def table(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
        """Rows as aligned columns."""


class JsonCommand(click.Command):
    """A command with ``--json``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params.append(_json_option())


class JsonGroup(click.Group):
    """A group whose commands all have ``--json``; it may also stand before them."""

    command_class = JsonCommand
    group_class = type

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params.append(_json_option())


def _json_option() -> click.Option:
    return click.Option(
        ["--json", "as_json"], is_flag=True, expose_value=False, callback=_note_json, help=str(_("Print one JSON document."))
    )


def _note_json(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        context.obj.as_json = True
