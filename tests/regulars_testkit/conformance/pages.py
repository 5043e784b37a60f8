"""The plugin's pages, and the platform's with what it adds: they stand, and cost no more with more rows."""

from __future__ import annotations

from collections.abc import Iterator

from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.access import addresses
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House
from regulars_testkit.databases import counted

SHARED = ("/", "/customers", "/search?q=ada")


def _read(house: House) -> list[str]:
    """Addresses that are read: the plugin's without arguments, and those of the platform it adds to."""
    own = sorted({one.path for one in addresses(house) if one.method == "GET" and not one.has_arguments})
    return [*SHARED, f"/customers/{house.people[0]}", *own]


@check(Tier.BRONZE, Place.HOUSE)
def stand(house: House) -> Iterator[Flaw]:
    """Every page answers, with no rows and with some, and each of the plugin's parts is on it."""
    yield from _standing(house, "with no rows")
    house.plant(house.people[0])
    yield from _standing(house, "with rows")


def _standing(house: House, when: str) -> Iterator[Flaw]:
    before = {(one.plugin, one.hook): one.count for one in house.on.bus.troubles()}
    with_arguments = {one.path for one in addresses(house) if one.method == "GET" and one.has_arguments}
    for path in [*_read(house), *sorted(with_arguments)]:
        status = house.administrator.get(path).status_code
        if status >= 500:
            yield Flaw(f"{path} answers {status} {when}.", "The log says what was raised.")
    for one in house.on.bus.troubles():
        if one.count > before.get((one.plugin, one.hook), 0):
            yield Flaw(f"{one.hook} failed {when}: {one.reason}", "A part of a page may be empty, but not raise.")


@check(Tier.GOLD, Place.HOUSE)
def same_count(house: House) -> Iterator[Flaw]:
    """A page sends as many statements to the database with three rows as with one."""
    house.plant(house.people[0])
    one = {path: _statements(house, path) for path in _read(house)}
    house.plant(house.people[0])
    house.plant(house.people[0])
    for path, before in one.items():
        after = _statements(house, path)
        if after > before:
            yield Flaw(
                f"{path} sends {before} statements for one row and {after} for three.", "Load related rows for the whole page at once."
            )


def _statements(house: House, path: str) -> int:
    house.administrator.get(path)
    with counted() as statements:
        house.administrator.get(path)
    return len(statements)
