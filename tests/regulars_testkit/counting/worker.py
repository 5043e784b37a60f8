"""A worker in a process of its own, with the plugin ``counting``: ``python -m regulars_testkit.counting.worker``."""

from __future__ import annotations

import signal
import threading

from regulars_core.jobs.worker import run_worker
from regulars_testkit.counting.proof import here, opened


def main() -> None:
    """Say that it is there and work until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    crm = opened()
    here(crm)
    run_worker(crm, stop, concurrency=2)
    crm.close()


if __name__ == "__main__":
    main()
