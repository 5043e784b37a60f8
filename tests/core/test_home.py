"""A database that was used once is missed when it is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from regulars_core.config import Config
from regulars_core.home import NotInitialised, is_new, refuse_lost_database, remember_database, write_private


def test_a_database_that_was_used_and_is_gone_is_not_taken_for_a_new_start(tmp_path: Path) -> None:
    config = Config(home=tmp_path, database_url=f"sqlite:///{tmp_path}/regulars.db")
    assert is_new(config)
    with pytest.raises(NotInitialised, match=r"There is no database .* yet"):
        refuse_lost_database(config)
    (tmp_path / "regulars.db").touch()
    refuse_lost_database(config)
    remember_database(config)
    (tmp_path / "regulars.db").unlink()
    assert not is_new(config)
    with pytest.raises(NotInitialised, match="was used before and is gone"):
        refuse_lost_database(config)


def test_the_memory_of_a_database_holds_no_password(tmp_path: Path) -> None:
    remember_database(Config(home=tmp_path, database_url="postgresql+psycopg://regulars:geheim@db/shop"))
    assert (tmp_path / "database.used").read_text() == "postgresql+psycopg://regulars:***@db/shop"


def test_private_files_are_private_and_replaced_whole(tmp_path: Path) -> None:
    for content in ("first", "second"):
        write_private(tmp_path / "secret", content)
    assert (tmp_path / "secret").read_text() == "second"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
