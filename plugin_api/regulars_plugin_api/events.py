"""Facts worth telling: frozen records of ids and changed field names, written to the event log in the transaction of the change.

The docstring of an event is its manual entry. Fields are only ever added, with a default; a change of meaning raises ``version``.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import lru_cache
from types import UnionType
from typing import Any, ClassVar, Generic, Self, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class DomainEvent:
    """Base of all events. ``type`` is ``<owner>.<past_verb_snake>``."""

    type: ClassVar[str]
    version: ClassVar[int] = 1

    @property
    def subject(self) -> str | None:
        """The record it is about, such as ``customer:12``; None when it is about many."""
        customer_id = getattr(self, "customer_id", None)
        return None if customer_id is None else f"customer:{customer_id}"

    def to_payload(self) -> dict[str, Any]:
        """The fields as JSON keeps them."""
        return {one.name: _to_json(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """The event a payload was made from, also by an older version with fewer fields."""
        return cls(**{name: _from_json(payload[name], hint) for name, hint in _hints(cast(Any, cls)).items() if name in payload})


E_co = TypeVar("E_co", bound=DomainEvent, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Delivered(Generic[E_co]):
    """An event on its way to one handler. ``id`` is the same on each attempt: use it as idempotency key.

    ``cause`` is what led to the event (``event:<uid>`` or ``job:<name>``), ``depth`` how many events came before it in that chain.
    """

    id: str
    body: E_co
    event_uid: str
    at: dt.datetime
    actor: str
    cause: str | None
    depth: int
    attempt: int


def emit(session: Session, event: DomainEvent) -> None:
    """Write ``event`` to the log in this transaction. Signals go out after it has committed, durable handlers follow in the worker."""
    session.info["emit"](session, event)


def known_events() -> Mapping[str, type[DomainEvent]]:
    """Every kind of event the platform and the installed plugins tell, by type. Plugins that are off are among them."""
    return {event.type: event for event in _below(DomainEvent) if hasattr(event, "type")}


def _below(base: type[DomainEvent]) -> Iterator[type[DomainEvent]]:
    for event in base.__subclasses__():
        yield event
        yield from _below(event)


@lru_cache(maxsize=512)
def _hints(event: Any) -> dict[str, Any]:
    hints = get_type_hints(event)
    return {one.name: hints[one.name] for one in fields(event)}


def _to_json(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple | list):
        return [_to_json(item) for item in value]
    return value


def _from_json(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _from_json(value, next(kind for kind in inner if kind is not type(None)))
    if origin is tuple:
        kinds = [inner[0]] * len(value) if inner[1:] == (Ellipsis,) else inner
        return tuple(_from_json(item, kind) for item, kind in zip(value, kinds, strict=True))
    if hint in (dt.datetime, dt.date):
        return hint.fromisoformat(value)
    if hint is Decimal or (isinstance(hint, type) and issubclass(hint, enum.Enum)):
        return hint(value)
    return value


@dataclass(frozen=True, kw_only=True)
class CustomerCreated(DomainEvent):
    """A customer was added by hand or through the API. Imports tell of theirs in ``CustomersImported``."""

    type = "customer.created"
    customer_id: int
    uid: str


@dataclass(frozen=True, kw_only=True)
class CustomerUpdated(DomainEvent):
    """A customer's own data changed; ``changed`` names the fields, sorted."""

    type = "customer.updated"
    customer_id: int
    uid: str
    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CustomerDeleted(DomainEvent):
    """A customer was moved to the trash."""

    type = "customer.deleted"
    customer_id: int
    uid: str


@dataclass(frozen=True, kw_only=True)
class CustomerRestored(DomainEvent):
    """A customer came back from the trash."""

    type = "customer.restored"
    customer_id: int
    uid: str


@dataclass(frozen=True, kw_only=True)
class CustomersMerged(DomainEvent):
    """Two records were one person: ``customer_id`` stays and has everything, ``dropped_id`` resolves to it."""

    type = "customer.merged"
    customer_id: int
    dropped_id: int


@dataclass(frozen=True, kw_only=True)
class CustomersUnmerged(DomainEvent):
    """A merge was taken back: ``restored_id`` is a customer of its own again, and has what it had brought to ``customer_id``."""

    type = "customer.unmerged"
    customer_id: int
    restored_id: int


@dataclass(frozen=True, kw_only=True)
class CustomerErased(DomainEvent):
    """A customer was erased at their own wish or by rule: nothing that says who it was is kept. Forget them, too."""

    type = "customer.erased"
    customer_id: int
    uid: str


@dataclass(frozen=True, kw_only=True)
class ConsentChanged(DomainEvent):
    """A customer's consent for one channel is now ``state``: granted, withdrawn or unproven."""

    type = "customer.consent_changed"
    customer_id: int
    channel: str
    state: str


@dataclass(frozen=True, kw_only=True)
class CustomersImported(DomainEvent):
    """One batch of an import of customers. ``created`` holds inclusive ranges of new ids, ``updated`` single ids."""

    type = "customer.imported"
    run_id: int
    created: tuple[tuple[int, int], ...] = ()
    updated: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImportFinished(DomainEvent):
    """An import run has ended; ``verdict`` is that of its report."""

    type = "import.finished"
    run_id: int
    kind: str
    verdict: str

    @property
    def subject(self) -> str | None:
        return f"import:{self.run_id}"


@dataclass(frozen=True, kw_only=True)
class ImportUndone(DomainEvent):
    """An import run was undone; what it had created is gone, what it had changed is as before."""

    type = "import.undone"
    run_id: int
    kind: str

    @property
    def subject(self) -> str | None:
        return f"import:{self.run_id}"


@dataclass(frozen=True, kw_only=True)
class StoreCreated(DomainEvent):
    """A store was added by hand, by the command line or through the API."""

    type = "store.created"
    store_id: int
    code: str

    @property
    def subject(self) -> str | None:
        return f"store:{self.store_id}"


@dataclass(frozen=True, kw_only=True)
class StoreUpdated(DomainEvent):
    """A store's data changed; ``changed`` names the fields, sorted."""

    type = "store.updated"
    store_id: int
    code: str
    changed: tuple[str, ...]

    @property
    def subject(self) -> str | None:
        return f"store:{self.store_id}"


@dataclass(frozen=True, kw_only=True)
class PluginSwitched(DomainEvent):
    """A plugin was enabled, disabled or purged; ``state`` is what it is now."""

    type = "plugin.switched"
    plugin: str
    state: str

    @property
    def subject(self) -> str | None:
        return f"plugin:{self.plugin}"
