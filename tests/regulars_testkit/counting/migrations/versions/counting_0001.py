"""One row for each event."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt

revision, down_revision = "counting_0001", None


def upgrade() -> None:
    op.create_table(
        "counting_effect",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("event_uid", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_counting_effect"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("counting_effect")
