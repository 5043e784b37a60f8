"""Settings of plugins: stored as JSON, overridden from the environment, checked by the plugin's schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from marshmallow import Schema, ValidationError
from sqlalchemy.orm import Session

from regulars_core.config import PLUGIN_PREFIX, WrongSetting
from regulars_core.settings.models import Setting
from regulars_plugin_api.errors import InvalidInput, LostKey, NotFound
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.settings import Secret

if TYPE_CHECKING:
    from regulars_core.crm import Crm


class SettingsService:
    """Implements ``regulars_plugin_api.services.Settings``."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._schemas: dict[str, Schema] = {}
        self._problems: dict[str, tuple[Mapping[str, Any], Text | None]] = {}

    def add_schema(self, owner: str, schema: type[Schema]) -> None:
        """From now on ``owner`` has settings of this shape."""
        self._schemas[owner] = schema()

    def schema(self, owner: str) -> Schema | None:
        """The shape of an owner's settings, for its form."""
        return self._schemas.get(owner)

    def locked(self, owner: str) -> frozenset[str]:
        """Fields set from the environment."""
        return frozenset(self._crm.config.plugin_settings.get(owner, ()))

    def of(self, owner: str) -> Mapping[str, Any]:
        """Values as the schema makes them: stored, overridden, else defaults. Empty for an owner without a schema."""
        schema = self._schemas.get(owner)
        if schema is None:
            return {}
        with self._crm.read() as session:
            row = session.get(Setting, owner)
        loaded: Mapping[str, Any] = schema.load(self._merged(owner, row.values if row else {}))
        return loaded

    def stored(self, owner: str) -> Mapping[str, Any]:
        """What a form may show: plain values, and of secrets only that there is one (``True``)."""
        with self._crm.read() as session:
            row = session.get(Setting, owner)
        values = row.values if row else {}
        secrets = self._secrets(owner)
        return {name: True if name in secrets else value for name, value in values.items()}

    def save(self, session: Session, owner: str, values: Mapping[str, Any]) -> None:
        """Check ``values`` together with what is stored, and store them; None takes back what was set, for its default."""
        schema = self._schemas.get(owner)
        if schema is None:
            raise NotFound(_("%(name)s has no settings.", name=owner))
        if fixed := values.keys() & self.locked(owner):
            raise InvalidInput(**{name: _("Set from outside, by %(variable)s.", variable=_variable(owner, name)) for name in fixed})
        row = session.get(Setting, owner)
        stored = row.values if row else {}
        secrets = self._secrets(owner)
        given = {name: value for name, value in values.items() if not (name in secrets and not value)}
        cleared = {name for name, value in given.items() if value is None and name in schema.fields and not schema.fields[name].allow_none}
        known = {name: value for name, value in {**self._readable(owner, stored), **given}.items() if name not in cleared}
        try:
            loaded = schema.load({**known, **self._overrides(owner)})
        except ValidationError as error:
            raise InvalidInput(**_by_field(error)) from error
        as_before = {name: stored[name] for name in stored.keys() & (self.locked(owner) | secrets - given.keys())}
        plain = {name: value for name, value in schema.dump(loaded).items() if name in known and name not in as_before}
        changed = {name: self._crm.vault.lock(value, f"{owner}.{name}") if name in secrets else value for name, value in plain.items()}
        kept = {**as_before, **changed}
        if row is None:
            session.add(Setting(owner=owner, values=kept, updated_at=session.info["at"]))
        else:
            row.values, row.updated_at = kept, session.info["at"]

    def problem(self, owner: str) -> Text | None:
        """Why the stored settings of ``owner`` can't be used, as of the last ``refresh``; None if they can."""
        return self._problems.get(owner, ({}, None))[1]

    def refresh(self) -> None:
        """Check stored settings that were changed, here or elsewhere."""
        with self._crm.database.read() as session:
            rows = {row.owner: row.values for row in session.scalars(sa.select(Setting))}
        for owner in self._schemas:
            values = rows.get(owner, {})
            if owner not in self._problems or self._problems[owner][0] != values:
                self._problems[owner] = (values, self._check(owner, values))

    def _check(self, owner: str, values: Mapping[str, Any]) -> Text | None:
        try:
            self._schemas[owner].load(self._merged(owner, values))
        except ValidationError as error:
            return _(
                "Its settings are not valid: %(fields)s", fields="; ".join(f"{name}: {text}" for name, text in _by_field(error).items())
            )
        except LostKey as error:
            return _("Its setting %(place)s was encrypted with another key.", place=error.place)
        return None

    def check_overrides(self) -> None:
        """Raise ``WrongSetting`` for a variable of the environment that names no field or holds no valid value."""
        for owner, schema in self._schemas.items():
            given = self._overrides(owner)
            errors = schema.validate(given, partial=True)
            for name, messages in errors.items():
                if name in given:
                    raise WrongSetting(_variable(owner, name), " ".join(_texts(messages)))

    def _merged(self, owner: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._unlocked(owner, values), **self._overrides(owner)}

    def _overrides(self, owner: str) -> Mapping[str, str]:
        return self._crm.config.plugin_settings.get(owner, {})

    def _unlocked(self, owner: str, values: Mapping[str, Any]) -> dict[str, Any]:
        secrets = self._secrets(owner)
        return {name: self._crm.vault.unlock(value, f"{owner}.{name}") if name in secrets else value for name, value in values.items()}

    def _readable(self, owner: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """What can be unlocked; a secret of a lost key has to be given anew."""
        found: dict[str, Any] = {}
        for name, value in values.items():
            try:
                found |= self._unlocked(owner, {name: value})
            except LostKey:
                continue
        return found

    def _secrets(self, owner: str) -> frozenset[str]:
        schema = self._schemas.get(owner)
        return frozenset(name for name, one in schema.fields.items() if isinstance(one, Secret)) if schema else frozenset()


def _variable(owner: str, name: str) -> str:
    return f"{PLUGIN_PREFIX}{owner.upper()}__{name.upper()}"


def _by_field(error: ValidationError) -> dict[str, str]:
    return {str(name): " ".join(_texts(messages)) for name, messages in error.messages_dict.items()}


def _texts(messages: Any) -> list[str]:
    if isinstance(messages, dict):
        return [text for inner in messages.values() for text in _texts(inner)]
    return [str(text) for text in messages] if isinstance(messages, list) else [str(messages)]
