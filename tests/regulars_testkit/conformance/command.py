"""``regulars plugins check``: the checks outside pytest, in temporary homes and databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from regulars_plugin_api.manifest import Tier
from regulars_web.console import DONE, FAILED, Console, JsonCommand

if TYPE_CHECKING:
    from regulars_testkit.conformance.findings import Report


@click.command(cls=JsonCommand)
@click.argument("name")
@click.option("--tier", type=click.Choice([one.value for one in Tier]), help="The tier to examine for; else the one the plugin claims.")
@click.pass_obj
def check(console: Console, name: str, tier: str | None) -> int:
    """Whether a plugin keeps the contract: bronze, silver or gold."""
    from regulars_testkit.conformance import examine, find

    subject = find(name)
    report = examine(subject, Tier(tier) if tier else subject.claims)
    for one in report.left_out:
        console.say(f"Not run: {one}")
    console.answer(report.to_json(), lambda: _words(report))
    return DONE if report.passed else FAILED


def _words(report: Report) -> str:
    lines = [f"[{one.tier.value}] {one}" for one in report.findings]
    reached = report.reached.value if report.reached else "none"
    lines.append(
        f"{report.plugin} {report.version}: {len(report.run)} checks run, {len(report.findings)} findings, tier reached: {reached}"
    )
    return "\n".join(lines)
