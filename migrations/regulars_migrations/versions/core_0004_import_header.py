"""Import runs remember the header of their file, so that rejected records can be mended and imported again."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "core_0004", "core_0003"


def upgrade() -> None:
    with op.batch_alter_table("import_run") as table:
        table.add_column(sa.Column("header", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("import_run") as table:
        table.drop_column("header")
