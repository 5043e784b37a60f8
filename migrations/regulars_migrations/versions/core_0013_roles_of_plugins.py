"""Which plugin a role came with, so that it can go with it."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "core_0013", "core_0012"


def upgrade() -> None:
    op.add_column("role", sa.Column("brought_by", sa.String(30)))


def downgrade() -> None:
    op.drop_column("role", "brought_by")
