"""A Celery worker bound to this home."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import structlog
from celery.signals import setup_logging, worker_ready, worker_shutting_down

from regulars_executor_celery.broker import TASK, batch_of, celery_app
from regulars_plugin_api.services import Crm

log = structlog.get_logger(__name__)


def run(crm: Crm, concurrency: int) -> int:
    """Work until SIGTERM or SIGINT, then finish what was begun; the exit code."""
    app = celery_app(crm)

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def deliver(ids: Sequence[int], fence: str) -> None:
        try:
            crm.jobs.deliver(batch_of(ids, fence))
        except Exception:
            log.exception("a batch could not be written down; it is done again when its lease has lapsed")

    def say_ready(**_about: Any) -> None:
        log.info("waiting for batches", broker=app.connection_for_read().as_uri(), queue=app.conf.task_default_queue)

    def drain(**_about: Any) -> None:
        crm.jobs.drain()

    setup_logging.connect(_keep_logging)
    worker_ready.connect(say_ready)
    worker_shutting_down.connect(drain)
    # Threads, for they share one running system; more processes are more calls of this command.
    worker = app.Worker(pool="threads", concurrency=concurrency, quiet=True, without_gossip=True, without_mingle=True)
    worker.start()
    return int(worker.exitcode or 0)


def _keep_logging(**_about: Any) -> None:
    """Celery would set up logging of its own; that its signal has a receiver keeps it from that."""
    logging.getLogger("celery").setLevel(logging.WARNING)
    logging.getLogger("kombu").setLevel(logging.WARNING)
