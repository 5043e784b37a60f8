"""Serving the application: gunicorn, started from our own code so that there is no second file of settings."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from regulars_web import metrics

THREADS = 4


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, make_app: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._make_app, self._options = make_app, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._make_app()


def serve(make_app: Callable[[], Flask], host: str, port: int, workers: int) -> None:
    """Answer requests until SIGTERM or SIGINT. ``make_app`` is called once in each worker, so nothing is shared by fork."""
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": THREADS,
        "graceful_timeout": 20,
        # Longer than a start-up in which several plugins hang: a process ended in the middle of it would start over for ever.
        "timeout": 120,
        "loglevel": "warning",
        "control_socket_disable": True,
        "pre_fork": _choose_core,
        "post_fork": _stay_on_core,
    }
    if workers == 1:
        _Server(make_app, options).run()
        return
    here, folder = os.getpid(), tempfile.mkdtemp(prefix="regulars-figures-")
    os.environ[metrics.FOLDER] = folder
    try:
        _Server(make_app, {**options, "child_exit": _forget_figures}).run()
    finally:
        # A worker that ends leaves through here as well; the others still write theirs.
        if os.getpid() == here:
            shutil.rmtree(folder, ignore_errors=True)


def _choose_core(server: Any, worker: Any) -> None:
    """That with the fewest workers.

    Of the threads of a worker only one computes at a time: on one core they don't wake each other across the machine for every answer,
    nor find its caches cold.
    """
    cores = list(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    # Several installations on one machine don't all begin with the same one.
    random.shuffle(cores)
    taken = [one.core for one in server.WORKERS.values()]
    worker.core = min(cores, key=taken.count, default=None)


def _stay_on_core(_server: Any, worker: Any) -> None:
    if worker.core is not None:
        os.sched_setaffinity(0, {worker.core})


def _forget_figures(_server: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
