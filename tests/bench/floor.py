"""The floor: what a Flask application costs that does nothing but read the rows and print them.

Plain tables with the indexes each page needs, raw SQL (``/list``, ``/search``) and SQLAlchemy's ORM (``/orm/…``), behind an
ordinary gunicorn.
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import sqlalchemy as sa
from bench import chain
from bench.bulk import SqliteTarget, Target
from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue
from psycopg.rows import namedtuple_row
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

SCHEMA = {
    "customers": "id integer primary key, card_no text, first_name text, last_name text, email text, phone text, city text,"
    " store_id integer, created_at timestamp, consent_email integer",
    "consents": "customer_id integer, channel text, granted integer",
    "orders": "id integer primary key, customer_id integer, ordered_at timestamp, store_id integer, channel text, status text,"
    " total_cents integer",
    "interactions": "id integer primary key, customer_id integer, kind text, happened_at timestamp, subject text",
}
INDEXES = (
    "CREATE INDEX ix_c_email ON customers (email)",
    "CREATE INDEX ix_c_phone ON customers (phone)",
    "CREATE INDEX ix_c_last ON customers (last_name, first_name)",
    "CREATE INDEX ix_c_city ON customers (city)",
    "CREATE INDEX ix_c_created ON customers (created_at)",
    "CREATE INDEX ix_o_cust ON orders (customer_id, ordered_at)",
    "CREATE INDEX ix_k_cust ON consents (customer_id, channel)",
    "CREATE INDEX ix_i_cust ON interactions (customer_id, happened_at)",
)
TEXT = "(coalesce(first_name,'')||' '||coalesce(last_name,'')||' '||coalesce(email,'')||' '||coalesce(phone,''))"
COLUMNS = "id, card_no, first_name, last_name, email, phone, city, store_id, consent_email, created_at"
PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
INSTANT = sa.DateTime().with_variant(sa.String(), "sqlite")


class Base(DeclarativeBase):
    """The ORM's view of the plain tables."""


class Customer(Base):
    """A customer."""

    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    card_no: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str | None]
    city: Mapped[str]
    store_id: Mapped[int]
    created_at: Mapped[Any | None] = mapped_column(INSTANT)
    consent_email: Mapped[int | None]


