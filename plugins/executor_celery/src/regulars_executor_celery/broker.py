"""The way to Celery. A message is the ids of a leased batch and its fence; the event log stays the truth, so it may be lost or doubled."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from celery import Celery
from kombu import Connection, Queue

from regulars_plugin_api.contributions import LeasedBatch
from regulars_plugin_api.services import Crm

log = structlog.get_logger(__name__)
TASK = "regulars.deliver"
PATIENCE = 3
"""Seconds until a broker that does not answer counts as down."""
PAUSE = 5.0
"""Seconds until a broker that was down is asked again."""
LONGEST_BATCH = 12 * 3600
"""Seconds after which Redis gives a message that nobody acknowledged to another worker: longer than any batch takes."""


def celery_app(crm: Crm) -> Celery:
    """Celery as the settings say: JSON only, no results, a message is acknowledged when its work is done."""
    settings = crm.settings.of("executor_celery")
    app = Celery("regulars", broker=settings["broker_url"], set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue=settings["queue"],
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_timeout=PATIENCE,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(settings["broker_url"]),
    )
    return app


def _transport_options(url: str) -> dict[str, Any]:
    if url.startswith("redis"):
        return {"visibility_timeout": LONGEST_BATCH, "socket_timeout": PATIENCE + 7, "socket_connect_timeout": PATIENCE}
    return {}


class Sender:
    """Passes batches on, as many as may wait at the broker. While it is down they stay in the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings: Mapping[str, Any] = {}
        self._app: Celery | None = None
        self._connection: Connection | None = None
        self._down_since: float | None = None

    def has_room(self, crm: Crm) -> bool:
        """Whether the broker answers and fewer batches wait there than may."""
        with self._lock:
            if self._down_since is not None and time.monotonic() < self._down_since + PAUSE:
                return False
            try:
                app, connection = self._connected(crm)
                waiting = depth(connection, app.conf.task_default_queue)
            except Exception as error:
                # Each transport has errors of its own; whichever it is, the work stays where it is.
                self._note_down(error)
                return False
            if self._down_since is not None:
                log.info("the broker answers again")
                self._down_since = None
            return waiting < int(self._settings["waiting"])

    def submit(self, crm: Crm, batch: LeasedBatch) -> None:
        """Send a batch. Raises what the broker's client raises."""
        with self._lock:
            try:
                app, connection = self._connected(crm)
                app.send_task(TASK, args=message_of(batch), connection=connection, retry=False)
            except Exception as error:
                self._note_down(error)
                raise

    def _connected(self, crm: Crm) -> tuple[Celery, Connection]:
        settings = crm.settings.of("executor_celery")
        if self._app is None or settings != self._settings:
            self._forget()
            self._app, self._settings = celery_app(crm), settings
        if self._connection is None:
            connection = self._app.connection_for_write()
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=PATIENCE)
            self._connection = connection
        return self._app, self._connection

    def _note_down(self, error: Exception) -> None:
        if self._down_since is None:
            log.error("the broker is not to be reached; work waits in the database", error=f"{type(error).__name__}: {error}")
        self._down_since = time.monotonic()
        self._forget()

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.release()
        self._connection = None


def depth(connection: Connection, queue: str) -> int:
    """How many messages wait in a queue; 0 for one that is not there yet."""
    with connection.channel() as channel:
        try:
            return int(Queue(queue, channel=channel).queue_declare(passive=True).message_count)
        except connection.channel_errors:
            return 0


def message_of(batch: LeasedBatch) -> Sequence[Any]:
    """A batch as JSON."""
    return list(batch.ids), batch.fence


def batch_of(ids: Sequence[int], fence: str) -> LeasedBatch:
    """A batch from JSON."""
    return LeasedBatch(tuple(ids), fence)


def problem(crm: Crm) -> str | None:
    """Why the broker can't be reached; None if it answers."""
    with celery_app(crm).connection_for_read() as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=PATIENCE)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return None
