"""Since when a receiver says that it is gone."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import UtcDateTime

revision, down_revision = "webhooks_0002", "webhooks_0001"


def upgrade() -> None:
    with op.batch_alter_table("webhooks_endpoint") as table:
        table.add_column(sa.Column("gone_at", UtcDateTime()))


def downgrade() -> None:
    with op.batch_alter_table("webhooks_endpoint") as table:
        table.drop_column("gone_at")
