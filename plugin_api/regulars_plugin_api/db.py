"""The database side of the contract: the shared ``Base``, its column types, and how a plugin's table ties to a customer."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column

from regulars_plugin_api import _prepared
from regulars_plugin_api._prepared import PLANNED_ANEW as PLANNED_ANEW
from regulars_plugin_api.values.currencies import minor_digits as minor_digits

if TYPE_CHECKING:
    from sqlalchemy.dialects.sqlite import Insert

    from regulars_plugin_api.i18n import Text

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite numbers rows by itself only when the key is INTEGER, never BIGINT.
BigInt = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Compared and prefix-searched byte by byte, alike on both databases.
CodeText = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


class UtcDateTime(sa.TypeDecorator[dt.datetime]):
    """An instant. Refuses naive values, stores UTC, returns aware UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: an instant needs its offset")
        instant = value.astimezone(dt.UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class _Scaled(sa.TypeDecorator[Decimal]):
    """A ``Decimal`` kept as a whole number of its smallest unit, so that sums are exact on every database."""

    impl = BigInt
    cache_ok = True
    digits = 0

    def process_bind_param(self, value: Decimal | int | None, dialect: sa.Dialect) -> int | None:
        if value is None:
            return None
        if isinstance(value, float):
            raise TypeError("a float is not exact: give a Decimal")
        return scaled(Decimal(value), self.digits)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else unscaled(value, self.digits)


class UnitPrice(_Scaled):
    """A price or cost of one piece, in the row's currency, kept in 1/10,000."""

    cache_ok = True
    digits = 4


class Quantity(_Scaled):
    """How many or how much, kept in 1/1000."""

    cache_ok = True
    digits = 3


_UNITS = tuple(Decimal(1).scaleb(-digits) for digits in range(10))


def scaled(value: Decimal, digits: int) -> int:
    """``value`` in units of 10**-digits. A value that does not fit exactly is a ``ValueError``, never rounded."""
    number = value.scaleb(digits)
    if number != number.to_integral_value():
        raise ValueError(f"{value} has more than {digits} decimals")
    return int(number)


def unscaled(value: int, digits: int) -> Decimal:
    """The ``Decimal`` that ``scaled`` stored."""
    return value * _UNITS[digits]


class Money:
    """An amount as ``Decimal`` over a column of minor units and the row's ISO 4217 currency.

    ``total = Money("total_minor")`` beside ``total_minor: Mapped[int]`` and ``currency: Mapped[str]``.
    """

    def __init__(self, minor: str, currency: str = "currency") -> None:
        self.minor, self.currency = minor, currency

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        minor = getattr(row, self.minor)
        return None if minor is None else from_minor(minor, getattr(row, self.currency))

    def __set__(self, row: Any, value: Decimal | None) -> None:
        setattr(row, self.minor, None if value is None else to_minor(value, getattr(row, self.currency)))


def to_minor(value: Decimal, currency: str) -> int:
    """``12.50 SEK`` -> ``1250``. More decimals than the currency has is a ``ValueError``."""
    return scaled(value, minor_digits(currency))


def from_minor(minor: int, currency: str) -> Decimal:
    """``1250`` öre -> ``Decimal("12.50")``."""
    return unscaled(minor, minor_digits(currency))


def text_enum(choices: type[enum.Enum]) -> sa.Enum:
    """A text column that admits the values of ``choices`` (checked in Python, so that adding one needs no migration)."""
    return sa.Enum(
        choices, native_enum=False, create_constraint=False, length=32, values_callable=lambda kinds: [kind.value for kind in kinds]
    )


class Base(DeclarativeBase):
    """The declarative base of core and every plugin. Tables come from migrations only."""

    if TYPE_CHECKING:
        __table__: ClassVar[sa.Table]

    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {int: BigInt, str: sa.Text(), dt.datetime: UtcDateTime(), dict[str, Any]: sa.JSON(), list[str]: sa.JSON()}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        table = getattr(cls, "__table__", None)
        if table is not None:
            # Without it SQLite gives a deleted highest id to someone else.
            table.dialect_options["sqlite"]["autoincrement"] = _one_integer_key(table)


def _one_integer_key(table: sa.Table) -> bool:
    keys = list(table.primary_key.columns)
    return len(keys) == 1 and isinstance(keys[0].type, sa.BigInteger) and not keys[0].foreign_keys


Uid = Annotated[str, mapped_column(sa.String(36), unique=True)]


class CustomerOwned:
    """A row that is part of a customer: it goes when the customer's row goes."""

    @declared_attr
    def customer_id(cls) -> Mapped[int]:
        return mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True)


