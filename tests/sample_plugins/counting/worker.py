"""A worker in a process of its own, with the plugin ``counting``: ``python -m sample_plugins.counting.worker URL HOME``."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
import threading
from pathlib import Path

from regulars_core.jobs.leases import Limits
from regulars_core.jobs.worker import run_worker
from sample_plugins import open_with
from sample_plugins.counting import plugin


def main(url: str, home: str) -> None:
    """Say that it is there, by a file ``worker-<pid>``, and work until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    crm = open_with(url, Path(home), plugin)
    crm.jobs.limits = Limits(lease=dt.timedelta(seconds=2))
    (Path(home) / f"worker-{os.getpid()}").touch()
    run_worker(crm, stop, concurrency=2)
    crm.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
