"""The clock of the running system."""

from __future__ import annotations

import datetime as dt


class SystemClock:
    """The machine's time."""

    def now(self) -> dt.datetime:
        """This instant, aware, in UTC."""
        return dt.datetime.now(dt.UTC)
