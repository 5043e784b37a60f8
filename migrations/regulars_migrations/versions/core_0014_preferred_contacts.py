"""The preferred address or number of a customer is the first in an index: lists look it up for each of theirs."""

from alembic import op

revision, down_revision = "core_0014", "core_0013"
TABLES = ("customer_email", "customer_phone", "customer_address")


def upgrade() -> None:
    for table in TABLES:
        op.create_index(f"ix_{table}_customer_id_position", table, ["customer_id", "position"])
        op.drop_index(f"ix_{table}_customer_id", table)


def downgrade() -> None:
    for table in TABLES:
        op.create_index(f"ix_{table}_customer_id", table, ["customer_id"])
        op.drop_index(f"ix_{table}_customer_id_position", table)
