"""A system of its own, in which a plugin and those it requires are installed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flask import Flask

from regulars_core.plugins import switching
from regulars_testkit.conformance.databases import Databases
from regulars_testkit.conformance.subject import Subject
from regulars_testkit.crm import CrmHarness, open_harness
from regulars_testkit.staff import Staff, sign_in
from regulars_web.app import create_app


@dataclass
class House:
    """Opened when it is first used: ``url`` alone is a database with the platform's tables, ``crm`` the system with nothing switched on."""

    subject: Subject
    url: str
    home: Path
    opened: list[CrmHarness] = field(default_factory=list)

    def open(self, *, with_plugin: bool = True) -> CrmHarness:
        """Another system on the same database, with the package there or gone."""
        candidates = self.subject.candidates if with_plugin else list(self.subject.required)
        crm = open_harness(self.url, self.home, candidates=candidates)
        self.opened.append(crm)
        return crm

    @cached_property
    def crm(self) -> CrmHarness:
        """The system; what the plugin requires is on, itself is not."""
        crm = self.open()
        crm.enable(*(name for name in self.subject.loaded if name != self.subject.name))
        return crm

    @cached_property
    def on(self) -> CrmHarness:
        """The system with the plugin switched on."""
        if not self.crm.plugins.is_enabled(self.subject.name):
            switching.enable(self.crm, self.subject.name)
        return self.crm

    @cached_property
    def app(self) -> Flask:
        """Its web application, with the plugin switched on."""
        return create_app(self.on)

    @cached_property
    def administrator(self) -> Staff:
        """Somebody who may do everything."""
        return sign_in(self.app, role="administrator")

    @cached_property
    def stranger(self) -> Staff:
        """Somebody who is signed in and may do nothing."""
        return sign_in(self.app, may=[])

    def close(self) -> None:
        """Let go of the database."""
        for crm in self.opened:
            crm.close()


@contextmanager
def house_of(subject: Subject, databases: Databases) -> Iterator[House]:
    """A house that is pulled down at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="regulars-check-") as home:
        house = House(subject, databases.new(), Path(home))
        try:
            yield house
        finally:
            house.close()
            databases.drop(house.url)
