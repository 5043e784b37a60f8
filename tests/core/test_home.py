"""Settings come from the environment; a wrong one stops the start with its name and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from regulars_core.home import Home, NotInitialised, WrongSetting, from_environment


def test_a_home_keeps_an_sqlite_database_unless_told_otherwise(tmp_path: Path) -> None:
    assert from_environment({"REGULARS_HOME": str(tmp_path)}) == Home(path=tmp_path, database_url=f"sqlite:///{tmp_path}/regulars.db")


def test_every_setting_is_read(tmp_path: Path) -> None:
    home = from_environment(
        {
            "REGULARS_HOME": str(tmp_path),
            "REGULARS_DATABASE_URL": "postgresql://regulars:pa%40ss@db/shop",
            "REGULARS_BASE_URL": "https://crm.example.com/",
            "REGULARS_SMTP_URL": "smtps://user:pass@mail.example.com:465",
            "REGULARS_MAIL_FROM": "crm@example.com",
            "REGULARS_SECRET_KEY": "k" * 32,
            "REGULARS_SAFE_MODE": "1",
            "REGULARS_TIMEZONE": "Europe/Stockholm",
            "REGULARS_CURRENCY": "SEK",
        }
    )
    assert home == Home(
        path=tmp_path,
        database_url="postgresql+psycopg://regulars:pa%40ss@db/shop",
        secret_key="k" * 32,
        base_url="https://crm.example.com",
        timezone="Europe/Stockholm",
        currency="SEK",
        smtp_url="smtps://user:pass@mail.example.com:465",
        mail_from="crm@example.com",
        safe_mode=True,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGULARS_DATABASE_URL", "mysql://root@localhost/shop"),
        ("REGULARS_DATABASE_URL", "shop.db"),
        ("REGULARS_DATABASE_URL", "sqlite://"),
        ("REGULARS_SECRET_KEY", "short"),
        ("REGULARS_BASE_URL", "crm.example.com"),
        ("REGULARS_SMTP_URL", "http://mail"),
        ("REGULARS_TIMEZONE", "Sweden/Malmö"),
        ("REGULARS_TIMEZONE", "../../etc/passwd"),
        ("REGULARS_CURRENCY", "kronor"),
        ("REGULARS_SAFE_MODE", "yes"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=f"{name} is wrong: expected"):
        from_environment({"REGULARS_HOME": str(tmp_path), name: value})


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    home = from_environment({"REGULARS_HOME": str(tmp_path / "new")})
    with pytest.raises(NotInitialised, match="regulars init"):
        home.read_secret_key()
    home.prepare()
    key = home.read_secret_key()
    home.prepare()
    assert home.read_secret_key() == key
    assert len(key) == 64
    assert (home.path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert home.path.stat().st_mode & 0o777 == 0o700


def test_a_database_that_was_used_and_is_gone_is_not_taken_for_a_new_start(tmp_path: Path) -> None:
    home = from_environment({"REGULARS_HOME": str(tmp_path)})
    assert home.is_new()
    with pytest.raises(NotInitialised, match=r"There is no database .* yet"):
        home.refuse_lost_database()
    (tmp_path / "regulars.db").touch()
    home.refuse_lost_database()
    home.remember_database()
    (tmp_path / "regulars.db").unlink()
    assert not home.is_new()
    with pytest.raises(NotInitialised, match="was used before and is gone"):
        home.refuse_lost_database()
