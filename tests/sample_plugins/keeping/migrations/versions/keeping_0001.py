"""Things and books of customers."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt

revision, down_revision = "keeping_0001", None


def upgrade() -> None:
    for name, gone in (("keeping_thing", "CASCADE"), ("keeping_book", "SET NULL")):
        op.create_table(
            name,
            sa.Column("id", BigInt, nullable=False),
            sa.Column("customer_id", BigInt),
            sa.Column("what", sa.Text()),
            sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
            sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=f"fk_{name}_customer_id", ondelete=gone),
            sqlite_autoincrement=True,
        )
        op.create_index(f"ix_{name}_customer_id", name, ["customer_id"])


def downgrade() -> None:
    op.drop_table("keeping_book")
    op.drop_table("keeping_thing")
