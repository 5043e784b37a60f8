"""What an event led to is found by its cause."""

from alembic import op

revision, down_revision = "core_0011", "core_0010"


def upgrade() -> None:
    op.create_index("ix_event_cause", "event", ["cause"])


def downgrade() -> None:
    op.drop_index("ix_event_cause", "event")
