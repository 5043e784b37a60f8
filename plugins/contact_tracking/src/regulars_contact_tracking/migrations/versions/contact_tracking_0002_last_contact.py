"""The day of each contact stands beside its time in the index of a customer's history: lists show the last one of each customer."""

from alembic import op

revision, down_revision = "contact_tracking_0002", "contact_tracking_0001"
TABLE, OLD = "contact_tracking_interaction", ["customer_id", "at", "id"]
NEW = [*OLD, "business_date"]


def upgrade() -> None:
    op.create_index(f"ix_{TABLE}_{'_'.join(NEW)}", TABLE, NEW)
    op.drop_index(f"ix_{TABLE}_{'_'.join(OLD)}", TABLE)


def downgrade() -> None:
    op.create_index(f"ix_{TABLE}_{'_'.join(OLD)}", TABLE, OLD)
    op.drop_index(f"ix_{TABLE}_{'_'.join(NEW)}", TABLE)
