"""Endpoints, what is sent to them, each try, and the run that sends."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, UtcDateTime

revision, down_revision = "webhooks_0001", None

WAITING, OPEN = sa.text("state = 'waiting'"), sa.text("state IN ('waiting', 'parked')")
LEASED = sa.text("leased_until IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "webhooks_endpoint",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_until", UtcDateTime(), nullable=True),
        sa.Column("failures", BigInt, nullable=False),
        sa.Column("retry_at", UtcDateTime(), nullable=True),
        sa.Column("parked_at", UtcDateTime(), nullable=True),
        sa.Column("version", BigInt, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks_endpoint"),
        sa.UniqueConstraint("uid", name="uq_webhooks_endpoint_uid"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhooks_delivery",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("endpoint_id", BigInt, nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("type_version", BigInt, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=True),
        sa.Column("actor", sa.String(length=10), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", BigInt, nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.String(length=36), nullable=True),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhooks_endpoint.id"], name="fk_webhooks_delivery_endpoint_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_webhooks_delivery_customer_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks_delivery"),
        sa.UniqueConstraint("endpoint_id", "event_id", name="uq_webhooks_delivery_endpoint_id_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhooks_delivery_at", "webhooks_delivery", ["at"])
    op.create_index("ix_webhooks_delivery_customer_id", "webhooks_delivery", ["customer_id"])
    op.create_index("ix_webhooks_delivery_endpoint_id_id", "webhooks_delivery", ["endpoint_id", "id"])
    due = ["endpoint_id", "due_at", "id"]
    op.create_index("ix_webhooks_delivery_due", "webhooks_delivery", due, postgresql_where=WAITING, sqlite_where=WAITING)
    of_one = ["endpoint_id", "subject", "id"]
    op.create_index("ix_webhooks_delivery_open", "webhooks_delivery", of_one, postgresql_where=OPEN, sqlite_where=OPEN)
    op.create_index("ix_webhooks_delivery_leased", "webhooks_delivery", ["leased_until"], postgresql_where=LEASED, sqlite_where=LEASED)
    op.create_table(
        "webhooks_attempt",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("delivery_id", BigInt, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("milliseconds", BigInt, nullable=False),
        sa.Column("status", BigInt, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["webhooks_delivery.id"], name="fk_webhooks_attempt_delivery_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks_attempt"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhooks_attempt_delivery_id", "webhooks_attempt", ["delivery_id"])
    runs = op.create_table(
        "webhooks_sending_run",
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("job", name="pk_webhooks_sending_run"),
    )
    op.bulk_insert(runs, [{"job": "webhooks.send"}])


def downgrade() -> None:
    for table in ("webhooks_sending_run", "webhooks_attempt", "webhooks_delivery", "webhooks_endpoint"):
        op.drop_table(table)
