"""A served system and a real Chromium: fixtures to import into a ``conftest.py``."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, expect
from werkzeug.serving import make_server

from regulars_core.config import Config, create_home
from regulars_core.crm import Crm, open_crm
from regulars_core.exchange import desk, export_desk, runs
from regulars_core.exchange.options import ImportOptions
from regulars_core.exchange.report import verdict
from regulars_core.users import service
from regulars_testkit.staff import PASSWORD
from regulars_web.app import create_app

SWITCHES = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
LOOKS = ((1440, "light"), (360, "dark"))
"""Width and theme for walks over many pages: colours do not depend on the width, nor what sticks out on the theme."""

# What is expected is waited for, and a machine that tests has much to do.
expect.set_options(timeout=20_000)


@dataclass(frozen=True)
class Site:
    """A running system at an address. Each of the five roles has a user ``<role>@example.com``."""

    crm: Crm
    address: str

    def sign_in(self, page: Page, role: str) -> None:
        """Sign in by the form."""
        page.goto(f"{self.address}/sign-in")
        page.get_by_label("E-mail").fill(f"{role}@example.com")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.address}/")

    def import_file(self, kind: str, path: Path) -> str:
        """Import a file by the worker of this site and return the verdict."""
        run_id = runs.start(self.crm, kind, path, ImportOptions())
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with self.crm.read() as session:
                run = runs.get(session, run_id)
            if run.finished_at is not None:
                return verdict(run)
            time.sleep(0.05)
        raise TimeoutError(f"import {run_id} has not ended")

    def prefer(self, role: str, *, locale: str = "en", theme: str = "auto") -> None:
        """Set what a user would set in the profile."""
        with self.crm.transaction() as session:
            user = service.find(session, f"{role}@example.com")
            user.locale, user.theme = locale, theme


@contextmanager
def served(home: Path, database_url: str, plugins: Any | None = None) -> Iterator[Site]:
    """The system behind ``database_url``, with web and worker in threads of this process."""
    create_home(home)
    crm = open_crm(Config(home=home, database_url=database_url, secret_key="k" * 40), plugins=plugins)
    with crm.transaction() as session:
        for role in ("administrator", "manager", "clerk", "marketer", "analyst"):
            service.create(session, email=f"{role}@example.com", name=role.title(), password=PASSWORD, roles=[role], at=crm.clock.now())
    app = create_app(crm)
    app.config["RATELIMIT_ENABLED"] = False
    app.extensions["regulars_limiter"].enabled = False
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    stop = threading.Event()
    threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=_work, args=(crm, stop))]
    for thread in threads:
        thread.start()
    try:
        yield Site(crm, f"http://127.0.0.1:{server.server_port}")
    finally:
        stop.set()
        server.shutdown()
        for thread in threads:
            thread.join()
        crm.close()


def _work(crm: Crm, stop: threading.Event) -> None:
    while not stop.wait(0.1):
        while desk.work_once(crm) or export_desk.work_once(crm):
            pass


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The machine's own Chromium; run as root, it starts only without its sandbox."""
    names = (os.environ.get("REGULARS_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("The browser tests need Chromium. Install it: sudo apt-get install chromium")
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": path, "args": [*sandbox, *SWITCHES]}


@pytest.fixture
def complaints(context: BrowserContext) -> list[str]:
    """What pages complained about: policy violations, failed scripts, anything else on the console."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.append(message.text)

    def refuse(dialog: Dialog) -> None:
        found.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def watch(page: Page) -> None:
        page.on("console", note)
        page.on("pageerror", lambda error: found.append(str(error)))
        page.on("dialog", refuse)

    context.on("page", watch)
    return found
