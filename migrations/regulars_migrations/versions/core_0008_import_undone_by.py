"""Import runs remember who had them taken back: the worker does it in that person's name."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt

revision, down_revision = "core_0008", "core_0007"


def upgrade() -> None:
    with op.batch_alter_table("import_run") as table:
        table.add_column(sa.Column("undone_by_id", BigInt, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("import_run") as table:
        table.drop_column("undone_by_id")
