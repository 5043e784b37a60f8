"""Runs checks and adds up what they found."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import Check, Place, all_checks
from regulars_testkit.conformance.databases import Databases, NoPostgres, SqliteDatabases, some_postgres
from regulars_testkit.conformance.findings import Finding, Flaw, Report, up_to
from regulars_testkit.conformance.house import Houses
from regulars_testkit.conformance.subject import Subject

FIRST = "package.loads"
"""What does not load can't be asked anything else."""


def run(check: Check, houses: Houses, databases: Databases) -> list[Finding]:
    """What one check finds. A plugin that raises where the check did not expect it has a finding as well."""
    subject = houses.subject
    if check.place is Place.PACKAGE:
        return _findings(check, subject, lambda: check.look(subject))
    findings = _findings(check, subject, lambda: check.look(houses.house(databases)))
    if findings:
        houses.give_up(databases.kind)
    return findings


def _findings(check: Check, subject: Subject, look: Callable[[], Iterable[Flaw]]) -> list[Finding]:
    flaws: list[Flaw] = []
    try:
        for flaw in look():
            flaws.append(flaw)  # noqa: PERF402 - what was found before something was raised counts
    except Exception as error:
        words = f"{type(error).__name__} stopped the check ({check.about}): {error}"
        flaws.append(Flaw(words, f"It was raised at {_origin(error, subject)}."))
    return [Finding(subject.name, check.id, check.tier, flaw.words, flaw.hint) for flaw in flaws]


def _origin(error: Exception, subject: Subject) -> str:
    """Where it went wrong: in the plugin's own code if that took part."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if subject.refused is None and Path(one.filename).is_relative_to(subject.folder)]
    last = (own or frames)[-1]
    return f"{last.filename}:{last.lineno}, in {last.name}"


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
    left_out = []
    with _places(subject, both=any(one.place is Place.EACH_DATABASE for one in wanted)) as (houses, databases, why_not):
        for check in wanted:
            for kind in kinds(check):
                if kind in databases:
                    findings += [one for one in run(check, houses, databases[kind]) if one not in findings]
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
def _places(subject: Subject, *, both: bool) -> Iterator[tuple[Houses, dict[str, Databases], str]]:
    """Houses, the kinds of database there are, and why there is no PostgreSQL if there is none."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="regulars-check-")))
        found: dict[str, Databases] = {"sqlite": SqliteDatabases(folder)}
        why_not = ""
        if both:
            try:
                found["postgres"] = ends.enter_context(some_postgres())
            except NoPostgres as missing:
                why_not = str(missing)
        houses = Houses(subject, folder)
        ends.callback(houses.close)
        yield houses, found, why_not
