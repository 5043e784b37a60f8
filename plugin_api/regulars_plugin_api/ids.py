"""Identifiers for what leaves the house: UUIDs of version 7, so that rows made one after another lie side by side in an index."""

from __future__ import annotations

import secrets
import time


def uuid7() -> str:
    """A new UUID (RFC 9562, version 7): 48 bits of milliseconds, 74 bits of chance."""
    stamp = time.time_ns() // 1_000_000
    value = (stamp & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
