"""What checks find."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from regulars_plugin_api.manifest import Tier

TIERS = (Tier.BRONZE, Tier.SILVER, Tier.GOLD)
"""From the least to the most demanding."""


class Flaw(NamedTuple):
    """What a check sees: what is wrong in words, and how to mend it."""

    words: str
    hint: str


@dataclass(frozen=True)
class Finding:
    """A flaw of one plugin. ``check`` is the id of the check, ``tier`` what can't be had while it is there."""

    plugin: str
    check: str
    tier: Tier
    words: str
    hint: str

    def __str__(self) -> str:
        return f"{self.check}: {self.words}\n    {self.hint}"


@dataclass(frozen=True)
class Report:
    """What came of examining a plugin.

    ``wanted`` is the tier asked for, ``reached`` the highest one held whole, None if not even bronze is. ``run`` names the checks that
    were run, with the database where it matters; ``left_out`` says which could not be run, and why.
    """

    plugin: str
    version: str
    wanted: Tier
    reached: Tier | None
    run: tuple[str, ...]
    left_out: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether the plugin holds the tier asked for."""
        return self.reached is self.wanted

    def to_json(self) -> dict[str, Any]:
        """The report as JSON keeps it."""
        findings = [asdict(one) | {"tier": one.tier.value} for one in self.findings]
        tiers = {"wanted": self.wanted.value, "reached": self.reached and self.reached.value}
        lists = {"run": list(self.run), "left_out": list(self.left_out), "findings": findings}
        return {"plugin": self.plugin, "version": self.version, "passed": self.passed, **tiers, **lists}


def up_to(tier: Tier) -> tuple[Tier, ...]:
    """``tier`` and those below it."""
    return TIERS[: TIERS.index(tier) + 1]
