"""Roles: what the holders of each may do."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_core.users import roles
from regulars_core.users.roles import CORE_PERMISSIONS, TITLES
from regulars_plugin_api.contributions import Permission, Role
from regulars_plugin_api.errors import Forbidden
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.running import crm_here

pages = Blueprint("roles", __name__)


@pages.get("/users/roles")
@access("users.manage")
def page() -> str:
    """Every role, with what it may do."""
    with crm_here().read() as session:
        found = roles.listed(session)
    return render("roles.html", roles=found, titles=role_titles(), groups=permission_groups())


@pages.get("/users/roles/<name>")
@access("users.manage")
def show(name: str) -> str:
    """The form of one role."""
    with crm_here().read() as session:
        role = next((one for one in roles.listed(session) if one.name == name), None)
    if role is None:
        abort(404)
    is_mine = current_viewer().everything
    title = role_titles().get(name, name)
    return render("role.html", role=role, title=title, groups=permission_groups(), is_fixed=name == roles.ADMINISTRATOR or not is_mine)


@pages.post("/users/roles/<name>")
@access("users.manage")
def save(name: str) -> ResponseReturnValue:
    """Let the holders do exactly what is ticked; it counts from their next click."""
    if not current_viewer().everything:
        raise Forbidden(_("Only an administrator changes what a role may do."))
    known = {one.name for _title, found in permission_groups() for one in found}
    with crm_here().transaction() as session:
        # What a plugin that is away once gave stays: it is not on the form.
        before = next((one.permissions for one in roles.listed(session) if one.name == name), frozenset())
        roles.set_permissions(session, name, (known & set(request.form.getlist("permission"))) | (before - known))
    flash(str(_("Saved. It counts from the next click of whoever has this role.")), "ok")
    return redirect(url_for("roles.page"))


def permission_groups() -> list[tuple[Text, list[Permission]]]:
    """Every permission there is: core's, then each plugin's under its title."""
    crm = crm_here()
    groups: list[tuple[Text, list[Permission]]] = [(_("Regulars"), list(CORE_PERMISSIONS))]
    for plugin, found in crm.plugins.permissions().items():
        loaded = crm.plugins.get(plugin)
        if loaded is not None and (own := [one for one in found if isinstance(one, Permission)]):
            groups.append((loaded.manifest.title, own))
    return groups


def role_titles() -> dict[str, Text]:
    """What roles are called, those of plugins too."""
    of_plugins = {one.name: one.title for found in crm_here().plugins.permissions().values() for one in found if isinstance(one, Role)}
    return {**of_plugins, **TITLES}
