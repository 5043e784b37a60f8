"""What stands behind init, run, web and worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from regulars_core import logs
from regulars_core.config import Config, create_home
from regulars_core.home import NotInitialised, is_new, refuse_lost_database, remember_database, write_private
from regulars_core.users import passwords, service
from regulars_core.users.roles import ADMINISTRATOR, TITLES
from regulars_migrations import standing
from regulars_plugin_api.i18n import _
from regulars_web.console import DONE, FAILED, Console, Failed, loading

if TYPE_CHECKING:
    from flask import Flask

    from regulars_core.crm import Crm

log = structlog.get_logger(__name__)
SAMPLE_USERS_FILE = "sample-users.json"
SAMPLE_PLACE = {"REGULARS_COUNTRY": "SE", "REGULARS_TIMEZONE": "Europe/Stockholm", "REGULARS_CURRENCY": "SEK"}
SAMPLE_STAFF = ("Karin Nyberg", "Milan Novák", "Fatima Haddad", "Jonas Ekström", "Wei Zhang")
DRAIN = 20.0
LETTING_GO = 3.0


def initialise(console: Console) -> Config:
    """Make what is missing: home, key, schema. What is there stays."""
    from regulars_migrations import runner

    create_home(Config.from_environment().home)
    config = Config.from_environment()
    if not is_new(config):
        refuse_lost_database(config)
    runner.upgrade(config.database_url)
    remember_database(config)
    runner.upgrade(config.database_url, console.crm(any_schema=True).plugins.owners())
    return config


def add_administrator(console: Console, email: str, password: str | None) -> str | None:
    """The first administrator. Without a password one is made up and returned, to be shown once."""
    crm = console.crm()
    invented = passwords.invented() if password is None else None
    with crm.transaction(cause="cli") as session:
        name = email.partition("@")[0]
        service.create(session, email=email, name=name, password=password or invented or "", roles=[ADMINISTRATOR], at=crm.clock.now())
    return invented


def refuse_old_schema(crm: Crm) -> None:
    """Raise ``NotInitialised`` when the database is not where the code expects it, ``SchemaRefused`` when it is another product's."""
    standing.refuse_foreign_database(crm.database.engine)
    behind = [one.owner for one in standing.status(crm.config.database_url, crm.plugins.owners()) if one.behind]
    if behind:
        raise NotInitialised(_("The database has to be upgraded first (%(owners)s). Run: regulars db upgrade", owners=", ".join(behind)))


def serve_web(host: str, port: int, workers: int) -> None:
    """Answer requests until told to stop."""
    # Imported before the server forks, so that its processes share the memory of the code.
    import sqlalchemy as sa

    from regulars_core.crm import open_crm
    from regulars_web.app import create_app
    from regulars_web.rest import limits
    from regulars_web.server import serve

    # A wrong setting is to stop the command, not worker after worker.
    config = Config.from_environment()
    limits.storage_of(config)
    # The database's driver as well is shared by the server's forks.
    sa.make_url(config.database_url).get_dialect().import_dbapi()

    def make_app() -> Flask:
        with loading():
            return create_app(open_crm(Config.from_environment()))

    logs.configure(as_json=not sys.stderr.isatty())
    serve(make_app, host, port, workers)


def work(crm: Crm, concurrency: int, *, follow: int | None = None, drain: float = DRAIN) -> None:
    """Work until SIGTERM or SIGINT, then finish what was begun, give back the rest, and end the process after ``drain`` seconds at most.

    ``follow`` is the parent process to end with, however it ended.
    """
    # First of all: who is told to stop while it starts ends as it should, too.
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_about: stop.set())

    from regulars_core.exchange import desk, export_desk
    from regulars_core.jobs.worker import run_worker
    from regulars_core.privacy.upkeep import Upkeep
    from regulars_web.heartbeat import Heartbeat
    from regulars_web.retention import EventRetention
    from regulars_web.troubles import TroubleNotes

    if follow is not None:
        threading.Thread(target=_follow, args=(follow, stop), daemon=True).start()
    drained = threading.Event()
    threading.Thread(target=_end_after, args=(crm, stop, drained, drain), daemon=True).start()
    heartbeat = Heartbeat()
    run_worker(
        crm, stop, concurrency, runners=[desk.work_once, export_desk.work_once, Upkeep(), TroubleNotes(crm), EventRetention(), heartbeat]
    )
    heartbeat.end(crm)
    drained.set()


