"""What a run remembers across its batches, and after a restart: the rows it has touched and the oddities it has noted."""

from __future__ import annotations

import threading
import zlib
from array import array
from collections import defaultdict
from typing import Any

from flask_babel.speaklater import LazyString

from regulars_plugin_api.values import masked

NAMED_RECORDS = 20


class Bitmap:
    """A set of row ids at one bit each: ten million rows are a little over a megabyte."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> bool:
        """Add a number; False if it was there already."""
        place, bit = number >> 3, 1 << (number & 7)
        if place >= len(self._bits):
            self._bits.extend(bytes(max(place + 1 - len(self._bits), len(self._bits), 1024)))
        if self._bits[place] & bit:
            return False
        self._bits[place] |= bit
        return True

    def discard(self, number: int) -> None:
        """Take a number out."""
        if number in self:
            self._bits[number >> 3] &= ~(1 << (number & 7)) & 0xFF

    def __contains__(self, number: int) -> bool:
        place = number >> 3
        return place < len(self._bits) and bool(self._bits[place] & (1 << (number & 7)))


class SeenRows:
    """Implements ``Seen``: what a batch touched counts for the run only when the batch is committed."""

    def __init__(self) -> None:
        self._rows: dict[str, Bitmap] = defaultdict(Bitmap)
        self._batch: dict[str, array[int]] = defaultdict(lambda: array("q"))

    def first_time(self, table: str, row_id: int) -> bool:
        """True once per row and run."""
        if self._rows[table].add(row_id):
            self._batch[table].append(row_id)
            return True
        return False

    def packed(self) -> bytes:
        """What this batch touched, to be kept with it."""
        parts = [f"{table}:{len(ids)}\n".encode() + ids.tobytes() for table, ids in self._batch.items()]
        return zlib.compress(b"".join(parts), level=1)

    def keep(self) -> None:
        """The batch is committed."""
        self._batch.clear()

    def forget(self) -> None:
        """The batch was rolled back."""
        for table, ids in self._batch.items():
            for row_id in ids:
                self._rows[table].discard(row_id)
        self._batch.clear()

    def restore(self, packed: bytes) -> None:
        """Take in what an earlier batch touched."""
        data = zlib.decompress(packed)
        while data:
            head, _, data = data.partition(b"\n")
            table, amount = head.decode().split(":")
            ids = array("q", data[: int(amount) * 8])
            data = data[len(ids) * 8 :]
            for row_id in ids:
                self._rows[table].add(row_id)


class RunNotes:
    """Implements ``Notes``: one entry per code, with how often it happened and the first records it happened to.

    Records before ``first_record`` were noted before the run was interrupted.
    """

    def __init__(self, kept: dict[str, Any] | None = None, first_record: int = 1) -> None:
        self._kept = kept or {}
        self._first_record = first_record
        self._waiting: list[tuple[str, LazyString | str, int, int]] = []
        # The next batch may be read, and noted of, while this one is written.
        self._lock = threading.Lock()

    def add(self, code: str, message: LazyString | str, record: int, amount: int = 1) -> None:
        """Note ``code`` for ``record``; record 0 is the file itself."""
        if record == 0 or record >= self._first_record:
            with self._lock:
                self._waiting.append((code, message, record, amount))

    def up_to(self, last: int) -> dict[str, Any]:
        """All notes on records up to ``last``."""
        notes = {code: {**note, "records": list(note["records"])} for code, note in self._kept.items()}
        with self._lock:
            batch = [one for one in self._waiting if one[2] <= last]
        for code, message, record, amount in batch:
            note = notes.get(code) or notes.setdefault(code, {"message": masked(str(message)), "count": 0, "records": []})
            note["count"] += amount
            if record and len(note["records"]) < NAMED_RECORDS and record not in note["records"]:
                note["records"].append(record)
        return notes

    def keep(self, last: int) -> None:
        """The batch that ends with ``last`` is committed."""
        self._kept = self.up_to(last)
        with self._lock:
            self._waiting = [one for one in self._waiting if one[2] > last]

    @property
    def pending(self) -> int:
        """How many notes wait for their batch to be committed."""
        return len(self._waiting)

    def rewind(self, pending: int, last: int) -> None:
        """Forget what was noted on records up to ``last`` since ``pending`` were waiting: the transaction that noted it was rolled back."""
        with self._lock:
            self._waiting[pending:] = [one for one in self._waiting[pending:] if one[2] > last]
