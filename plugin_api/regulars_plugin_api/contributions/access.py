"""Who may do what, and how they sign in."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from regulars_plugin_api.contributions.base import Contribution
from regulars_plugin_api.i18n import Text


@dataclass(frozen=True)
class Permission(Contribution):
    """Something a role may allow. ``name`` is ``<plugin>.<verb>``; ``roles`` hold it until an administrator decides otherwise."""

    name: str
    title: Text
    roles: Set[str] = frozenset()


@dataclass(frozen=True)
class Role(Contribution):
    """A role a plugin brings along because none of the platform's fits, such as ``service``."""

    name: str
    title: Text


@dataclass(frozen=True)
class SignInProvider(Contribution):
    """Another way to sign in: a button on the sign-in page that leads to ``endpoint``."""

    name: str
    title: Text
    endpoint: str
