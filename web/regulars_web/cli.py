"""The command line: ``regulars``. Commands live in ``commands``, one module per group; what they share is in ``console``."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import click

from regulars_core import logs
from regulars_web.console import Console, Failed, JsonGroup, exit_code

CORE = {
    "init": "running",
    "run": "running",
    "web": "running",
    "worker": "running",
    "demo": "running",
    "db": "database",
    "plugins": "plugins",
    "users": "users",
    "tokens": "tokens",
    "stores": "stores",
    "import": "exchange",
    "imports": "exchange",
    "export": "exchange",
    "customers": "customers",
    "audit": "audit",
    "reports": "reports",
    "events": "events",
    "doctor": "doctor",
}


class Commands(JsonGroup):
    """Core's commands, each imported when it is asked for, and those of plugins."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Every name, plugins' after core's."""
        return [*CORE, *sorted(_of_plugins(context))]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of this name."""
        if name in CORE:
            module = import_module(f"regulars_web.commands.{CORE[name]}")
            command: click.Command = module.COMMANDS[name]
            return command
        return _of_plugins(context).get(name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="regulars")
@click.pass_context
def regulars(context: click.Context) -> None:
    """Regulars: a CRM for retail chains."""
    context.ensure_object(Console)


def _of_plugins(context: click.Context) -> dict[str, click.Command]:
    from regulars_web.commands.plugins import contributed

    return contributed(context.ensure_object(Console))


def main() -> None:
    """The console script: runs a command and turns what goes wrong into words and an exit code."""
    # Until the system is open nothing but what stays is made: looking for garbage in it took a tenth of the start.
    gc.disable()
    console = Console()
    logs.configure(as_json=not sys.stderr.isatty())
    try:
        sys.exit(regulars.main(standalone_mode=False, obj=console) or 0)
    except Failed as failure:
        sys.exit(failure.code)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.Abort:
        click.echo("", err=True)
        sys.exit(1)
    except Exception as error:
        sys.exit(exit_code(console, error))
    finally:
        console.close()
