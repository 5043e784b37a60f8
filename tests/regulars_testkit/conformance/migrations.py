"""The steps of the plugin's schema: up, back and up again, and in step with the models."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from regulars_migrations import runner
from regulars_migrations.owners import CORE, HERE, Owner
from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House
from regulars_testkit.conformance.subject import Subject


@check(Tier.BRONZE)
def there(subject: Subject) -> Iterator[Flaw]:
    """A plugin with models has migrations, in one line, each named after the plugin."""
    owner = subject.plugin.owner
    if owner is None:
        if subject.tables:
            yield Flaw("There are models but no folder migrations/versions.", "Tables come from migrations only: write the first one.")
        return
    scripts = ScriptDirectory(str(HERE), version_locations=[str(owner.versions)])
    if len(scripts.get_heads()) > 1:
        yield Flaw(f"There are several newest migrations: {', '.join(scripts.get_heads())}.", "Put them in one line by down_revision.")
    for step in scripts.walk_revisions():
        if not step.revision.startswith(f"{subject.name}_"):
            yield Flaw(f"The migration {step.revision} is not named after the plugin.", f'Name it revision = "{subject.name}_0001" or so.')
        if not step.doc.strip():
            yield Flaw(f"The migration {step.revision} does not say what it does.", "Begin the file with a sentence.")


@check(Tier.SILVER, Place.EACH_DATABASE)
def up_back_and_up(house: House) -> Iterator[Flaw]:
    """Each step can be taken, taken back and taken again, and leaves no table when all are taken back."""
    owner = house.subject.plugin.owner
    if owner is None:
        return
    others = _others(house.subject)
    runner.upgrade(house.url, others)
    empty = _schema(house.url, owner)
    runner.upgrade(house.url, [*others, owner])
    whole = _schema(house.url, owner)
    runner.downgrade(house.url, owner, owners=[*others, owner])
    if left := sorted(_schema(house.url, owner).items() - empty.items()):
        words = f"Taken back, the migrations leave {', '.join(name for name, _columns in left)}."
        yield Flaw(words, "Let downgrade() undo all that upgrade() does.")
        return
    runner.upgrade(house.url, [*others, owner])
    if _schema(house.url, owner) != whole:
        yield Flaw("Taken again, the migrations make other tables than before.", "Let downgrade() undo exactly what upgrade() does.")


@check(Tier.SILVER, Place.EACH_DATABASE)
def one_back(house: House) -> Iterator[Flaw]:
    """The newest step can be taken back on its own and taken again."""
    owner = house.subject.plugin.owner
    if owner is None:
        return
    owners = [*_others(house.subject), owner]
    runner.upgrade(house.url, owners)
    whole = _schema(house.url, owner)
    runner.downgrade(house.url, owner, "-1", owners)
    runner.upgrade(house.url, owners)
    if _schema(house.url, owner) != whole:
        yield Flaw("The newest migration, taken back and again, makes other tables.", "Let its downgrade() undo exactly what it did.")


@check(Tier.SILVER, Place.EACH_DATABASE)
def in_step(house: House) -> Iterator[Flaw]:
    """The tables that migrations make are those of the models."""
    owner = house.subject.plugin.owner
    if owner is not None:
        owners = [*_others(house.subject), owner]
        runner.upgrade(house.url, owners)
        for difference in runner.differences(house.url, owner, owners):
            yield Flaw(
                f"Model and migrations differ: {_shown(difference)}.", "Write a migration for what the model says, or mend the model."
            )


def _others(subject: Subject) -> list[Owner]:
    return [CORE, *(one.owner for one in subject.loaded.values() if one.owner and one.name != subject.name)]


def _schema(url: str, owner: Owner) -> dict[str, str]:
    """Tables and views of the plugin, with their columns, keys and indexes in words."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    inspector = sa.inspect(engine)
    found = {}
    for name in (*inspector.get_table_names(), *inspector.get_view_names()):
        if owner.owns(name) or name == owner.version_table:
            columns = [(one["name"], str(one["type"]), one["nullable"], one["default"]) for one in inspector.get_columns(name)]
            indexes = sorted(str((one["name"], one["column_names"], one["unique"])) for one in inspector.get_indexes(name))
            keys = sorted(
                str((one["constrained_columns"], one["referred_table"], one["options"])) for one in inspector.get_foreign_keys(name)
            )
            found[name] = f"{columns} {indexes} {keys}"
    return found


def _shown(difference: object) -> str:
    if isinstance(difference, list):
        return "; ".join(_shown(one) for one in difference)
    parts = difference if isinstance(difference, tuple) else (difference,)
    return " ".join(str(part) for part in parts if part is not None)
