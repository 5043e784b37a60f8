"""Who took part in contacts, as files name them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking.models import Interaction, Participant
from regulars_plugin_api.bulk import insert_rows, staged, update_rows
from regulars_plugin_api.db import BigInt, users

NOBODY = ""
interactions: sa.Table = Interaction.__table__
participants: sa.Table = Participant.__table__


class Staff:
    """Members of staff by the words that mean them: an e-mail, or a name that only one of them has."""

    def __init__(self, session: Session) -> None:
        people = session.execute(sa.select(users.c.id, users.c.name, users.c.email)).all()
        times = Counter(one.name for one in people)
        self._ids = {one.email: one.id for one in people}
        self._emails = {one.name: one.email for one in people if times[one.name] == 1} | {email: email for email in self._ids}

    def settled(self, words: str) -> str:
        """The same words however members of staff are named; what names anybody else stays as it is."""
        emails = [self._emails.get(name) for name in names(words)]
        return words if None in emails else in_words({email for email in emails if email})

    def meant(self, settled: str | None) -> list[int]:
        """The members of staff of settled words; nobody unless they name nobody else."""
        ids = [self._ids.get(email) for email in names(settled or NOBODY)]
        return [] if None in ids else [one for one in ids if one]

    def others(self, settled: str | None) -> str | None:
        """The words themselves where they mean nobody of staff."""
        return None if self.meant(settled) else settled or None


def names(words: str) -> list[str]:
    """The names in a cell, whatever their order."""
    return sorted(part.strip() for part in words.split(","))


def in_words(emails: Iterable[str]) -> str:
    """Members of staff as settled words, and as the journal has them."""
    return ", ".join(sorted(emails))


def of_staff(session: Session, ids: Iterable[int]) -> Mapping[int, list[tuple[str, str]]]:
    """Name and e-mail of each member of staff who took part in contacts, by name."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    with staged(session, {"id": BigInt}, ((one,) for one in ids)) as stage:
        query = sa.select(participants.c.interaction_id, users.c.name, users.c.email)
        query = query.join_from(stage, participants, participants.c.interaction_id == stage.c.id)
        query = query.join(users, users.c.id == participants.c.user_id).order_by(users.c.name, users.c.id)
        for interaction_id, *person in session.execute(query):
            found[interaction_id].append(tuple(person))
    return found


def add(session: Session, said: Mapping[int, str | None], staff: Staff) -> None:
    """Let members of staff take part in new contacts, as settled words say."""
    rows = [(interaction_id, user_id) for interaction_id, words in said.items() for user_id in staff.meant(words)]
    insert_rows(session, participants, ("interaction_id", "user_id"), rows)


def replace(session: Session, said: Mapping[int, str | None], staff: Staff) -> None:
    """Let exactly those have taken part in contacts whom settled words name."""
    with staged(session, {"id": BigInt}, ((one,) for one in said)) as stage:
        session.execute(sa.delete(participants).where(participants.c.interaction_id.in_(sa.select(stage.c.id))))
    add(session, said, staff)
    update_rows(session, interactions, ("person",), [(one, staff.others(words)) for one, words in said.items()])
