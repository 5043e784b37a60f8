"""Identifiers for what leaves the house: UUIDs of version 7, so that rows made one after another lie side by side in an index."""

from __future__ import annotations

import os
import time


def uuid7() -> str:
    """A new UUID (RFC 9562, version 7): 48 bits of milliseconds, 74 bits of chance."""
    stamp, chance = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10).hex()
    variant = "89ab"[int(chance[0], 16) & 3]
    return f"{stamp[:8]}-{stamp[8:]}-7{chance[1:4]}-{variant}{chance[4:7]}-{chance[7:19]}"
