"""Finding customers by any fragment: a trigram index for three characters and more, a prefix index on names for one and two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, count, islice

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers.fragments import anywhere, looked_up
from regulars_core.customers.models import Customer, CustomerEmail, CustomerPhone, ExternalId, customer_search
from regulars_plugin_api import values
from regulars_plugin_api.bulk import insert_rows, staged
from regulars_plugin_api.db import BigInt

SHORTEST_FRAGMENT = 3
COMMON = 500
_BETWEEN_DIGITS = "+-./() \u2010\u2011\u2012\u2013\u2014\u2212"
LAST_CHARACTER = "\U0010ffff"

# The full-text table of SQLite, which numbers its rows by customer.
_fulltext = sa.Table("customer_search", sa.MetaData(), sa.Column("rowid", sa.Integer), sa.Column("words", sa.Text))


def matching(session: Session, query: str) -> tuple[sa.ColumnElement[bool], dict[str, str]]:
    """A condition on ``Customer`` and its values: every word of ``query`` is found in its names, contacts or numbers.

    Queries of as many words have the same condition: to put it together takes as long as to ask it.
    """
    words, on_sqlite = values.fold(query).split(), session.get_bind().dialect.name == "sqlite"
    long = [word for word in words if len(word) >= SHORTEST_FRAGMENT]
    short = [word for word in words if len(word) < SHORTEST_FRAGMENT]
    alternatives = [long] if long else []
    number = phone_digits(query) or ""
    if len(number) >= SHORTEST_FRAGMENT:
        # Beside the number as it is written, unless its groups are too short to be looked for.
        alternatives, short = [[number]] if short or long == [number] else [[number], long], []
    given = {name: text for place, word in enumerate(short) for name, text in _range(place, word)}
    if on_sqlite:
        phrases = (" AND ".join('"' + word.replace('"', '""') + '"' for word in words) for words in alternatives)
        given["phrases"] = " OR ".join(f"({phrase})" for phrase in phrases)
    else:
        given |= {f"word{place}": anywhere(word) for place, word in enumerate(chain(*alternatives))}
        parts = (looked_up(session, words) for words in alternatives)
        given |= {f"part{place}": pattern for place, pattern in enumerate(chain.from_iterable(parts))}
    # SQLite begins with those whose long words are found, however many they are; in an id that was added to it sees no way to.
    names_first = bool(short and long and on_sqlite and _is_common(session, given))
    return _condition(len(short), tuple(map(len, alternatives)), names_first=names_first, on_sqlite=on_sqlite), given


def phone_digits(query: str) -> str | None:
    """The national digits of something typed like a phone number, however it is spaced; None for anything else."""
    plain = values.fold(query).replace("(0)", "")
    digits = "".join(character for character in plain if character.isdigit())
    if len(digits) < 5 or any(not (c.isdigit() or c in _BETWEEN_DIGITS) for c in plain):
        return None
    # 00 and 0 are dialled in front of a number and are no part of it in E.164.
    return digits.lstrip("0")


def search_words(names: Iterable[str | None], emails: Iterable[str], phones: Iterable[str], external_ids: Iterable[str]) -> str:
    """The text that is searched for one customer: its folded names, folded e-mails, E.164 digits and folded numbers."""
    words = [*dict.fromkeys(part for part in names if part), *map(values.fold, emails), *(phone.lstrip("+") for phone in phones)]
    return " ".join((*words, *map(values.fold, external_ids)))


def index(session: Session, rows: Sequence[tuple[int, str]]) -> None:
    """Write the words of new customers: ``(id, words)``."""
    insert_rows(session, *place(session), rows)


def place(session: Session) -> tuple[sa.Table, tuple[str, str]]:
    """The table that is searched, and its columns for an id and its words."""
    if session.get_bind().dialect.name == "sqlite":
        return _fulltext, ("rowid", "words")
    return customer_search, ("customer_id", "words")


def put(session: Session, customer: Customer) -> None:
    """Write the words of one customer anew, flushed and with its parts at hand; in the trash it has none."""
    table, (key, _words) = place(session)
    session.execute(sa.delete(table).where(table.c[key] == customer.id))
    if customer.deleted_at is None and customer.merged_into_id is None:
        parts = (sorted(found) for found in _searched(customer))
        index(session, [(customer.id, search_words((customer.fold_name, customer.fold_first, customer.fold_last), *parts))])


def _searched(customer: Customer) -> tuple[list[str], list[str], list[str]]:
    return [one.match for one in customer.emails], [one.e164 for one in customer.phones], [one.value for one in customer.external_ids]


def forget(session: Session, ids: Iterable[int]) -> None:
    """Take customers out of the index."""
    with staged(session, {"id": BigInt}, ((one,) for one in ids)) as gone:
        table, (key, _words) = place(session)
        session.execute(sa.delete(table).where(table.c[key].in_(sa.select(gone.c.id))))


def reindex(session: Session, ids: Iterable[int]) -> None:
    """Write the words of these customers anew from their tables."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    session.flush()
    forget(session, wanted)
    with staged(session, {"id": BigInt}, ((one,) for one in wanted)) as stage:
        ids_of = sa.select(stage.c.id)
        names = session.execute(
            sa.select(Customer.id, Customer.fold_name, Customer.fold_first, Customer.fold_last).where(
                Customer.id.in_(ids_of), Customer.deleted_at.is_(None), Customer.merged_into_id.is_(None)
            )
        ).all()
        parts: dict[int, tuple[list[str], list[str], list[str]]] = {row.id: ([], [], []) for row in names}
        for place, owner, value in (
            (0, CustomerEmail.customer_id, CustomerEmail.match),
            (1, CustomerPhone.customer_id, CustomerPhone.e164),
            (2, ExternalId.customer_id, ExternalId.value),
        ):
            for customer_id, text in session.execute(sa.select(owner, value).where(owner.in_(ids_of)).order_by(owner, value)):
                if customer_id in parts:
                    parts[customer_id][place].append(text)
    index(session, [(row.id, search_words(row[1:], *parts[row.id])) for row in names])


