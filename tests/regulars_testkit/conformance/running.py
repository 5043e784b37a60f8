"""Runs checks and adds up what they found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog

from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import Check, Place, all_checks
from regulars_testkit.conformance.databases import Databases, NoPostgres, SqliteDatabases, some_postgres
from regulars_testkit.conformance.findings import Finding, Report, up_to
from regulars_testkit.conformance.house import house_of
from regulars_testkit.conformance.subject import Subject

FIRST = "package.loads"
"""What does not load can't be asked anything else."""
log = structlog.get_logger(__name__)


def run(check: Check, subject: Subject, databases: Databases) -> list[Finding]:
    """What one check finds. A plugin that raises where the check did not expect it has a finding as well."""
    try:
        if check.place is Place.PACKAGE:
            flaws = list(check.look(subject))
        else:
            with house_of(subject, databases) as house:
                flaws = list(check.look(house))
    except Exception as error:
        log.exception("a check was stopped", plugin=subject.name, check=check.id)
        words = f"{type(error).__name__} stopped the check ({check.about}): {error}"
        return [Finding(subject.name, check.id, check.tier, words, "The log above says where it was raised.")]
    return [Finding(subject.name, check.id, check.tier, flaw.words, flaw.hint) for flaw in flaws]


def kinds(check: Check) -> tuple[str, ...]:
    """The kinds of database a check is run on."""
    return ("sqlite", "postgres") if check.place is Place.EACH_DATABASE else ("sqlite",)


def label(check: Check, kind: str) -> str:
    """How one run of a check is called."""
    return f"{check.id}[{kind}]" if check.place is Place.EACH_DATABASE else check.id


def examine(subject: Subject, tier: Tier = Tier.GOLD) -> Report:
    """Run every check up to ``tier``, in temporary homes and databases."""
    wanted = [one for one in all_checks() if one.tier in up_to(tier)]
    if subject.refused is not None:
        wanted = [one for one in wanted if one.id == FIRST]
    findings: list[Finding] = []
    done: list[str] = []
    with _databases(any(one.place is Place.EACH_DATABASE for one in wanted)) as (databases, why_not):
        left_out = []
        for check in wanted:
            for kind in kinds(check):
                if kind in databases:
                    findings += [one for one in run(check, subject, databases[kind]) if one not in findings]
                    done.append(label(check, kind))
                else:
                    left_out.append((check, f"{label(check, kind)}: {why_not}"))
    spoiled = {one.tier for one in findings} | {check.tier for check, _why in left_out}
    version = subject.candidate.version
    return Report(
        subject.name, version, tier, _reached(tier, spoiled), tuple(done), tuple(why for _check, why in left_out), tuple(findings)
    )


def _reached(wanted: Tier, spoiled: set[Tier]) -> Tier | None:
    reached = None
    for tier in up_to(wanted):
        if tier in spoiled:
            break
        reached = tier
    return reached


@contextmanager
def _databases(both: bool) -> Iterator[tuple[dict[str, Databases], str]]:
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="regulars-check-")))
        found: dict[str, Databases] = {"sqlite": SqliteDatabases(folder)}
        why_not = ""
        if both:
            try:
                found["postgres"] = ends.enter_context(some_postgres())
            except NoPostgres as missing:
                why_not = str(missing)
        yield found, why_not
