"""Systems of their own, in which a plugin and those it requires are installed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask

from regulars_core.plugins import switching
from regulars_core.stores import service as stores
from regulars_core.users import service as users
from regulars_plugin_api.services import HttpReply
from regulars_testkit.conformance.databases import Databases
from regulars_testkit.conformance.planting import Gardener, Markers
from regulars_testkit.conformance.subject import Subject
from regulars_testkit.crm import CrmHarness, open_harness
from regulars_testkit.staff import Staff, sign_in
from regulars_web.app import create_app


class NoNetwork:
    """In place of the outside: nobody answers."""

    def request(self, method: str, url: str, **_about: Any) -> HttpReply:
        """Fail as a cut line does."""
        raise ConnectionError(f"{method} {url}: nothing is sent while a plugin is examined")


@dataclass
class House:
    """One house serves many checks. ``crm`` is the system with what the plugin requires, ``on`` the same with the plugin on."""

    subject: Subject
    url: str
    home: Path
    opened: list[CrmHarness] = field(default_factory=list)

    def open(self, *, with_plugin: bool = True) -> CrmHarness:
        """Another system on the same database, with the package there or gone."""
        candidates = self.subject.candidates if with_plugin else list(self.subject.required)
        crm = open_harness(self.url, self.home, candidates=candidates)
        crm.http = NoNetwork()
        self.opened.append(crm)
        return crm

    @cached_property
    def crm(self) -> CrmHarness:
        """The system; what the plugin requires is on."""
        crm = self.open()
        crm.enable(*(name for name in self.subject.loaded if name != self.subject.name))
        return crm

    @property
    def on(self) -> CrmHarness:
        """The system with the plugin switched on."""
        self.crm.plugins.refresh()
        if not self.crm.plugins.is_enabled(self.subject.name):
            switching.enable(self.crm, self.subject.name)
        return self.crm

    @property
    def never_on(self) -> CrmHarness:
        """The system as if the plugin had never been on."""
        self.crm.plugins.refresh()
        if self.subject.name in self.crm.plugins.rows:
            switching.disable(self.crm, self.subject.name)
            switching.purge(self.crm, self.subject.name)
        return self.crm

    @cached_property
    def app(self) -> Flask:
        """Its web application."""
        return create_app(self.on)

    @cached_property
    def administrator(self) -> Staff:
        """Somebody who may do everything."""
        return sign_in(self.app, role="administrator")

    @cached_property
    def stranger(self) -> Staff:
        """Somebody who is signed in and may do nothing."""
        return sign_in(self.app, may=[])

    @cached_property
    def _gardener(self) -> Gardener:
        email = self.administrator.email
        with self.on.transaction() as session:
            store = stores.add(session, {"code": "M1", "name": "Malmö"}, timezone="Europe/Stockholm", currency="SEK")
            return Gardener(self.subject, {"store": store, "user_account": users.find(session, email).id})

    @cached_property
    def people(self) -> tuple[int, int]:
        """Two customers."""
        first, second = (self.on.customers.create({"display_name": name}) for name in ("Ada Öberg", "Ada Berg"))
        return first, second

    def plant(self, customer_id: int) -> Markers:
        """Add a row to each of the plugin's tables, tied to the customer where it can be."""
        gardener = self._gardener
        with self.on.transaction() as session:
            return gardener.plant(session, customer_id)

    def close(self) -> None:
        """Let go of the database."""
        for crm in self.opened:
            crm.close()


class Houses:
    """A house for each kind of database, built when it is needed; one in which something went wrong is given up."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject = subject
        self._folder = folder
        self._houses: dict[str, tuple[House, Databases]] = {}

    def house(self, databases: Databases) -> House:
        """The house on a database of this kind."""
        if databases.kind not in self._houses:
            home = self._folder / f"{databases.kind}-{secrets.token_hex(4)}"
            self._houses[databases.kind] = House(self.subject, databases.new(), home), databases
        return self._houses[databases.kind][0]

    def give_up(self, kind: str) -> None:
        """Pull a house down; the next one is new."""
        house, databases = self._houses.pop(kind)
        house.close()
        databases.drop(house.url)

    def close(self) -> None:
        """Pull all of them down."""
        for kind in list(self._houses):
            self.give_up(kind)
