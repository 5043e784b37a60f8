"""The five roles every chain starts with, and the permissions of core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from regulars_core.users.models import Role, RolePermission, UserRole
from regulars_plugin_api.contributions import Permission
from regulars_plugin_api.errors import NotAllowedYet, NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import Viewer

ADMINISTRATOR = "administrator"
"""Holds every permission, those of plugins to come included."""

TITLES: Mapping[str, LazyString] = {
    ADMINISTRATOR: _("Administrator"),
    "manager": _("Manager"),
    "clerk": _("Clerk"),
    "marketer": _("Marketer"),
    "analyst": _("Analyst"),
}

_ALL = frozenset({"manager", "clerk", "marketer", "analyst"})
CORE_PERMISSIONS = (
    Permission("customers.view", _("See customers"), roles=_ALL),
    Permission("customers.edit", _("Add and change customers"), roles=frozenset({"manager", "clerk", "marketer"})),
    Permission("customers.import", _("Import customers"), roles=frozenset({"manager", "marketer"})),
    Permission("customers.export", _("Export customers"), roles=frozenset({"manager", "marketer", "analyst"})),
    Permission("customers.history", _("See who changed a customer"), roles=frozenset({"manager"})),
    Permission("customers.merge", _("Merge duplicates and take merges back"), roles=frozenset({"manager"})),
    Permission("customers.personal_data", _("Hand out a customer's data, and erase it"), roles=frozenset({"manager"})),
    Permission("audit.view", _("See the record of changes"), roles=frozenset({"manager"})),
    Permission("views.share", _("Share saved views"), roles=frozenset({"manager", "marketer", "analyst"})),
    Permission("stores.view", _("See stores"), roles=_ALL),
    Permission("stores.edit", _("Add and change stores"), roles=frozenset({"manager"})),
    Permission("imports.run", _("Run imports and undo them"), roles=frozenset({"manager", "marketer"})),
    Permission("users.manage", _("Manage users"), roles=frozenset()),
    Permission("plugins.manage", _("Switch plugins on and off"), roles=frozenset()),
    Permission("jobs.manage", _("See jobs and events, try again what failed"), roles=frozenset()),
    Permission("settings.manage", _("Change settings"), roles=frozenset()),
    Permission("metrics.read", _("Read figures for monitoring"), roles=frozenset()),
)


def grant_defaults(session: Session, permissions: Iterable[Permission]) -> None:
    """Give each permission to its default roles. Once per permission: what a chain takes away later stays away."""
    roles = {role.name: role.id for role in session.scalars(sa.select(Role))}
    wanted = {(roles[name], permission.name) for permission in permissions for name in permission.roles if name in roles}
    held = {(row.role_id, row.permission) for row in session.scalars(sa.select(RolePermission))}
    session.add_all(RolePermission(role_id=role_id, permission=name) for role_id, name in sorted(wanted - held))


def add_role(session: Session, name: str, plugin: str | None = None) -> None:
    """Add a role that ``plugin`` brings along, unless there is one of that name."""
    if session.scalar(sa.select(Role.id).where(Role.name == name)) is None:
        session.add(Role(name=name, brought_by=plugin))
        session.flush()


def withdraw(session: Session, prefix: str) -> None:
    """Take the permissions that begin with ``prefix`` from every role."""
    session.execute(sa.delete(RolePermission).where(RolePermission.permission.startswith(prefix, autoescape=True)))


@dataclass(frozen=True)
class RoleView:
    """A role as an administrator sees one, with how many people hold it."""

    name: str
    permissions: frozenset[str]
    holders: int


def listed(session: Session) -> list[RoleView]:
    """Every role: those a chain starts with, then what plugins brought along."""
    held = session.execute(sa.select(Role.name, RolePermission.permission).outerjoin(RolePermission, RolePermission.role_id == Role.id))
    permissions: dict[str, set[str]] = {}
    for name, permission in held:
        permissions.setdefault(name, set()).update([permission] if permission else [])
    counted = sa.select(Role.name, sa.func.count()).join(UserRole, UserRole.role_id == Role.id).group_by(Role.name)
    holders = dict(session.execute(counted).all())
    order = [name for name in TITLES if name in permissions] + sorted(permissions.keys() - TITLES.keys())
    return [RoleView(name, frozenset(permissions[name]), holders.get(name, 0)) for name in order]


def grantable(roles: Iterable[RoleView], viewer: Viewer) -> set[str]:
    """The roles a viewer may give and take: nobody hands out what they lack."""
    if viewer.everything:
        return {role.name for role in roles}
    return {role.name for role in roles if role.name != ADMINISTRATOR and all(map(viewer.may, role.permissions))}


def set_permissions(session: Session, name: str, permissions: Iterable[str]) -> None:
    """Let the holders of a role do exactly this. Raises ``NotFound``, and ``NotAllowedYet`` for administrators, who may do everything."""
    role = session.scalar(sa.select(Role).where(Role.name == name))
    if role is None:
        raise NotFound(_("There is no role %(name)s.", name=name))
    if name == ADMINISTRATOR:
        raise NotAllowedYet(_("Administrators may do everything; that can't be changed."))
    session.execute(sa.delete(RolePermission).where(RolePermission.role_id == role.id))
    session.add_all(RolePermission(role_id=role.id, permission=one) for one in sorted(set(permissions)))
