"""Settings of plugins: checked, stored with secrets encrypted, overridden and locked from the environment."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import marshmallow
import pytest
import sqlalchemy as sa
from marshmallow import fields
from sample_plugins import open_with, toy

from regulars_core.config import Config, WrongSetting
from regulars_core.crm import Crm
from regulars_core.plugins import switching
from regulars_core.plugins.registry import State
from regulars_core.settings.models import Setting
from regulars_core.settings.secrets import Vault
from regulars_plugin_api.errors import InvalidInput, LostKey, NotFound
from regulars_plugin_api.settings import Secret


class ToySchema(marshmallow.Schema):
    url = fields.Url(load_default="https://example.com")
    count = fields.Integer(load_default=3, validate=marshmallow.validate.Range(min=1))
    since = fields.Date()
    token = Secret(load_default="")


def settings_schema() -> type[marshmallow.Schema]:
    return ToySchema


def opened(url: str, home: Path, **settings: Any) -> Crm:
    return open_with(url, home, toy("toy", settings_schema), toy("plain"), **settings)


def save(crm: Crm, **values: Any) -> None:
    with crm.transaction() as session:
        crm.settings.save(session, "toy", values)


def test_what_is_not_set_has_its_default(database_url: str, tmp_path: Path) -> None:
    crm = opened(database_url, tmp_path)
    assert crm.settings.of("toy") == {"url": "https://example.com", "count": 3, "token": ""}
    assert crm.settings.of("plain") == {}
    save(crm, count="5", since="2026-03-01")
    assert crm.settings.of("toy") == {"url": "https://example.com", "count": 5, "since": dt.date(2026, 3, 1), "token": ""}
    save(crm, url="https://shop.example")
    assert crm.settings.stored("toy") == {"url": "https://shop.example", "count": 5, "since": "2026-03-01"}


def test_wrong_values_are_named_and_nothing_is_stored(database_url: str, tmp_path: Path) -> None:
    crm = opened(database_url, tmp_path)
    for values, field in (({"count": 0}, "count"), ({"url": "not an address"}, "url"), ({"colour": "red"}, "colour")):
        with pytest.raises(InvalidInput) as refused:
            save(crm, **values)
        assert list(refused.value.fields) == [field]
    with pytest.raises(NotFound), crm.transaction() as session:
        crm.settings.save(session, "plain", {})
    assert crm.settings.stored("toy") == {}


def test_a_secret_is_encrypted_kept_when_left_empty_and_never_shown(database_url: str, tmp_path: Path) -> None:
    crm = opened(database_url, tmp_path)
    save(crm, token="open sesame")
    save(crm, token="", count=4)
    assert crm.settings.of("toy")["token"] == "open sesame"
    assert crm.settings.stored("toy") == {"token": True, "count": 4}
    with crm.read() as session:
        assert "sesame" not in str(session.scalars(sa.select(Setting.values)).one())


def test_a_locked_text_opens_only_with_its_key_and_in_its_place() -> None:
    vault = Vault(b"one key")
    locked = vault.lock("sesame", "toy.token")
    assert vault.unlock(locked, "toy.token") == "sesame"
    assert vault.lock("sesame", "toy.token") != locked
    for other, place in ((vault, "toy.other"), (Vault(b"another key"), "toy.token")):
        with pytest.raises(LostKey):
            other.unlock(locked, place)


def test_after_a_change_of_keys_the_former_one_still_opens_and_the_new_one_locks() -> None:
    before, after = Vault(b"one key"), Vault(b"new key", [b"one key"])
    assert after.unlock(before.lock("sesame", "toy.token"), "toy.token") == "sesame"
    locked = after.lock("sesame", "toy.token")
    assert Vault(b"new key").unlock(locked, "toy.token") == "sesame"
    with pytest.raises(LostKey):
        before.unlock(locked, "toy.token")


def test_former_keys_come_from_the_environment(tmp_path: Path) -> None:
    config = Config.from_environment({"REGULARS_HOME": str(tmp_path), "REGULARS_FORMER_KEYS": f"{'a' * 40} {'b' * 40}"})
    assert config.former_keys == ("a" * 40, "b" * 40)
    assert "aaaa" not in repr(config)


def test_the_environment_overrides_and_locks(database_url: str, tmp_path: Path) -> None:
    save(opened(database_url, tmp_path), count=5)
    crm = opened(database_url, tmp_path, plugin_settings={"toy": {"count": "7"}})
    assert (crm.settings.of("toy")["count"], crm.settings.locked("toy")) == (7, frozenset({"count"}))
    with pytest.raises(InvalidInput) as refused:
        save(crm, count=8)
    assert {name: str(text) for name, text in refused.value.fields.items()} == {"count": "Set from outside, by REGULARS__TOY__COUNT."}
    save(crm, url="https://shop.example")
    assert opened(database_url, tmp_path).settings.of("toy")["count"] == 5, "the override was not stored"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"count": "none"}, "REGULARS__TOY__COUNT: Not a valid integer."),
        ({"colour": "red"}, "REGULARS__TOY__COLOUR: Unknown field."),
    ],
)
def test_a_wrong_override_stops_the_start(sqlite_url: str, tmp_path: Path, given: dict[str, str], expected: str) -> None:
    with pytest.raises(WrongSetting) as stopped:
        opened(sqlite_url, tmp_path, plugin_settings={"toy": given})
    assert str(stopped.value) == expected


def test_stored_values_that_are_no_longer_valid_switch_the_plugin_off_with_the_reason(database_url: str, tmp_path: Path) -> None:
    crm = opened(database_url, tmp_path)
    switching.enable(crm, "toy")
    save(crm, token="open sesame")
    with crm.transaction() as session:
        session.execute(sa.update(Setting).values(values={"count": "many"}))
    crm.plugins.refresh()
    [info] = [one for one in crm.plugins.listed() if one.name == "toy"]
    assert (info.state, str(info.reason)) == (State.BROKEN, "Its settings are not valid: count: Not a valid integer.")
    assert not crm.plugins.is_enabled("toy")
    save(crm, count=2)
    crm.plugins.refresh()
    assert crm.plugins.is_enabled("toy")


def test_another_key_switches_the_plugin_off_and_names_the_secret(database_url: str, tmp_path: Path) -> None:
    crm = opened(database_url, tmp_path)
    switching.enable(crm, "toy")
    save(crm, token="open sesame")
    other = opened(database_url, tmp_path, secret_key="another secret key that is long enough")
    [info] = [one for one in other.plugins.listed() if one.name == "toy"]
    assert (info.state, str(info.reason)) == (State.BROKEN, "Its setting toy.token was encrypted with another key.")
    save(other, token="open barley")
    other.plugins.refresh()
    assert (other.plugins.is_enabled("toy"), other.settings.of("toy")["token"]) == (True, "open barley")
