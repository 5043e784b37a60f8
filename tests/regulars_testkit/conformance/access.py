"""Who gets in: nobody whom the plugin did not let in on purpose, and nothing changes while they try."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from flask.testing import FlaskClient
from werkzeug.routing import Rule

from regulars_core.users.roles import CORE_PERMISSIONS
from regulars_plugin_api.contributions import Permission
from regulars_plugin_api.manifest import Tier
from regulars_plugin_api.web import PUBLIC, declared_access
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House

SAMPLES = ("1", "00000000-0000-7000-8000-000000000000", "1.0", "x")
"""Values for the variable parts of an address: each gets the first that fits."""


class Address(NamedTuple):
    """One view by one method, with sample values in its address."""

    endpoint: str
    method: str
    path: str
    permission: str | None
    has_arguments: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.endpoint})"


def addresses(house: House) -> list[Address]:
    """Every address of the plugin."""
    app, claims = house.app, house.app.extensions["regulars_claims"]
    found = []
    for rule in app.url_map.iter_rules():
        if claims.get(rule.endpoint.rpartition(".")[0]) == house.subject.name:
            permission = declared_access(app.view_functions[rule.endpoint])
            methods, path = (rule.methods or set()) - {"HEAD", "OPTIONS"}, _path(rule)
            found += [Address(rule.endpoint, method, path, permission, bool(rule.arguments)) for method in methods]
    return sorted(found)


def _path(rule: Rule) -> str:
    path = rule.rule
    for name in re.findall(r"<(?:[^:<>]+:)?(\w+)>", path):
        value = next(one for one in SAMPLES if re.fullmatch(rule._converters[name].regex, one))
        path = re.sub(rf"<(?:[^:<>]+:)?{name}>", value, path)
    return path


@check(Tier.BRONZE, Place.HOUSE)
def declared(house: House) -> Iterator[Flaw]:
    """Every view says who may use it, by a permission that somebody can be given."""
    known = {one.name for found in house.on.plugins.permissions().values() for one in found if isinstance(one, Permission)}
    for one in addresses(house):
        if one.permission is None:
            yield Flaw(f"{one} has no access rule.", 'Put @access("<plugin>.<verb>") below the route, or @access(PUBLIC).')
        elif one.permission != PUBLIC and one.permission not in {*known, *CORE_PERMISSIONS}:
            yield Flaw(
                f"{one} asks for {one.permission}, which nobody can be given.", "Yield a Permission of that name from permissions()."
            )


@check(Tier.BRONZE, Place.HOUSE)
def strangers_stay_out(house: House) -> Iterator[Flaw]:
    """Whoever is not signed in, or has no permission, is refused on every address, and the database stays as it is."""
    visitors: list[tuple[str, FlaskClient]] = [("Somebody not signed in", house.app.test_client())]
    visitors.append(("Somebody without permission", house.stranger.client))
    guarded = [one for one in addresses(house) if one.permission not in (PUBLIC, None)]
    for who, client in visitors:
        for one in guarded:
            reply = client.open(one.path, method=one.method)
            to_sign_in = reply.status_code == 302 and (reply.location or "").startswith("/sign-in")
            if reply.status_code not in (401, 403) and not to_sign_in:
                yield Flaw(f"{who} gets {reply.status_code} from {one}.", "Let nothing answer before the view's permission is asked for.")
        for one in _that_change(house, guarded, client):
            yield Flaw(f"{who} changes the database by {one}.", "Change nothing outside of views: no code for every request.")


@check(Tier.BRONZE, Place.HOUSE)
def reading_changes_nothing(house: House) -> Iterator[Flaw]:
    """A GET of anybody leaves the business data as they are."""
    read = [one for one in addresses(house) if one.method == "GET"]
    for client in (house.app.test_client(), house.administrator.client):
        for one in _that_change(house, read, client):
            yield Flaw(f"{one} changes the database.", "Browsers fetch pages ahead and again: change things by POST.")


def _that_change(house: House, found: Sequence[Address], client: FlaskClient) -> list[Address]:
    """Those of ``found`` after which the business data differ: halves are looked at until single ones are left."""
    before = house.on.dump()
    for one in found:
        client.open(one.path, method=one.method)
    if house.on.dump() == before:
        return []
    if len(found) == 1:
        return list(found)
    middle = len(found) // 2
    return _that_change(house, found[:middle], client) + _that_change(house, found[middle:], client)
