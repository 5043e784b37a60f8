"""The plugin's settings: usable before anybody has set anything, and explained."""

from __future__ import annotations

from collections.abc import Iterator

import marshmallow

from regulars_plugin_api.hookspecs import lifecycle
from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.asking import passing_transaction
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House


def _schema(house: House) -> type[marshmallow.Schema] | None:
    return house.on.bus.ask(house.subject.name, lifecycle.settings_schema)


@check(Tier.BRONZE, Place.HOUSE)
def defaults_load(house: House) -> Iterator[Flaw]:
    """The schema loads with nothing set, and what it then gives can be stored."""
    schema = _schema(house)
    if schema is None:
        return
    try:
        schema().load({})
    except marshmallow.ValidationError as error:
        for name, words in dict(error.messages_dict).items():
            yield Flaw(
                f"The setting {name} has no default: {words}", "Give each field a load_default: a plugin starts before it is set up."
            )
        return
    values = house.on.settings.of(house.subject.name)
    with passing_transaction(house) as session:
        house.on.settings.save(session, house.subject.name, schema().dump(values))


@check(Tier.GOLD, Place.HOUSE)
def explained(house: House) -> Iterator[Flaw]:
    """Each setting has a title and says what it is for."""
    schema = _schema(house)
    for name, one in schema().fields.items() if schema else ():
        for what in ("title", "description"):
            if not str(one.metadata.get(what, "")):
                yield Flaw(f"The setting {name} has no {what}.", f'Give the field metadata={{"{what}": _("…")}}.')
