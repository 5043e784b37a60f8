"""Workers say that they are there, and job runs how far they are; a running one can be asked to stop."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, UtcDateTime

revision, down_revision = "core_0010", "core_0009"


def upgrade() -> None:
    op.create_table(
        "worker_beat",
        sa.Column("worker", sa.String(120), primary_key=True),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.Column("clock_ahead_ms", BigInt, nullable=False),
    )
    with op.batch_alter_table("job_slot") as table:
        table.add_column(sa.Column("done", BigInt))
        table.add_column(sa.Column("total", BigInt))
        table.add_column(sa.Column("stopping", sa.Boolean, nullable=False, server_default=sa.false()))
    dead = sa.text("state = 'dead'")
    op.create_index("ix_job_slot_dead", "job_slot", ["job"], postgresql_where=dead, sqlite_where=dead)


def downgrade() -> None:
    op.drop_index("ix_job_slot_dead", "job_slot")
    with op.batch_alter_table("job_slot") as table:
        for column in ("stopping", "total", "done"):
            table.drop_column(column)
    op.drop_table("worker_beat")
