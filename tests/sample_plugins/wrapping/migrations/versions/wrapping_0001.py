"""Papers and wishes."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, UtcDateTime

revision, down_revision = "wrapping_0001", None


def upgrade() -> None:
    op.create_table(
        "wrapping_paper",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_wrapping_paper"),
        sa.UniqueConstraint("name", name="uq_wrapping_paper_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "wrapping_wish",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("paper_id", BigInt, nullable=True),
        sa.Column("occasion", sa.String(length=32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_wrapping_wish_customer_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["paper_id"], ["wrapping_paper.id"], name="fk_wrapping_wish_paper_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_wrapping_wish"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_wrapping_wish_customer_id", "wrapping_wish", ["customer_id"])
    op.create_index("ix_wrapping_wish_paper_id", "wrapping_wish", ["paper_id"])


def downgrade() -> None:
    op.drop_table("wrapping_wish")
    op.drop_table("wrapping_paper")
