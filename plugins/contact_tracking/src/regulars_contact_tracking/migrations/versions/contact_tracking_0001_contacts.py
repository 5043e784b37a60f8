"""Contacts, follow-ups, client books, what is known of clients, and plans."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, CodeText, UtcDateTime

revision, down_revision = "contact_tracking_0001", None


def upgrade() -> None:
    op.create_table(
        "contact_tracking_client",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("rank", sa.String(length=32), nullable=False),
        sa.Column("star", sa.Boolean(), nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_contact_tracking_client_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_contact_tracking_client_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_tracking_client"),
        sa.UniqueConstraint("user_id", "customer_id", name="uq_contact_tracking_client_user_id_customer_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_tracking_client_customer_id", "contact_tracking_client", ["customer_id"])
    op.create_table(
        "contact_tracking_detail",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_contact_tracking_detail_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_tracking_detail"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_tracking_detail_customer_id", "contact_tracking_detail", ["customer_id"])
    op.create_table(
        "contact_tracking_interaction",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("source", CodeText, nullable=True),
        sa.Column("number", CodeText, nullable=True),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("direction", sa.String(length=32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("store_id", BigInt, nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("version", BigInt, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigInt, nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_contact_tracking_interaction_customer_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name="fk_contact_tracking_interaction_store_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user_account.id"], name="fk_contact_tracking_interaction_created_by_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_contact_tracking_interaction"),
        sa.UniqueConstraint("number", "source", name="uq_contact_tracking_interaction_number_source"),
        sa.UniqueConstraint("uid", name="uq_contact_tracking_interaction_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_tracking_interaction_at_id", "contact_tracking_interaction", ["at", "id"])
    op.create_index("ix_contact_tracking_interaction_created_by_id", "contact_tracking_interaction", ["created_by_id"])
    op.create_index("ix_contact_tracking_interaction_customer_id_at_id", "contact_tracking_interaction", ["customer_id", "at", "id"])
    op.create_index("ix_contact_tracking_interaction_store_id", "contact_tracking_interaction", ["store_id"])
    op.create_table(
        "contact_tracking_plan",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=True),
        sa.Column("every", BigInt, nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_contact_tracking_plan_customer_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_contact_tracking_plan_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_tracking_plan"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_tracking_plan_customer_id", "contact_tracking_plan", ["customer_id"])
    op.create_index("ix_contact_tracking_plan_user_id", "contact_tracking_plan", ["user_id"])
    op.create_table(
        "contact_tracking_follow_up",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("interaction_id", BigInt, nullable=True),
        sa.Column("plan_id", BigInt, nullable=True),
        sa.Column("slot", sa.Date(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("assignee_id", BigInt, nullable=True),
        sa.Column("store_id", BigInt, nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("done_by_id", BigInt, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigInt, nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_contact_tracking_follow_up_customer_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["contact_tracking_interaction.id"],
            name="fk_contact_tracking_follow_up_interaction_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["contact_tracking_plan.id"], name="fk_contact_tracking_follow_up_plan_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["assignee_id"], ["user_account.id"], name="fk_contact_tracking_follow_up_assignee_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name="fk_contact_tracking_follow_up_store_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["done_by_id"], ["user_account.id"], name="fk_contact_tracking_follow_up_done_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user_account.id"], name="fk_contact_tracking_follow_up_created_by_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_contact_tracking_follow_up"),
        sa.UniqueConstraint("plan_id", "customer_id", "slot", name="uq_contact_tracking_follow_up_plan_id_customer_id_slot"),
        sa.UniqueConstraint("uid", name="uq_contact_tracking_follow_up_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_tracking_follow_up_assignee_id", "contact_tracking_follow_up", ["assignee_id"])
    op.create_index("ix_contact_tracking_follow_up_created_by_id", "contact_tracking_follow_up", ["created_by_id"])
    op.create_index("ix_contact_tracking_follow_up_customer_id_done_at", "contact_tracking_follow_up", ["customer_id", "done_at", "id"])
    op.create_index("ix_contact_tracking_follow_up_done_by_id", "contact_tracking_follow_up", ["done_by_id"])
    op.create_index("ix_contact_tracking_follow_up_interaction_id", "contact_tracking_follow_up", ["interaction_id"])
    op.create_index(
        "ix_contact_tracking_follow_up_open_assignee",
        "contact_tracking_follow_up",
        ["assignee_id", "due_on", "id"],
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_contact_tracking_follow_up_open_due",
        "contact_tracking_follow_up",
        ["due_on", "id"],
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_contact_tracking_follow_up_open_store",
        "contact_tracking_follow_up",
        ["store_id", "due_on", "id"],
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )
    op.create_index("ix_contact_tracking_follow_up_store_id", "contact_tracking_follow_up", ["store_id"])
    op.create_table(
        "contact_tracking_participant",
        sa.Column("interaction_id", BigInt, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["contact_tracking_interaction.id"],
            name="fk_contact_tracking_participant_interaction_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_contact_tracking_participant_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("interaction_id", "user_id", name="pk_contact_tracking_participant"),
    )
    op.create_index("ix_contact_tracking_participant_user_id", "contact_tracking_participant", ["user_id"])


def downgrade() -> None:
    for table in (
        "contact_tracking_participant",
        "contact_tracking_follow_up",
        "contact_tracking_plan",
        "contact_tracking_interaction",
        "contact_tracking_detail",
        "contact_tracking_client",
    ):
        op.drop_table(table)
