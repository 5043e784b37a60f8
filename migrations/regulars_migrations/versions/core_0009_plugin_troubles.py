"""What went wrong with plugins, process by process, so that every process can tell."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, UtcDateTime

revision, down_revision = "core_0009", "core_0008"


def upgrade() -> None:
    op.create_table(
        "plugin_trouble",
        sa.Column("process", sa.String(80), primary_key=True),
        sa.Column("plugin", sa.String(30), primary_key=True),
        sa.Column("hook", sa.String(120), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("count", BigInt, nullable=False),
        sa.Column("rests_until", UtcDateTime),
        sa.Column("noted_at", UtcDateTime, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("plugin_trouble")
