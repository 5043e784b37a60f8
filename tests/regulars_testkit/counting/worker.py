"""A worker in a process of its own, with the plugin ``counting``: ``python -m regulars_testkit.counting.worker``."""

from __future__ import annotations

import os

from regulars_testkit.counting.proof import here, opened
from regulars_web.starting import DRAIN, work


def main() -> None:
    """Say that it is there and work until SIGTERM."""
    crm = opened()
    here(crm)
    work(crm, 2, drain=float(os.environ.get("COUNTING_DRAIN", DRAIN)))
    crm.close()


if __name__ == "__main__":
    main()