class CustomerLinked:
    """A row of the books that stays when its customer goes, without the name."""

    @declared_attr
    def customer_id(cls) -> Mapped[int | None]:
        return mapped_column(sa.ForeignKey("customer.id", ondelete="SET NULL"), index=True)


def read_rows(
    session: Session, statement: sa.Executable, values: Mapping[str, Any] | None = None, options: Mapping[str, Any] | None = None
) -> Sequence[Any]:
    """The rows of a SELECT of plain columns, as ``session.execute(statement, values).all()`` has them, but past the ORM.

    For what lists and pages ask again and again: to load columns the ORM's way takes longer than to read them. A statement that is made
    once, as a constant with ``bindparam``, is also compiled only once for each length of the lists it is given. ``options`` are
    SQLAlchemy's execution options, or ``PLANNED_ANEW`` for a statement whose best plan depends on its values: on how many it will find.
    An INSERT made once and RETURNING plain columns may be asked as well; of its rows the record of changes hears nothing.
    """
    if session.autoflush:
        session.flush()
    return _prepared.rows(session.connection(), statement, values, options)


def upsert(session: Session, table: Any) -> Insert:
    """An INSERT into a table or model that may say what becomes of a row that is there: ``on_conflict_do_nothing``, ``…_do_update``.

    In the words of the session's database; SQLAlchemy has them in a module for each.
    """
    words = import_module(f"sqlalchemy.dialects.{session.get_bind().dialect.name}")
    return cast("Insert", words.insert(table))


def dump_as(*key: str, omit: tuple[str, ...] = (), journal: bool = False, derived: bool = False, title: Text = "") -> Mapping[str, Any]:
    """``info`` of a table for ``regulars db dump`` and the record of changes.

    ``key`` names the columns that identify a record to a person (a foreign key stands for the key of what it points at);
    ``omit`` leaves columns out (derived values, write times); ``journal`` marks bookkeeping printed only with ``--journal``;
    ``derived`` marks rows that are worked out from others: nobody's work is lost when they go;
    ``title`` is what one of its rows is called in the record of changes.
    """
    return {"dump": {"key": key, "omit": omit, "journal": journal, "derived": derived}, "title": title}


# Public, read-only columns of core tables for joins in a plugin's own queries.
customers = sa.table(
    "customer",
    sa.column("id", BigInt),
    sa.column("uid", sa.String),
    sa.column("kind", sa.String),
    sa.column("status", sa.String),
    sa.column("display_name", sa.Text),
    sa.column("first_name", sa.Text),
    sa.column("last_name", sa.Text),
    sa.column("birthday", sa.Date),
    sa.column("language", sa.String),
    sa.column("store_id", BigInt),
    sa.column("merged_into_id", BigInt),
    sa.column("created_at", UtcDateTime),
    sa.column("deleted_at", UtcDateTime),
)
external_ids = sa.table(
    "external_id",
    sa.column("id", BigInt),
    sa.column("customer_id", BigInt),
    sa.column("source", CodeText),
    sa.column("value", CodeText),
)
customer_emails = sa.table(
    "customer_email",
    sa.column("customer_id", BigInt),
    sa.column("address", sa.Text),
    sa.column("match", CodeText),
    sa.column("position", BigInt),
)
customer_phones = sa.table(
    "customer_phone",
    sa.column("customer_id", BigInt),
    sa.column("number", sa.Text),
    sa.column("e164", CodeText),
    sa.column("position", BigInt),
)
stores = sa.table(
    "store",
    sa.column("id", BigInt),
    sa.column("code", CodeText),
    sa.column("name", sa.Text),
    sa.column("region_id", BigInt),
    sa.column("country", sa.String),
    sa.column("timezone", sa.String),
    sa.column("currency", sa.String),
)
users = sa.table(
    "user_account",
    sa.column("id", BigInt),
    sa.column("name", sa.Text),
    sa.column("email", CodeText),
    sa.column("active", sa.Boolean),
)
