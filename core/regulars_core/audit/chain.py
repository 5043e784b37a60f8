"""The chain over the journal: whoever alters, removes or reorders an entry is found out.

Entries written together form a block, whose digest goes in with them. Of an entry that holds values only a salted digest is
covered, so that an erasure can drop values and salt and leave the digest. Blocks are sealed one to the next a little later: done
at once, every writer would wait for every other.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit.models import ROW, AuditBlock, Change
from regulars_plugin_api.bulk import PreparedWrites, reserve_ids_of, update_rows

SALT = 16
MOST_FOUND = 100
ERASED = ("erasure", "changes")
"""Entries that say how many others lost their values: no value goes without one."""
COLUMNS = ("id", "table_name", "row_id", "column_name", "old", "new", "salt", "block_id", "actor_id", "cause", "at")

_CHANGES: Any = Change.__table__
_BLOCKS: Any = AuditBlock.__table__
_READ = tuple(_CHANGES.c)
# Values as the database keeps them: converting a batch's one time stamp for every row would cost more than the digests.
_AS_KEPT = sa.Table("change", sa.MetaData(), *(sa.Column(name) for name in COLUMNS))
Entry = tuple[str, int, str, str | None, str | None]


def append(session: Session, entries: Sequence[Entry], *, actor_id: int | None, cause: str, at: dt.datetime) -> None:
    """Write entries of the journal as one block, in a constant number of statements."""
    ids, (block_id,) = reserve_ids_of(session, (_CHANGES, len(entries)), (_BLOCKS, 1))
    dialect = session.get_bind().dialect
    keep = _CHANGES.c.at.type.dialect_impl(dialect).bind_processor(dialect)
    about = (block_id, actor_id, cause, keep(at) if keep else at)
    sha256, salts = hashlib.sha256, os.urandom(SALT * len(entries))
    rows: list[tuple[Any, ...]] = []
    covered = [_header(actor_id, cause, at)]
    salted = 0
    # Imports come through here for every row they write: nothing is called that can be said in place, see ``_text`` and ``_leaf``.
    for number, (table, row_id, column, old, new) in zip(ids, entries, strict=True):
        text = f"{number}\x1f{table}\x1f{row_id}\x1f{column}\x1f{old or ''}\x1f{new or ''}".encode()
        if column == ROW:
            covered.append(text)
            rows.append((number, table, row_id, column, old, new, None, *about))
        else:
            salt = salts[salted : salted + SALT]
            salted += SALT
            covered.append(sha256(salt + text).digest())
            rows.append((number, table, row_id, column, old, new, salt, *about))
    writes = PreparedWrites(session)
    writes.insert(_AS_KEPT, COLUMNS, rows)
    writes.insert(_BLOCKS, ("id", "size", "digest"), [(block_id, len(rows), sha256(b"".join(covered)).digest())])
    writes.write()


def blank(session: Session, which: sa.ColumnElement[bool]) -> int:
    """Drop values and salts of entries and keep what the chain covers of them; how many that were. Part of an erasure."""
    held = sa.or_(Change.old.is_not(None), Change.new.is_not(None))
    entries = session.execute(sa.select(*_READ).where(which, held, Change.column_name != ROW)).all()
    rows = [(entry.id, None, None, None, None if entry.block_id is None else _covered(entry)) for entry in entries]
    update_rows(session, Change.__table__, ("old", "new", "salt", "digest"), rows)
    return sum(row[-1] is not None for row in rows)


def seal(session: Session) -> None:
    """Tie every block that is not tied yet to those before it."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('regulars audit chain'))"))
    sealed = sa.select(AuditBlock.place, AuditBlock.seal).where(AuditBlock.place.is_not(None))
    last = session.execute(sealed.order_by(AuditBlock.place.desc()).limit(1)).first()
    place, before = (last.place or 0, last.seal or b"") if last else (0, b"")
    loose = sa.select(AuditBlock.id, AuditBlock.size, AuditBlock.digest).where(AuditBlock.place.is_(None)).order_by(AuditBlock.id)
    rows = []
    for block in session.execute(loose):
        place, before = place + 1, _seal(before, block.id, block.size, block.digest)
        rows.append((block.id, place, before))
    update_rows(session, AuditBlock.__table__, ("place", "seal"), rows)


