"""A plugin that writes one row for each event it is told of, and outside of the database one line into a file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import EventHandler
from regulars_plugin_api.events import Delivered, StoreCreated
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Manifest
from regulars_plugin_api.services import Crm

MANIFEST = Manifest(name="counting", title="Counting", summary="Counts events.", category=Category.OPERATIONS, api="1.0")

# Apart from the shared Base, so that tests of core's schema do not see it. No constraint: a second effect must show.
effects = sa.Table("counting_effect", sa.MetaData(), sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("event_uid", sa.Text))


def tell_outside(crm: Crm, event: Delivered[StoreCreated]) -> None:
    """Add the delivery's id to the file ``told`` in the folder ``REGULARS_HOME``, after ``COUNTING_DELAY`` seconds."""
    time.sleep(float(os.environ.get("COUNTING_DELAY", "0")))
    handle = os.open(os.path.join(os.environ["REGULARS_HOME"], "told"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, f"{event.id}\n".encode())
    os.close(handle)


def count(session: Session, event: Delivered[StoreCreated]) -> None:
    """Add a row."""
    session.execute(sa.insert(effects).values(event_uid=event.event_uid))


@hookimpl
def event_handlers() -> Iterable[EventHandler]:
    yield EventHandler("counting.count", (StoreCreated,), apply=count, outside=tell_outside)
