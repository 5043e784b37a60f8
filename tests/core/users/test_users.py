"""Who may sign in and what they may do."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit import journal  # noqa: F401 - listens
from regulars_core.audit.models import Change
from regulars_core.db import Database
from regulars_core.stores.models import Region, Store
from regulars_core.users import holding, passwords, service, sessions
from regulars_core.users.models import Role, RolePermission, User
from regulars_core.users.roles import ADMINISTRATOR, CORE_PERMISSIONS, TITLES, add_role, grant_defaults, withdraw
from regulars_plugin_api.contributions import Permission
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.views import Viewer

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
PASSWORD = "korrekt häst batteri"


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    database = Database(database_url)
    with database.transaction() as session:
        yield session
    database.dispose()


def add(session: Session, email: str = "anna@example.com", roles: tuple[str, ...] = ("clerk",)) -> User:
    return service.create(session, email=email, name="Anna Berg", password=PASSWORD, roles=roles, at=NOW)


def refused(session: Session, **values: object) -> dict[str, str]:
    given = {"email": "anna@example.com", "name": "Anna Berg", "password": PASSWORD, "roles": ("clerk",), "at": NOW} | values
    with pytest.raises(InvalidInput) as refusal:
        service.create(session, **given)  # type: ignore[arg-type]
    return {name: str(text) for name, text in refusal.value.fields.items()}


def stores_of(session: Session) -> list[Store]:
    south = Region(name="South")
    session.add(south)
    session.flush()
    stores = [
        Store(code=code, name=code, timezone="Europe/Stockholm", currency="SEK", region_id=region)
        for code, region in (("LUND", south.id), ("MALMÖ", south.id), ("UMEÅ", None))
    ]
    session.add_all(stores)
    session.flush()
    return stores


def test_the_five_roles_hold_the_permissions_the_code_names(session: Session) -> None:
    held = sorted(session.execute(sa.select(Role.name, RolePermission.permission).join(RolePermission)).all())
    wanted = sorted((role, permission.name) for permission in CORE_PERMISSIONS for role in permission.roles)
    assert held == wanted
    assert set(session.scalars(sa.select(Role.name))) == set(TITLES)


def test_a_new_user_may_do_what_the_roles_allow(session: Session) -> None:
    user = add(session, " Anna@Example.COM ")
    assert holding.viewer_of(session, user) == Viewer(
        user_id=user.id, name="Anna Berg", permissions=frozenset({"customers.view", "customers.edit", "stores.view"}), store_ids=None
    )
    assert [view.email for view in service.listed(session)] == ["anna@example.com"]


def test_an_administrator_may_do_everything_plugins_to_come_included(session: Session) -> None:
    viewer = holding.viewer_of(session, add(session, roles=(ADMINISTRATOR,)))
    assert viewer.may("loyalty.award")


def test_what_a_user_can_not_be(session: Session) -> None:
    add(session)
    assert refused(session) == {"email": "There is already a user with this e-mail address."}
    assert refused(session, email="anna(at)example.com") == {"email": "This is not an e-mail address: anna(at)example.com"}
    assert refused(session, email="b@example.com", name="  ") == {"name": "Give the user a name."}
    assert refused(session, email="b@example.com", password="kort") == {"password": "Use at least 10 characters."}
    assert refused(session, email="b@example.com", roles=("king",)) == {
        "roles": "There is no role king. The roles are: administrator, manager, clerk, marketer, analyst."
    }
    assert refused(session, email="b@example.com", roles=()) == {
        "roles": "Give the user at least one role: administrator, manager, clerk, marketer, analyst."
    }


@pytest.mark.parametrize("password", ["password123", "PASSWORD123", "aaaaaaaaaaaa", "anna@example.com", "1q2w3e4r5t"])
def test_passwords_that_are_tried_first_are_refused(password: str) -> None:
    assert len(passwords.objections(password, "anna@example.com")) == 1


@pytest.mark.parametrize("password", [PASSWORD, "گذرواژه‌ی خوبی", "x y z w v u t", pytest.param(passwords.invented(), id="invented")])
def test_long_passwords_pass_whatever_they_are_made_of(password: str) -> None:
    assert passwords.objections(password, "anna@example.com") == []


def test_passwords_are_kept_as_argon2id(session: Session) -> None:
    user = add(session)
    assert user.password.startswith("$argon2id$")
    assert passwords.matches(PASSWORD, user.password)
    assert passwords.matches(unicodedata.normalize("NFD", PASSWORD), user.password)
    assert not passwords.matches("korrekt hest batteri", user.password)


def test_scope_is_the_named_stores_and_the_stores_of_named_regions(session: Session) -> None:
    lund, malmo, umea = stores_of(session)
    user = add(session)
    service.grant(session, user.email, roles=["clerk"], regions=["South"])
    assert holding.viewer_of(session, user).store_ids == frozenset({lund.id, malmo.id})
    service.grant(session, user.email, roles=["clerk"], stores=["UMEÅ"])
    assert holding.viewer_of(session, user).store_ids == frozenset({umea.id})
    service.grant(session, user.email, roles=["clerk"])
    assert holding.viewer_of(session, user).store_ids is None


def test_a_region_without_stores_shows_nothing_rather_than_everything(session: Session) -> None:
    session.add(Region(name="North"))
    session.flush()
    user = add(session)
    service.grant(session, user.email, roles=["clerk"], regions=["North"])
    assert holding.viewer_of(session, user).store_ids == frozenset()


def test_an_unknown_store_is_refused_and_nothing_is_granted(session: Session) -> None:
    user = add(session)
    with pytest.raises(InvalidInput) as refusal:
        service.grant(session, user.email, roles=["manager"], stores=["NOWHERE"])
    assert {name: str(text) for name, text in refusal.value.fields.items()} == {"stores": "Nobody knows NOWHERE."}
    assert [role.name for role in user.roles] == ["clerk"]


def is_signed_in(session: Session, user: User, token: str, at: dt.datetime = NOW) -> bool:
    return holding.signed_in(session, User, user.fs_uniquifier, token, at) is not None


def test_who_is_signed_in_is_read_with_all_that_may_be_done(session: Session) -> None:
    user = add(session, roles=("clerk", "analyst"))
    token = sessions.start(session, user.id, NOW)
    found = holding.signed_in(session, User, user.fs_uniquifier, token, NOW)
    assert found is not None
    assert (found.user.id, found.user.email, found.viewer) == (user.id, user.email, holding.viewer_of(session, user))


@pytest.mark.parametrize("change", ["disable", "set_password", "grant"])
def test_sessions_end_at_once_with_every_change_of_what_a_user_may_do(session: Session, change: str) -> None:
    user = add(session)
    token, cookie_name = sessions.start(session, user.id, NOW), user.fs_uniquifier
    assert is_signed_in(session, user, token)
    if change == "disable":
        service.disable(session, user.email)
    elif change == "set_password":
        service.set_password(session, user, "en helt annan mening")
    else:
        service.grant(session, user.email, roles=["analyst"])
    assert not is_signed_in(session, user, token)
    assert user.fs_uniquifier != cookie_name


def test_a_session_is_one_users_and_runs_out(session: Session) -> None:
    anna, bo = add(session), add(session, "bo@example.com")
    token = sessions.start(session, anna.id, NOW)
    assert is_signed_in(session, anna, token)
    assert not is_signed_in(session, bo, token)
    assert not is_signed_in(session, anna, token, NOW + sessions.LONGEST)
    sessions.end(session, token)
    assert not is_signed_in(session, anna, token)


def test_secrets_leave_no_trace_in_the_journal(session: Session) -> None:
    user = add(session)
    service.set_password(session, user, "en helt annan mening")
    service.disable(session, user.email)
    session.flush()
    entries = session.execute(sa.select(Change.table_name, Change.column_name).order_by(Change.id)).all()
    assert [tuple(entry) for entry in entries] == [("user_account", "*"), ("user_account", "active")]


def test_the_last_administrator_stays(session: Session) -> None:
    admin = add(session, "admin@example.com", roles=(ADMINISTRATOR,))
    with pytest.raises(InvalidInput):
        service.disable(session, admin.email)
    with pytest.raises(InvalidInput):
        service.grant(session, admin.email, roles=["clerk"])
    add(session, "second@example.com", roles=(ADMINISTRATOR,))
    service.disable(session, admin.email)
    assert service.administrators(session) == ["second@example.com"]


def test_a_plugins_permissions_go_to_their_default_roles_and_to_those_it_brings(session: Session) -> None:
    award = Permission("loyalty.award", "Award points", roles={"manager", "service", "nobody"})
    add_role(session, "service")
    for _again in range(2):
        grant_defaults(session, [award])
    session.flush()
    holders = session.scalars(sa.select(Role.name).join(RolePermission).where(RolePermission.permission == "loyalty.award")).all()
    assert sorted(holders) == ["manager", "service"]
    withdraw(session, "loyalty.")
    assert session.scalar(sa.select(sa.func.count()).where(RolePermission.permission == "loyalty.award")) == 0
