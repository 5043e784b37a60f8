"""The event log, its deliveries, job runs, and the state and settings of plugins."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, UtcDateTime

revision, down_revision = "core_0003", "core_0002"


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("version", BigInt, nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=True),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=True),
        sa.Column("depth", BigInt, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sa.UniqueConstraint("uid", name="uq_event_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_type_id", "event", ["type", "id"])
    op.create_index("ix_event_subject", "event", ["subject"])
    op.create_table(
        "subscription",
        sa.Column("handler", sa.String(length=80), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("plugin", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("handler", "type", name="pk_subscription"),
    )
    op.create_index("ix_subscription_type", "subscription", ["type"])
    op.create_table(
        "delivery",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("event_id", BigInt, nullable=False),
        sa.Column("handler", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", BigInt, nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.String(length=36), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="fk_delivery_event_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("event_id", "handler", name="uq_delivery_event_id_handler"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_delivery_open",
        "delivery",
        ["handler", "due_at"],
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "ix_delivery_dead", "delivery", ["handler"], sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'")
    )
    op.create_table(
        "job_slot",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("slot", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", BigInt, nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.String(length=36), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job_slot"),
        sa.UniqueConstraint("job", "slot", name="uq_job_slot_job_slot"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_job_slot_open",
        "job_slot",
        ["job", "due_at"],
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_table(
        "plugin",
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("personal_data", sa.JSON(), nullable=False),
        sa.Column("first_enabled_at", UtcDateTime(), nullable=False),
        sa.Column("switched_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_plugin"),
    )
    op.create_table(
        "setting",
        sa.Column("owner", sa.String(length=30), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_setting"),
    )


def downgrade() -> None:
    for table in ("setting", "plugin", "job_slot", "delivery", "subscription", "event"):
        op.drop_table(table)
