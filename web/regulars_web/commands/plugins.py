"""regulars plugins list | plan | enable | disable | purge | check, and the commands plugins bring along."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regulars_plugin_api.errors import InvalidInput, NotAllowedYet, NotFound, RegularsError
from regulars_plugin_api.i18n import _
from regulars_web.commands.new_plugin import new
from regulars_web.console import DONE, FAILED, Console, JsonGroup

if TYPE_CHECKING:
    from regulars_web.troubles import Mishap

COLUMNS = ("name", "state", "version", "title", "reason", "failed calls")
TOOLS = "regulars.plugin_tools"
"""The entry point group of commands that stand on the platform, such as ``check`` of the testkit."""


class WithTools(JsonGroup):
    """The commands below and those of the tools, each imported when it is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Every name, those of tools last."""
        return [*super().list_commands(context), *sorted(entry_points(group=TOOLS).names)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of this name."""
        command = super().get_command(context, name)
        for point in entry_points(group=TOOLS, name=name) if command is None else ():
            command = point.load()
        return command


@click.group(cls=WithTools)
def plugins() -> None:
    """What is installed beside the platform."""


@plugins.command("list")
@click.pass_obj
def list_(console: Console) -> int:
    """Every plugin there is or was, with its state and why it is off."""
    from regulars_web.troubles import mishaps

    crm = console.crm()
    with crm.read() as session:
        troubles = mishaps(crm, session)
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "state": one.state.value,
            "version": one.version,
            "title": str(one.title),
            "summary": str(one.summary),
            "reason": None if one.reason is None else str(one.reason),
            "troubles": [asdict(trouble) for trouble in troubles.get(one.name, ())],
        }
        for one in crm.plugins.listed()
    ]
    console.answer(rows, lambda: console.table([row | {"failed calls": _in_words(troubles.get(row["name"], ()))} for row in rows], COLUMNS))
    return DONE


@plugins.command()
@click.argument("name")
@click.pass_obj
def plan(console: Console, name: str) -> int:
    """What a plugin consists of and who depends on it, before anything changes."""
    from regulars_core.plugins import switching

    found = asdict(switching.plan(console.crm(), name))
    found |= {"state": found["state"].value, "reason": None if found["reason"] is None else str(found["reason"])}
    console.answer(
        found, lambda: "\n".join(f"{key}: {', '.join(part) if isinstance(part, tuple) else part or ''}" for key, part in found.items())
    )
    return DONE


@plugins.command()
@click.argument("name")
@click.pass_obj
def enable(console: Console, name: str) -> int:
    """Upgrade a plugin's tables and switch it on."""
    from regulars_core.plugins import switching

    switching.enable(console.crm(), name)
    return _told(console, name, "enabled")


@plugins.command()
@click.argument("name")
@click.pass_obj
def disable(console: Console, name: str) -> int:
    """Switch a plugin off; its data stays."""
    from regulars_core.plugins import switching

    switching.disable(console.crm(), name)
    return _told(console, name, "disabled")


@plugins.command()
@click.argument("name")
@click.option("--confirm", help="The name of the plugin once more: there is no way back.")
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False), help="First write every row of it here, a JSON document a line.")
@click.pass_obj
def purge(console: Console, name: str, confirm: str | None, export: Path | None) -> int:
    """Remove everything a plugin kept."""
    from regulars_web import removing

    if confirm is None and not console.as_json:
        confirm = click.prompt(str(_("All data of %(name)s will be gone. Type its name to go on", name=name)), err=True)
    if confirm != name:
        raise InvalidInput(confirm=_("Type the name of the plugin: %(name)s", name=name))
    if export is not None:
        with console.crm().read() as session, os.fdopen(os.open(export, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{line}\n" for line in removing.rows(console.crm(), session, name))
    kept = removing.remove(console.crm(), name)
    if kept:
        console.say(removing.told_of(kept))
    console.answer({"name": name, "state": "purged", "roles_kept": kept}, f"{name}: purged")
    return DONE


plugins.add_command(new)


@plugins.command("rehearse-upgrade")
@click.argument("name", required=False)
@click.pass_obj
def rehearse_upgrade(console: Console, name: str | None) -> int:
    """Try the upgrade of core and plugins, or of one plugin, on a copy of the database and tell what would break."""
    from regulars_core.plugins.registry import State
    from regulars_migrations.owners import CORE
    from regulars_migrations.rehearsal import rehearse

    crm = console.crm(any_schema=True)
    if name is not None and crm.plugins.get(name) is None and crm.plugins.broken(name) is None:
        raise NotFound(_("There is no plugin named %(name)s.", name=name))
    off = [one for one in crm.plugins.listed() if one.state is State.BROKEN and one.name in crm.plugins.rows and name in (None, one.name)]
    owners = [one for one in crm.plugins.owners() if one.is_core or name in (None, one.name)]
    known = [CORE, *(owner for plugin in crm.plugins.loaded.values() if (owner := plugin.owner))]
    crm.close()
    found = rehearse(crm.config.database_url, owners, known)
    problems = [{"owner": one.name, "problem": str(one.reason)} for one in off]
    problems += [{"owner": one.owner, "problem": str(one.what)} for one in found.problems]
    steps = [asdict(one) | {"seconds": round(one.seconds, 2)} for one in found.steps]
    document = {"ok": not problems, "copied_seconds": round(found.copied_seconds, 2), "steps": steps, "problems": problems}
    lines = [console.table(steps, ("owner", "before", "after", "seconds"))] if steps else []
    lines += [f"{one['owner']}: {one['problem']}" for one in problems]
    if not problems:
        lines.append(str(_("The upgrade can be done. Run: regulars db upgrade")))
    console.answer(document, "\n".join(lines))
    return FAILED if problems else DONE


def _in_words(troubles: Sequence[Mishap]) -> str:
    rests = _("rests")
    return "; ".join(f"{one.hook} {one.count}x{f' {rests}' if one.rests_until else ''}: {one.reason}" for one in troubles)


def contributed(console: Console) -> dict[str, click.Command]:
    """Commands of installed plugins by name. A home that can't be opened has none: core's commands say why."""
    try:
        crm = console.crm(any_schema=True)
    except RegularsError:
        return {}
    commands = {}
    for plugin, command in crm.plugins.cli_commands():
        if not crm.plugins.is_enabled(plugin):
            command = _switched_off(str(command.name), plugin)
        commands[str(command.name)] = command
    return commands


def _switched_off(name: str, plugin: str) -> click.Command:
    @click.command(name, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}, add_help_option=False)
    def refuse() -> int:
        raise NotAllowedYet(_("The plugin %(plugin)s is off. Run: regulars plugins enable %(plugin)s", plugin=plugin))

    return refuse


def _told(console: Console, name: str, state: str) -> int:
    console.answer({"name": name, "state": state}, f"{name}: {state}")
    return DONE


COMMANDS = {"plugins": plugins}
