"""Merges and what they replaced, who is not whom, erasures, and the chain over the journal of change."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, UtcDateTime

revision, down_revision = "core_0007", "core_0006"

PERMISSIONS = ("audit.view", "customers.merge", "customers.personal_data")


def upgrade() -> None:
    op.create_table(
        "customer_merge",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("keep_id", BigInt, nullable=False),
        sa.Column("drop_id", BigInt, nullable=False),
        sa.Column("image", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("owed", sa.JSON(), nullable=False),
        sa.Column("actor_id", BigInt, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_customer_merge"),
        sqlite_autoincrement=True,
    )
    for column in ("keep_id", "drop_id"):
        op.create_index(f"ix_customer_merge_{column}", "customer_merge", [column])
    op.create_table(
        "customer_distinct",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("one_id", BigInt, nullable=False),
        sa.Column("other_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["one_id"], ["customer.id"], name="fk_customer_distinct_one_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["customer.id"], name="fk_customer_distinct_other_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_distinct"),
        sa.UniqueConstraint("one_id", "other_id", name="uq_customer_distinct_one_id_other_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_distinct_other_id", "customer_distinct", ["other_id"])
    op.create_table(
        "erasure",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("actor_id", BigInt, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("changes", BigInt, nullable=False),
        sa.Column("receipt", sa.JSON(), nullable=False),
        sa.Column("scrubbed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_erasure"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_erasure_customer_id", "erasure", ["customer_id"])
    op.create_table(
        "audit_block",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("size", BigInt, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("place", BigInt, nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_block"),
        sa.UniqueConstraint("place", name="uq_audit_block_place"),
        sqlite_autoincrement=True,
    )
    op.add_column("change", sa.Column("block_id", BigInt, nullable=True))
    for name in ("salt", "digest"):
        op.add_column("change", sa.Column(name, sa.LargeBinary(), nullable=True))
    went = sa.text("column_name = '*' AND new = 'deleted'")
    op.create_index("ix_change_owner", "change", ["old"], sqlite_where=went, postgresql_where=went)
    op.add_column("customer", sa.Column("erased_at", UtcDateTime(), nullable=True))
    managers = "INSERT INTO role_permission (role_id, permission) SELECT id, :permission FROM role WHERE name = 'manager'"
    for permission in PERMISSIONS:
        op.get_bind().execute(sa.text(managers), {"permission": permission})


def downgrade() -> None:
    withdrawn = sa.text("DELETE FROM role_permission WHERE permission = :permission")
    for permission in PERMISSIONS:
        op.get_bind().execute(withdrawn, {"permission": permission})
    with op.batch_alter_table("customer") as table:
        table.drop_column("erased_at")
    op.drop_index("ix_change_owner", "change")
    with op.batch_alter_table("change") as table:
        for column in ("digest", "salt", "block_id"):
            table.drop_column(column)
    for name in ("audit_block", "erasure", "customer_distinct", "customer_merge"):
        op.drop_table(name)
