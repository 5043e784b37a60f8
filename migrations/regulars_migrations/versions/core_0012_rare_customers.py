"""Indexes for lists that few customers are on: those of a rare status, and the trash."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "core_0012", "core_0011"


def upgrade() -> None:
    op.create_index("ix_customer_status", "customer", ["status"])
    deleted = sa.text("deleted_at IS NOT NULL")
    op.create_index("ix_customer_deleted_at", "customer", ["deleted_at"], postgresql_where=deleted, sqlite_where=deleted)


def downgrade() -> None:
    op.drop_index("ix_customer_deleted_at", "customer")
    op.drop_index("ix_customer_status", "customer")