@dataclass
class Verdict:
    """What ``verify`` saw. ``head`` is the place and seal of the last block: noted elsewhere, it proves that nothing after it went."""

    entries: int = 0
    blocks: int = 0
    head: str = ""
    problems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    def add(self, what: str, number: int | None) -> None:
        """Note a problem, up to ``MOST_FOUND``."""
        if len(self.problems) < MOST_FOUND:
            self.problems.append({"problem": what, "id": number})


@dataclass
class _Open:
    """A block whose entries are being read."""

    size: int
    wanted: bytes
    about: tuple[Any, ...] | None = None
    seen: int = 0
    digest: Any = None


def verify(session: Session, head: str = "") -> Verdict:
    """Read the whole journal against its chain. ``head`` is what an earlier call said; it must still be there."""
    found = Verdict()
    blocks = _chained(session, found, head)
    blanked, erased = 0, 0
    started = False
    for entry in session.execute(sa.select(*_READ).order_by(Change.id).execution_options(yield_per=5000)):
        found.entries += 1
        block = blocks.get(entry.block_id)
        if block is None:
            # Entries from before there was a chain have no block.
            if started or entry.block_id is not None:
                found.add("outside the chain", entry.id)
            continue
        started = True
        about = (entry.actor_id, entry.cause, entry.at)
        if block.about is None:
            block.about, block.digest = about, hashlib.sha256(_header(*about))
        if block.about != about:
            found.add("altered", entry.id)
        block.seen += 1
        block.digest.update(_covered(entry))
        blanked += entry.digest is not None
        erased += int(entry.new) if (entry.table_name, entry.column_name) == ERASED else 0
        if block.seen == block.size:
            if block.digest.digest() != block.wanted:
                found.add("block altered", entry.block_id)
            del blocks[entry.block_id]
    for block_id in blocks:
        found.add("entries removed", block_id)
    if blanked != erased:
        found.add("values missing without an erasure", None)
    return found


def _chained(session: Session, found: Verdict, head: str) -> dict[int, _Open]:
    blocks: dict[int, _Open] = {}
    before, expected = b"", 0
    heads = {""}
    for block in session.execute(sa.select(AuditBlock.__table__).order_by(AuditBlock.place.is_(None), AuditBlock.place, AuditBlock.id)):
        found.blocks += 1
        blocks[block.id] = _Open(block.size, bytes(block.digest))
        if block.place is None:
            continue
        expected += 1
        before = _seal(before, block.id, block.size, block.digest)
        if block.place != expected or bytes(block.seal) != before:
            found.add("chain broken", block.id)
            before, expected = bytes(block.seal), block.place
        found.head = f"{block.place}:{before.hex()}"
        heads.add(found.head)
    if head not in heads:
        found.add("the end is missing", None)
    return blocks


def _covered(entry: Any) -> bytes:
    what = (entry.id, entry.table_name, entry.row_id, entry.column_name, entry.old, entry.new)
    if entry.digest is not None:
        return bytes(entry.digest) if entry.old is None and entry.new is None and entry.salt is None else b""
    return _text(*what) if entry.salt is None else _leaf(bytes(entry.salt), *what)


def _leaf(salt: bytes, number: int, table: str, row_id: int, column: str, old: str | None, new: str | None) -> bytes:
    """What the chain covers of an entry that holds values."""
    return hashlib.sha256(salt + _text(number, table, row_id, column, old, new)).digest()


def _header(actor_id: int | None, cause: str, at: dt.datetime) -> bytes:
    return json.dumps([actor_id, cause, at.astimezone(dt.UTC).isoformat()]).encode()


def _text(*parts: Any) -> bytes:
    # Values are JSON and so never empty: nothing else reads like a missing one.
    return "\x1f".join(["" if part is None else str(part) for part in parts]).encode()


def _seal(before: bytes, block_id: int, size: int, digest: bytes) -> bytes:
    return hashlib.sha256(before + _text(block_id, size) + bytes(digest)).digest()
