"""Which parts of a word PostgreSQL looks up in its trigram index.

For each trigram the index holds a list of all who have it, and it reads the lists of all trigrams of a word from end to end: three
letters that stand in everybody's e-mail address take longer than all the others, and tell nobody from anybody.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

COMMON = 0.05
"""Trigrams that more than this part of all customers have are not looked up."""
BELIEVED = 600.0
"""Seconds after which the database is asked again which trigrams those are."""
_LITERALLY = str.maketrans({character: f"/{character}" for character in "/%_"})
_BETWEEN_WORDS = re.compile(r"[\W_]+")
# About a hundred texts, taken anew whenever PostgreSQL analyzes the table; it estimates by them how many a pattern lets through.
_SAMPLE = """SELECT histogram_bounds::text::text[] FROM pg_stats
    WHERE (schemaname, tablename, attname) = (current_schema(), 'customer_search', 'words')"""
_common: WeakKeyDictionary[Any, tuple[float, frozenset[str]]] = WeakKeyDictionary()


def anywhere(word: str) -> str:
    """A pattern for LIKE of whatever has ``word`` in it, with ``/`` before what is meant literally."""
    return f"%{word.translate(_LITERALLY)}%"


def looked_up(session: Session, words: Sequence[str]) -> list[str]:
    """For each of ``words``, of three characters and more, the pattern to ask the index for: it lets through all who have the word."""
    common = _common_trigrams(session)
    rare = [_rare(word, common) for word in words]
    # A word that everybody has is not looked up beside others; if all are like that the index has to do what it can.
    another = next(filter(None, rare), None)
    return [pattern or another or anywhere(word) for word, pattern in zip(words, rare, strict=True)]


def _rare(word: str, common: frozenset[str]) -> str | None:
    """A pattern of ``word`` without its common trigrams. None if it has no others."""
    is_rare = [common.isdisjoint(_trigrams(word[place : place + 3])) for place in range(len(word) - 2)]
    stays = [any(is_rare[max(place - 2, 0) : place + 1]) for place in range(len(word))]
    parts = (character.translate(_LITERALLY) if one else "%" for character, one in zip(word, stays, strict=True))
    return f"%{''.join(parts)}%" if any(is_rare) else None


def _trigrams(text: str) -> set[str]:
    """As PostgreSQL makes them, with two blanks before a word and one behind it."""
    spaced = _BETWEEN_WORDS.sub("  ", text)
    return {spaced[place : place + 3] for place in range(len(spaced) - 2) if not spaced.startswith("  ", place + 1)}


def _common_trigrams(session: Session) -> frozenset[str]:
    until, found = _common.get(session.get_bind(), (0.0, frozenset()))
    if time.monotonic() >= until:
        # Upkeep like that of the connection, and like it past SQLAlchemy: no statement of the page that happens to be the first.
        driver: Any = session.connection().connection.driver_connection
        texts = [text for (sample,) in driver.execute(_SAMPLE).fetchall() for text in sample or ()]
        amounts = Counter(chain.from_iterable(_trigrams(f" {text} ") for text in texts))
        found = frozenset(trigram for trigram, amount in amounts.items() if amount > COMMON * len(texts))
        _common[session.get_bind()] = time.monotonic() + BELIEVED, found
    return found