class Order(Base):
    """A receipt."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int]
    ordered_at: Mapped[Any] = mapped_column(INSTANT)
    store_id: Mapped[int]
    channel: Mapped[str]
    status: Mapped[str]
    total_cents: Mapped[int]


class Interaction(Base):
    """A contact."""

    __tablename__ = "interactions"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int]
    kind: Mapped[str]
    happened_at: Mapped[Any] = mapped_column(INSTANT)
    subject: Mapped[str]


def load(target: Target, customers: int) -> None:
    """The customers, receipts and contacts of ``chain`` in plain tables."""
    target.run(*(f"CREATE TABLE {name} ({columns})" for name, columns in SCHEMA.items()))
    target.put("customers", COLUMNS.split(", "), _customers(customers))
    target.put("consents", ["customer_id", "channel", "granted"], ((one, "email", one % 2) for one in range(1, customers + 1)))
    orders = "id customer_id ordered_at store_id channel status total_cents".split()  # noqa: SIM905 - read as a list of names
    target.put("orders", orders, _orders(customers))
    target.put("interactions", "id customer_id kind happened_at subject".split(), _interactions(customers))  # noqa: SIM905
    target.run(*INDEXES)
    if isinstance(target, SqliteTarget):
        target.run(
            "CREATE VIRTUAL TABLE customers_fts USING fts5(words, content='', tokenize='trigram')",
            f"INSERT INTO customers_fts (rowid, words) SELECT id, {TEXT} FROM customers",
        )
    else:
        target.run("CREATE EXTENSION IF NOT EXISTS pg_trgm", f"CREATE INDEX ix_c_words ON customers USING gin ({TEXT} gin_trgm_ops)")
    target.analyze()


def _customers(amount: int) -> Iterator[tuple[Any, ...]]:
    for one in range(1, amount + 1):
        first, last = chain.name_of(one)
        contact = (chain.email_of(one), chain.phone_of(one), chain.town_of(one))
        yield one, f"N{one:08d}", first, last, *contact, one % chain.STORES + 1, one % 2, f"{chain.DAYS[one % 1000]} 10:49:02"


def _orders(amount: int) -> Iterator[tuple[Any, ...]]:
    number = 0
    for customer in range(1, amount + 1):
        for k in range(chain.receipts_of(customer)):
            number += 1
            day = chain.DAYS[(customer * 31 + k * 97) % len(chain.DAYS)]
            yield number, customer, f"{day} 12:30:00", k, "till", "paid", 100 + number * 7919 % 90_000


def _interactions(amount: int) -> Iterator[tuple[Any, ...]]:
    number = 0
    for customer in range(1, amount + 1):
        for k in range(chain.MOST_RECEIPTS if customer <= chain.WITH_MOST else chain.CONTACTS):
            number += 1
            yield number, customer, "phone", f"{chain.DAYS[(customer * 31 + k * 97) % len(chain.DAYS)]} 13:30:00", "About the order"


def served(url: str, port: int) -> list[str]:
    """What to give to Python to have it answer on ``port`` of this machine."""
    gunicorn = "-m gunicorn --workers 2 --worker-class gthread --threads 4 --no-control-socket --log-level warning".split()  # noqa: SIM905
    return [*gunicorn, "--bind", f"127.0.0.1:{port}", f"bench.floor:create({url!r})"]


def create(url: str) -> Flask:
    """The application over the database behind ``url``."""
    app = Flask(__name__)
    parsed, local = sa.make_url(url), threading.local()
    on_sqlite = parsed.get_backend_name() == "sqlite"
    engine = sa.create_engine(url)
    if on_sqlite:
        sa.event.listen(engine, "connect", lambda connection, _record: connection.executescript(PRAGMAS))
    new_ids = itertools.count(1_000_000_000 + threading.get_native_id() % 100_000 * 10_000)

    def ask(sql: str, *values: Any) -> list[Any]:
        if not hasattr(local, "connection"):
            local.connection = _connect(parsed)
        cursor = local.connection.execute(sql, values) if on_sqlite else local.connection.execute(sql, values, prepare=True)
        return cursor.fetchall() if cursor.description else []

    @app.get("/hello")
    def hello() -> str:
        return "hello"

    @app.get("/list")
    def list_() -> str:
        return render_template("list.html", rows=ask(f"SELECT {COLUMNS} FROM customers ORDER BY id DESC LIMIT 50"), q="")

    @app.get("/search")
    def search() -> str:
        words = request.args["q"]
        found = "id IN (SELECT rowid FROM customers_fts WHERE customers_fts MATCH ? LIMIT 50)" if on_sqlite else f"{TEXT} ILIKE %s LIMIT 50"
        value = f'"{words}"' if on_sqlite else f"%{words}%"
        return render_template("list.html", rows=ask(f"SELECT {COLUMNS} FROM customers WHERE {found}", value), q=words)

    @app.get("/orm/list")
    def orm_list() -> str:
        with Session(engine) as session:
            rows = session.scalars(sa.select(Customer).order_by(Customer.id.desc()).limit(50)).all()
            return render_template("list.html", rows=rows, q="")

    @app.get("/orm/c/<int:number>")
    def orm_detail(number: int) -> str:
        with Session(engine) as session:
            mine = {"i": number}
            return render_template(
                "detail.html",
                c=session.get(Customer, number),
                k=session.execute(sa.text("SELECT channel, granted FROM consents WHERE customer_id = :i"), mine).all(),
                o=session.scalars(sa.select(Order).where(Order.customer_id == number).order_by(Order.ordered_at.desc()).limit(20)).all(),
                n=session.scalars(
                    sa.select(Interaction).where(Interaction.customer_id == number).order_by(Interaction.happened_at.desc()).limit(20)
                ).all(),
                a=session.execute(
                    sa.text("SELECT count(*), sum(total_cents), max(ordered_at) FROM orders WHERE customer_id = :i"), mine
                ).one(),
            )

    @app.post("/orm/new")
    def orm_new() -> ResponseReturnValue:
        form, number = request.form, next(new_ids)
        with Session(engine) as session:
            about = {name: form[name] for name in ("first_name", "last_name", "email", "city")}
            session.add(Customer(id=number, card_no=f"X{number}", store_id=1, **about))
            session.commit()
        return redirect(f"/orm/c/{number}")

    return app


def _connect(url: sa.URL) -> Any:
    if url.get_backend_name() == "sqlite":
        connection = sqlite3.connect(str(url.database), isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.executescript(PRAGMAS)
        return connection
    return psycopg.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True, row_factory=namedtuple_row
    )
