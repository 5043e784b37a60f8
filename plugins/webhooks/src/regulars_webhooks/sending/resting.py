"""How long a receiver asks to be left in peace."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

from regulars_plugin_api.services import HttpReply

ASKING = (429, 503)
LONGEST_REST = dt.timedelta(hours=6)


def asked_rest(reply: HttpReply, now: dt.datetime) -> dt.timedelta | None:
    """What ``Retry-After`` of a 429 or 503 says, in seconds or as a date, six hours at most; None where that can't be read."""
    said = next((value.strip() for name, value in reply.headers.items() if name.lower() == "retry-after"), "")
    if reply.status not in ASKING or not said:
        return None
    if said.isascii() and said.isdecimal():
        # Longer numbers than that are more than the longest rest.
        return min(dt.timedelta(seconds=int(said[:9])), LONGEST_REST)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=dt.UTC)
    return max(dt.timedelta(), min(until - now, LONGEST_REST))