@lru_cache(maxsize=256)
def _condition(short: int, long: tuple[int, ...], *, names_first: bool, on_sqlite: bool) -> sa.ColumnElement[bool]:
    conditions = [_name_begins(place) for place in range(short)]
    if long:
        conditions.append((Customer.id + 0 if names_first else Customer.id).in_(_found(long, on_sqlite=on_sqlite)))
    return sa.and_(*conditions) if conditions else sa.true()


def _range(place: int, word: str) -> tuple[tuple[str, str], ...]:
    return (f"begins{place}", word), (f"ends{place}", word + LAST_CHARACTER)


def _name_begins(place: int) -> sa.ColumnElement[bool]:
    # A range instead of LIKE: the planner of either database reads it from the index.
    begins, ends = (sa.bindparam(f"{end}{place}", type_=sa.Text) for end in ("begins", "ends"))
    return sa.or_(*(sa.and_(name >= begins, name < ends) for name in (Customer.fold_name, Customer.fold_last, Customer.fold_first)))


def _found(alternatives: tuple[int, ...], *, on_sqlite: bool) -> sa.Select[tuple[int]]:
    """The ids of those in whose words all of one of these are found: so many words each."""
    if on_sqlite:
        matches = sa.literal_column("customer_search").op("MATCH")(sa.bindparam("phrases", type_=sa.Text))
        return sa.select(sa.literal_column("rowid")).select_from(_fulltext).where(matches)
    # The index is asked for what stands in no function.
    has = (sa.and_(_like(f"part{place}"), sa.func.coalesce(_like(f"word{place}"), sa.false())) for place in count())
    return sa.select(customer_search.c.customer_id).where(sa.or_(*(sa.and_(*islice(has, amount)) for amount in alternatives)))


def _like(pattern: str) -> sa.ColumnElement[bool]:
    return customer_search.c.words.like(sa.bindparam(pattern), escape="/")


_HOW_COMMON = sa.select(sa.func.count()).select_from(_found((), on_sqlite=True).limit(COMMON).subquery())


def _is_common(session: Session, given: Mapping[str, str]) -> bool:
    return bool(session.connection().execute(_HOW_COMMON, given).scalar_one() == COMMON)
