"""Serving the application: gunicorn, started from our own code so that there is no second file of settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

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
    _Server(
        make_app,
        {
            "bind": f"{host}:{port}",
            "workers": workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": 20,
            "loglevel": "warning",
            "control_socket_disable": True,
        },
    ).run()
