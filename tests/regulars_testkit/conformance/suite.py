"""The checks as tests of pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import Check, all_checks
from regulars_testkit.conformance.databases import Databases
from regulars_testkit.conformance.findings import up_to
from regulars_testkit.conformance.house import Houses
from regulars_testkit.conformance.running import kinds, label, run
from regulars_testkit.conformance.subject import Subject, find

if TYPE_CHECKING:
    import pytest


def conformance(plugin: str, tier: str | None = None) -> Callable[..., None]:
    """A test for each check of an installed plugin up to ``tier``, or up to the one its manifest claims.

    Checks that need a database run on SQLite, and those of ``Place.EACH_DATABASE`` on PostgreSQL as well.
    """
    import pytest

    wanted = Tier(tier) if tier else _subject(plugin).claims

    # In one process, because the checks share the systems in which they look.
    @pytest.mark.xdist_group(f"conformance of {plugin}")
    @pytest.mark.parametrize(("check", "kind"), list(_cases(wanted)))
    def test_conformance(check: Check, kind: str, request: pytest.FixtureRequest, conformance_houses: Callable[[Subject], Houses]) -> None:
        databases: Databases = request.getfixturevalue(f"conformance_{kind}")
        findings = run(check, conformance_houses(_subject(plugin)), databases)
        assert not findings, "\n".join(map(str, findings))

    return test_conformance


@cache
def _subject(plugin: str) -> Subject:
    return find(plugin)


def _cases(tier: Tier) -> Iterable[Any]:
    import pytest

    for check in all_checks():
        if check.tier in up_to(tier):
            for kind in kinds(check):
                marks = [pytest.mark.postgres] if kind == "postgres" else []
                yield pytest.param(check, kind, id=label(check, kind), marks=marks)
