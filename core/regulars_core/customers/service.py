"""Reading and writing customers one by one: what pages, the API and plugins use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers import drafting, merging, paging, search, timeline
from regulars_core.customers.filter import blaming, compiler
from regulars_core.customers.models import Customer, Tag
from regulars_core.customers.paging import LIVING, Asked, Page, Place
from regulars_core.customers.scope import visible
from regulars_core.customers.viewing import COLUMNS, PARTS, complete, view
from regulars_core.customers.writing import Writer
from regulars_plugin_api.bulk import journaling
from regulars_plugin_api.db import read_rows
from regulars_plugin_api.errors import Conflict, InvalidInput, NotFound
from regulars_plugin_api.events import CustomerCreated, CustomerDeleted, CustomerRestored, CustomerUpdated, emit
from regulars_plugin_api.hookspecs import customers as customer_hooks
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.views import CustomerView, Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

THROWN_AWAY = sa.and_(Customer.deleted_at.is_not(None), Customer.merged_into_id.is_(None), Customer.erased_at.is_(None))

Warn = Callable[[Text], None]


def unheard(_warning: Text) -> None:
    """For whoever has nobody to tell."""


_ASKED = Customer.__table__.alias("asked")


class CustomerService:
    """Implements ``regulars_plugin_api.services.CustomerService`` and what the staff's pages need beyond it."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm

    def get(self, customer_id: int, *, session: Session | None = None) -> CustomerView | None:
        """The customer, followed to the one it was merged into; None if there is none or it is in the trash."""
        with self._reading(session) as reader:
            found = self._find(reader, Customer.id == _meant(customer_id), Customer.deleted_at.is_(None))
            return found[0] if found else None

    def get_many(self, customer_ids: Sequence[int], *, session: Session | None = None) -> Mapping[int, CustomerView]:
        """Living customers by id."""
        if not customer_ids:
            return {}
        with self._reading(session) as reader:
            return {one.id: one for one in self._find(reader, Customer.id.in_(customer_ids), LIVING)}

    def seen_by(self, session: Session, viewer: Viewer, customer_id: int) -> CustomerView:
        """The customer if the viewer may see it, in the trash or not. Raises ``NotFound``."""
        query = _SEEN if viewer.store_ids is None else _SEEN.where(self.visible_to(viewer))
        found = complete(session, read_rows(session, query, {"wanted": customer_id}))
        if not found:
            raise NotFound(_("There is no such customer."))
        return found[0]

    def page(
        self, session: Session, viewer: Viewer, *, query: str = "", where: Any | None = None, trash: bool = False, **place: Unpack[Place]
    ) -> Page[CustomerView]:
        """Customers the viewer may see, by name, after or before a position. ``where`` is a filter. Raises ``BadFilter``."""
        asked = self.conditions(session, viewer, query, where, trash)
        with blaming(self.crm, where):
            found = paging.read(session, COLUMNS, asked, **place)
        return found.holding(complete(session, found.rows))

    def count_about(self, session: Session, viewer: Viewer, *, query: str = "", where: Any | None = None, trash: bool = False) -> int:
        """How many there are, counted no further than ``COUNTED_AT_MOST`` + 1."""
        return paging.gathered(session, self.conditions(session, viewer, query, where, trash)).amount

    def visible_to(self, viewer: Viewer) -> sa.ColumnElement[bool]:
        """The condition on ``Customer`` for what a viewer may see."""
        if viewer.store_ids is None:
            return sa.true()
        return visible(viewer, timeline.happenings(self.crm, viewer))

    def ids_seen_by(self, session: Session, viewer: Viewer, where: Any | None = None) -> sa.Select[int]:
        """A SELECT of the ids of living customers the viewer may see, those a filter selects if there is one. Raises ``BadFilter``."""
        return sa.select(Customer.id).where(*self.conditions(session, viewer, "", where, trash=False).conditions)

    def visible_ids(self, session: Session, viewer: Viewer, customer_ids: Sequence[int]) -> set[int]:
        """Those of ``customer_ids`` that the viewer may see."""
        return set(session.scalars(sa.select(Customer.id).where(Customer.id.in_(customer_ids), self.visible_to(viewer))))

    def create(self, values: Mapping[str, Any], *, session: Session | None = None, warn: Warn = unheard, uid: str | None = None) -> int:
        """Add a customer out of what was typed and return its id. Raises ``InvalidInput``; ``IntegrityError`` for a ``uid`` in use."""
        with self._writing(session) as writer:
            draft = drafting.read(values, writer, self.crm.config.country)
            self._refuse(writer, draft.fields, None, warn)
            chosen = uid or uuid7()
            with journaling(writer) as journal:
                (customer_id,) = Writer(writer, journal, self.crm.clock.now()).create([drafting.made(draft, writer, chosen)])
            emit(writer, CustomerCreated(customer_id=customer_id, uid=chosen))
            return customer_id

    def update(self, customer_id: int, changes: Mapping[str, Any], *, session: Session | None = None, warn: Warn = unheard) -> None:
        """Change the named fields. ``version``, if given, must be the current one. Raises ``InvalidInput``, ``NotFound``, ``Conflict``."""
        with self._writing(session) as writer:
            customer = self._living(writer, customer_id)
            given = dict(changes)
            version = given.pop("version", None)
            if version is not None and str(version) != str(customer.version):
                raise Conflict
            draft = drafting.read(given, writer, self.crm.config.country, known=customer)
            self._refuse(writer, draft.fields, view(customer), warn)
            before = view(customer)
            drafting.put(customer, draft, writer)
            writer.flush()
            after = view(customer)
            changed = tuple(sorted(name for name in drafting.FIELDS if getattr(before, name, None) != getattr(after, name, None)))
            if changed:
                customer.updated_at = self.crm.clock.now()
                writer.flush()
                search.put(writer, customer)
                emit(writer, CustomerUpdated(customer_id=customer.id, uid=customer.uid, changed=changed))

    def trash(self, session: Session, customer_id: int) -> None:
        """Move a customer to the trash; nothing is lost."""
        customer = self._living(session, customer_id)
        customer.deleted_at = self.crm.clock.now()
        session.flush()
        search.put(session, customer)
        emit(session, CustomerDeleted(customer_id=customer.id, uid=customer.uid))

    def restore(self, session: Session, customer_id: int) -> None:
        """Take a customer back out of the trash."""
        customer = session.get(Customer, customer_id)
        if customer is None or customer.deleted_at is None or customer.erased_at is not None:
            raise NotFound(_("There is no such customer."))
        customer.deleted_at = None
        session.flush()
        search.put(session, customer)
        emit(session, CustomerRestored(customer_id=customer.id, uid=customer.uid))

    def merge(self, keep_id: int, drop_id: int, *, session: Session | None = None) -> int:
        """Make one customer part of another, see ``merging.merge``; the number of the merge."""
        with self._writing(session) as writer:
            return merging.merge(self.crm, writer, keep_id, drop_id)

    def unmerge(self, merge_id: int, *, session: Session | None = None) -> None:
        """Take a merge back, see ``merging.unmerge``."""
        with self._writing(session) as writer:
            merging.unmerge(self.crm, writer, merge_id)

    def tags(self, session: Session) -> list[str]:
        """The tags in use, for choosing one."""
        return list(session.scalars(sa.select(Tag.name).order_by(Tag.name).limit(500)))

    def conditions(self, session: Session, viewer: Viewer, query: str, where: Any | None, trash: bool) -> Asked:
        """What a list asks of its customers: that the viewer may see them, and the search and filter. Raises ``BadFilter``."""
        conditions: list[sa.ColumnElement[bool]] = [THROWN_AWAY if trash else LIVING]
        found, given = search.matching(session, query) if query.strip() else (None, {})
        if found is not None:
            conditions.append(found)
        if where is not None:
            conditions.append(compiler(self.crm).compile(where))
        # What takes longest to find out of each customer comes last.
        if viewer.store_ids is not None:
            conditions.append(self.visible_to(viewer))
        return Asked(tuple(conditions), given)

    def _find(self, session: Session, *conditions: sa.ColumnElement[bool]) -> list[CustomerView]:
        return complete(session, session.execute(sa.select(*COLUMNS).where(*conditions)).all())

    def _living(self, session: Session, customer_id: int) -> Customer:
        # Locked: a merge at the same time is waited for, and what it made of the customer is what is changed.
        query = sa.select(Customer).where(Customer.id == _meant(customer_id), LIVING).options(*PARTS)
        customer = session.scalar(query.with_for_update(of=Customer).execution_options(populate_existing=True))
        if customer is None:
            raise NotFound(_("There is no such customer."))
        return customer

    def _refuse(self, session: Session, draft: Mapping[str, Any], existing: CustomerView | None, warn: Warn) -> None:
        wrong: dict[str, Text] = {}
        for answer in self.crm.bus.answers(customer_hooks.validate_customer, session=session, draft=draft, existing=existing):
            if answer.failure is not None:
                warn(_("The plugin %(plugin)s could not check this customer.", plugin=answer.plugin))
            for problem in answer.value or ():
                if problem.warning:
                    warn(problem.message)
                else:
                    wrong[problem.field or "customer"] = problem.message
        if wrong:
            raise InvalidInput(**wrong)

    @contextmanager
    def _reading(self, session: Session | None) -> Iterator[Session]:
        if session is not None:
            yield session
            return
        with self.crm.read() as own:
            yield own

    @contextmanager
    def _writing(self, session: Session | None) -> Iterator[Session]:
        if session is not None:
            yield session
            return
        with self.crm.transaction() as own:
            yield own


def _meant(customer_id: int | sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
    """The customer of this id, or the one it was merged into."""
    return sa.select(sa.func.coalesce(_ASKED.c.merged_into_id, _ASKED.c.id)).where(_ASKED.c.id == customer_id).scalar_subquery()


# Made once: every page about a customer begins with it.
_SEEN = sa.select(*COLUMNS).where(Customer.id == _meant(sa.bindparam("wanted", type_=Customer.id.type)), Customer.erased_at.is_(None))
