"""regulars audit verify"""

from __future__ import annotations

from dataclasses import asdict

import click

from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, FAILED, Console, JsonGroup


@click.group(cls=JsonGroup)
def audit() -> None:
    """The record of who changed what."""


@audit.command()
@click.option("--head", default="", help="What an earlier run said: proves that nothing at the end was cut off.")
@click.pass_obj
def verify(console: Console, head: str) -> int:
    """Whether anybody altered, removed or reordered an entry. Exit code 1: yes."""
    from regulars_core.audit import chain
    from regulars_core.privacy import upkeep

    crm = console.crm()
    upkeep.seal(crm)
    with crm.read() as session:
        found = chain.verify(session, head)

    def words() -> str:
        said = _("%(entries)s entries in %(blocks)s blocks. Head: %(head)s", entries=found.entries, blocks=found.blocks, head=found.head)
        verdict = _("Nothing was altered.") if found.is_sound else _("The record was altered:")
        return "\n".join([str(said), str(verdict), *(f"  {one['problem']} ({one['id']})" for one in found.problems)])

    console.answer(asdict(found) | {"sound": found.is_sound}, words)
    return DONE if found.is_sound else FAILED


COMMANDS = {"audit": audit}
