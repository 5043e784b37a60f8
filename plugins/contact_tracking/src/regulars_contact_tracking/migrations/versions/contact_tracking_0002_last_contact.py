"""The last contact of each of many customers stands in an index: lists show it."""

from alembic import op

revision, down_revision = "contact_tracking_0002", "contact_tracking_0001"
INDEX, TABLE = "ix_contact_tracking_interaction_customer_id_business_date", "contact_tracking_interaction"


def upgrade() -> None:
    op.create_index(INDEX, TABLE, ["customer_id", "business_date"])


def downgrade() -> None:
    op.drop_index(INDEX, TABLE)