def _end_after(crm: Crm, stop: threading.Event, drained: threading.Event, drain: float) -> None:
    stop.wait()
    if drained.wait(drain):
        return
    log.warning("work that was begun takes too long; it is given back")
    # It may wait for a lock that the work holds; that one goes with the process.
    giving_back = threading.Thread(target=crm.jobs.keeper.let_go, daemon=True)
    giving_back.start()
    giving_back.join(LETTING_GO)
    os._exit(DONE)


def _follow(parent: int, stop: threading.Event) -> None:
    # A parent that was killed can't tell its children.
    while os.getppid() == parent and not stop.wait(1):
        pass
    stop.set()


def web_and_worker(console: Console, host: str, port: int) -> None:
    """Web in this process, the worker in a child: when one ends, or is told to, the other ends as well."""
    console.close()
    worker = subprocess.Popen([sys.executable, "-m", "regulars_web", "worker", "--follow", str(os.getpid())])
    here, stopping, died = os.getpid(), threading.Event(), threading.Event()
    threading.Thread(target=_end_with, args=(worker, stopping, died), daemon=True).start()
    try:
        serve_web(host, port, 1)
    finally:
        # The server's forks leave through here as well; the worker is not theirs.
        if os.getpid() == here:
            stopping.set()
            _end(worker)
            if died.is_set():
                raise Failed(FAILED)


def _end_with(worker: subprocess.Popen[bytes], stopping: threading.Event, died: threading.Event) -> None:
    worker.wait()
    if not stopping.is_set():
        died.set()
        os.kill(os.getpid(), signal.SIGTERM)


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(30)
    except subprocess.TimeoutExpired:
        worker.kill()


def bootstrap(console: Console, address: str) -> None:
    """On an empty home everything for a first look; on a filled one only the addresses and sample users again."""
    config = Config.from_environment()
    if is_new(config) or _sample_users(config.home):
        # The sample chain is at home in Sweden, unless the environment says otherwise.
        for name, value in SAMPLE_PLACE.items():
            os.environ.setdefault(name, value)
    if is_new(config):
        from regulars_core.plugins import switching
        from regulars_web import demo

        console.say(_("Making a home in %(home)s …", home=config.home))
        initialise(console)
        crm = console.crm()
        for name in list(crm.plugins.loaded):
            switching.enable(crm, name)
        console.say(_("Filling it with the sample chain …"))
        # First, so that plugins find staff to give the sample's work to.
        _add_sample_users(crm)
        demo.fill(crm, "small")
    else:
        from regulars_migrations import runner

        refuse_lost_database(config)
        runner.upgrade(config.database_url, console.crm(any_schema=True).plugins.owners())
    console.say("")
    console.say(_("Regulars: %(address)s", address=address))
    users = _sample_users(Config.from_environment().home)
    for email, password in users.items():
        console.say(f"  {email:<28} {password}")
    console.say("")


def _add_sample_users(crm: Crm) -> None:
    users = {f"{role}@example.com": passwords.invented() for role in TITLES}
    with crm.transaction(cause="cli") as session:
        for (email, password), role, name in zip(users.items(), TITLES, SAMPLE_STAFF, strict=True):
            service.create(session, email=email, name=name, password=password, roles=[role], at=crm.clock.now())
    write_private(crm.config.home / SAMPLE_USERS_FILE, json.dumps(users, indent=2) + "\n")


def _sample_users(home: Path) -> dict[str, str]:
    file = home / SAMPLE_USERS_FILE
    return json.loads(file.read_text("utf-8")) if file.exists() else {}
