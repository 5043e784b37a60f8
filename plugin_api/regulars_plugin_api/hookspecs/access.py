"""Who may do what."""

from __future__ import annotations

from collections.abc import Iterable

from regulars_plugin_api.contributions import Permission, Role, SignInProvider
from regulars_plugin_api.hookspecs import OnFailure, hookspec


@hookspec(on_failure=OnFailure.PLUGIN_OFF, disabled_too=True, declares=True)
def permissions() -> Iterable[Permission | Role]:
    """Permissions the plugin's views and services ask for, and roles it brings along.

    Asked of every installed plugin at start. Names are ``<plugin>.<verb>``. On failure the plugin is off. Since 1.0.
    """
    raise NotImplementedError


@hookspec(page=True)
def sign_in_providers() -> Iterable[SignInProvider]:
    """Other ways to sign in, such as the company's identity provider.

    Asked for each sign-in page. On failure its button is missing; signing in by password still works. Since 1.0.
    """
    raise NotImplementedError
