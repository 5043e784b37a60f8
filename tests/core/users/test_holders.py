"""Whom to tell: those who may do something about it."""

from __future__ import annotations

import sqlalchemy as sa

from regulars_core.users import service
from regulars_core.users.models import Role, RolePermission
from regulars_testkit.crm import CrmHarness


def test_holders_of_a_permission_are_those_with_its_roles_and_administrators(crm: CrmHarness) -> None:
    ids = {}
    with crm.transaction() as session:
        watchers = Role(name="watchers")
        session.add(watchers)
        session.flush()
        session.add(RolePermission(role_id=watchers.id, permission="toy.watch"))
        for name, roles in {"ada": ["administrator"], "bo": ["watchers", "clerk"], "cy": ["clerk"], "di": ["watchers"]}.items():
            made = service.create(
                session, email=f"{name}@example.com", name=name, password="korrekt häst batteri", roles=roles, at=crm.clock.now()
            )
            ids[name] = made.id
        session.execute(sa.text("UPDATE user_account SET active = false WHERE name = 'di'"))
    with crm.read() as session:
        assert crm.notices.holders(session, "toy.watch") == [ids["ada"], ids["bo"]]
        assert crm.notices.holders(session, "toy.unheard_of") == [ids["ada"]]
