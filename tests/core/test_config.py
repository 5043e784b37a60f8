"""The environment is read whole; what is wrong in it stops the start with its name and what was expected."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from regulars_core.config import Config, WrongSetting, create_home


def test_a_home_alone_is_enough(tmp_path: Path) -> None:
    create_home(tmp_path / "home")
    config = Config.from_environment({"REGULARS_HOME": str(tmp_path / "home")})
    assert config == Config(
        home=tmp_path / "home",
        database_url=f"sqlite:///{tmp_path}/home/regulars.db",
        secret_key=(tmp_path / "home" / "secret.key").read_text().strip(),
    )


def test_everything_can_be_set(tmp_path: Path) -> None:
    config = Config.from_environment(
        {
            "REGULARS_HOME": str(tmp_path),
            "REGULARS_DATABASE_URL": "postgresql+psycopg://u:p@db/shop",
            "REGULARS_BASE_URL": "https://crm.example.com/",
            "REGULARS_SMTP_URL": "smtps://u:p@mail.example.com:465",
            "REGULARS_MAIL_FROM": "Shop <shop@example.com>",
            "REGULARS_SECRET_KEY": "7" * 32,
            "REGULARS_SAFE_MODE": "1",
            "REGULARS_TIMEZONE": "Europe/Stockholm",
            "REGULARS_CURRENCY": "sek",
            "REGULARS_COUNTRY": "se",
            "REGULARS_EXECUTOR": "celery",
            "REGULARS_API_LIMIT": "60",
            "REGULARS_LIMITS_URL": "redis://counts.example:6379/1",
            "REGULARS_HTTP_ALLOW": "till.example, 10.0.0.7",
            "REGULARS__LOYALTY__BASE_URL": "https://points.example",
            "REGULARS__LOYALTY__LIMIT": "007",
            "OTHER": "ignored",
        }
    )
    assert config == Config(
        home=tmp_path,
        database_url="postgresql+psycopg://u:p@db/shop",
        base_url="https://crm.example.com",
        smtp_url="smtps://u:p@mail.example.com:465",
        mail_from="Shop <shop@example.com>",
        secret_key="7" * 32,
        safe_mode=True,
        timezone=ZoneInfo("Europe/Stockholm"),
        currency="SEK",
        country="SE",
        executor="celery",
        api_limit=60,
        limits_url="redis://counts.example:6379/1",
        http_allow=frozenset({"till.example", "10.0.0.7"}),
        plugin_settings={"loyalty": {"base_url": "https://points.example", "limit": "007"}},
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REGULARS_DATABASE_URL", "not a url", "sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"),
        ("REGULARS_DATABASE_URL", "mysql://u@db/shop", "sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"),
        ("REGULARS_DATABASE_URL", "sqlite://", "sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"),
        ("REGULARS_DATABASE_URL", "sqlite:///:memory:", "sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"),
        ("REGULARS_BASE_URL", "crm.example.com", "an address such as https://crm.example.com"),
        ("REGULARS_BASE_URL", "https://[half", "an address such as https://crm.example.com"),
        ("REGULARS_SMTP_URL", "mail.example.com:25", "smtp://USER:PASSWORD@HOST:PORT or smtps://…"),
        ("REGULARS_SMTP_URL", "smtp://mail:port", "smtp://USER:PASSWORD@HOST:PORT or smtps://…"),
        ("REGULARS_SECRET_KEY", "short", "at least 32 characters"),
        ("REGULARS_SAFE_MODE", "maybe", "1 or 0"),
        ("REGULARS_TIMEZONE", "Stockholm", "a time zone such as Europe/Stockholm"),
        ("REGULARS_CURRENCY", "KRONOR", "a currency code such as EUR"),
        ("REGULARS_COUNTRY", "SWE", "a country code such as SE"),
        ("REGULARS_API_LIMIT", "many", "requests a minute, 0 for no limit"),
        ("REGULARS_API_LIMIT", "9" * 5000, "requests a minute, 0 for no limit"),
        ("REGULARS_EVENTS_KEEP_DAYS", "0", "a number of days"),
        ("REGULARS__LOYALTY", "x", "a name like REGULARS__LOYALTY__URL"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(tmp_path: Path, name: str, value: str, expected: str) -> None:
    with pytest.raises(WrongSetting) as stopped:
        Config.from_environment({"REGULARS_HOME": str(tmp_path), name: value})
    assert str(stopped.value) == f"{name}: expected {expected}"


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    config = Config(
        home=tmp_path,
        database_url="sqlite:///x.db",
        secret_key="geheim",
        smtp_url="smtp://u:geheim@m",
        plugin_settings={"a": {"b": "geheim"}},
    )
    assert "geheim" not in repr(config)


def test_a_home_is_private_and_its_key_stays(tmp_path: Path) -> None:
    create_home(tmp_path / "home")
    key = (tmp_path / "home" / "secret.key").read_text()
    create_home(tmp_path / "home")
    assert (tmp_path / "home" / "secret.key").read_text() == key
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "home", tmp_path / "home" / "secret.key")] == [0o700, 0o600]


def test_a_home_without_a_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="regulars init"):
        Config.from_environment({"REGULARS_HOME": str(tmp_path)}).needed_key()
