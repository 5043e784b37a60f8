"""How far a schema is, read without Alembic: the same that Alembic would say."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from regulars_core.plugins.loader import installed, load_all
from regulars_migrations.owners import CORE, HERE, Owner
from regulars_migrations.runner import upgrade
from regulars_migrations.standing import SchemaRefused, head, status


def owner(folder: Path, **steps: str) -> Owner:
    """A plugin with these steps, each a file."""
    for name, text in steps.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "__init__.py").touch()
    return Owner("toy", folder)


def test_it_says_what_alembic_says(blank_sqlite_url: str) -> None:
    owners = [CORE, *(plugin.owner for plugin in load_all(installed())[0] if plugin.owner)]
    for one in status(blank_sqlite_url, owners):
        versions = next(str(its.versions) for its in owners if its.name == one.owner)
        head = ScriptDirectory(str(HERE), version_locations=[versions]).get_current_head()
        assert (one.current, one.head, one.behind) == (None, head, True)
    upgrade(blank_sqlite_url, owners)
    assert not any(one.behind for one in status(blank_sqlite_url, owners))


@pytest.mark.parametrize(
    "steps",
    [
        {"a": "revision = 'a'\ndown_revision = None", "b": "revision: str = 'b'\ndown_revision: str | None = 'a'"},
        {"a": "revision, down_revision = 'a', None", "b": "x, y = f()\nrevision, down_revision = 'b', 'a'"},
        {
            "a": "revision, down_revision = 'a', None",
            "c": "revision, down_revision = 'c', 'a'",
            "d": "revision, down_revision = 'd', 'a'",
            "b": "revision, down_revision = 'b', ('c', 'd')",
        },
    ],
)
def test_steps_in_every_way_they_are_written(steps: dict[str, str], blank_sqlite_url: str, tmp_path: Path) -> None:
    assert [one.head for one in status(blank_sqlite_url, [owner(tmp_path, **steps)])] == ["b"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({"a": "revision, down_revision = 'a', None", "b": "revision, down_revision = 'b', None"}, "The migrations of toy lead to a, b."),
        ({"a": "revision = name()\ndown_revision = None"}, "a.py: revision and down_revision have to be written as plain text."),
        ({"a": "revision = 'a"}, "a.py: revision and down_revision have to be written as plain text."),
        ({"a": "revision = 'a'"}, "a.py: revision and down_revision have to be written as plain text."),
    ],
)
def test_steps_nobody_could_follow(steps: dict[str, str], said: str, blank_sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaRefused) as refused:
        status(blank_sqlite_url, [owner(tmp_path, **steps)])
    assert str(refused.value) == said


def test_many_may_ask_at_once() -> None:
    """As the first requests of a worker do, while garbage is looked for, which lets others go on in the middle of anything."""
    before, give_way = gc.get_threshold(), lambda *_about: time.sleep(0.0001)
    gc.set_threshold(50)
    gc.callbacks.append(give_way)
    try:
        with ThreadPoolExecutor(8) as pool:
            heads = set(pool.map(lambda _number: head(CORE), range(16)))
    finally:
        gc.callbacks.remove(give_way)
        gc.set_threshold(*before)
    assert len(heads) == 1


def test_who_only_asks_does_not_load_alembic() -> None:
    asked = "import sys, regulars_web.app, regulars_web.starting; print('alembic' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", asked], text=True).strip() == "False"
