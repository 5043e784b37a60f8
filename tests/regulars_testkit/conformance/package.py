"""The package as a whole: it loads, and its manifest says what it is."""

from __future__ import annotations

from collections.abc import Iterator

from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House
from regulars_testkit.conformance.subject import Subject


@check(Tier.BRONZE)
def loads(subject: Subject) -> Iterator[Flaw]:
    """The package imports, its manifest is valid, and what it requires is there."""
    if subject.refused is not None:
        yield Flaw(str(subject.refused.reason), "Mend this first: a plugin that does not load can't be examined further.")


@check(Tier.BRONZE)
def named(subject: Subject) -> Iterator[Flaw]:
    """The manifest has a title and a summary that say what the plugin is."""
    for name, text in (("title", subject.manifest.title), ("summary", subject.manifest.summary)):
        if not str(text).strip():
            yield Flaw(f"The manifest's {name} is empty.", f"Give Manifest({name}=…) a short text: it stands on the plugins page.")


@check(Tier.BRONZE, Place.HOUSE)
def is_admitted(house: House) -> Iterator[Flaw]:
    """The platform admits the plugin: its hooks, addresses, permissions and settings schema."""
    house.crm.plugins.blueprints()
    broken = house.crm.plugins.broken(house.subject.name)
    if broken is not None:
        yield Flaw(str(broken.reason), "The plugins page would show this reason; the plugin could not be switched on.")


@check(Tier.BRONZE, Place.HOUSE)
def switches_on(house: House) -> Iterator[Flaw]:
    """The plugin can be switched on in an empty system, and starts without trouble."""
    if house.crm.plugins.broken(house.subject.name) is None:
        for trouble in house.on.bus.troubles():
            yield Flaw(f"The hook {trouble.hook} failed: {trouble.reason}", "Look for it in the log; hooks may not raise.")
