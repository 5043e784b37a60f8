"""Each wish has a ribbon."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "wrapping_0002", "wrapping_0001"


def upgrade() -> None:
    with op.batch_alter_table("wrapping_wish") as table:
        table.add_column(sa.Column("ribbon", sa.Text(), nullable=False, server_default="red"))


def downgrade() -> None:
    with op.batch_alter_table("wrapping_wish") as table:
        table.drop_column("ribbon")
