"""What staff keep for themselves: preferences, notices, saved views, exports under way."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, UtcDateTime

revision, down_revision = "core_0005", "core_0004"
PERMISSION = "views.share"


def upgrade() -> None:
    with op.batch_alter_table("user_account") as table:
        table.add_column(sa.Column("preferences", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("unread", BigInt, nullable=False, server_default="0"))
    with op.batch_alter_table("user_session") as table:
        table.add_column(sa.Column("device", sa.String(length=120), nullable=False, server_default=""))
    op.create_table(
        "notice",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("icon", sa.String(length=40), nullable=False),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_notice_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_notice_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("user_id", "key", name="uq_notice_user_id_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notice_user_id_id", "notice", ["user_id", "id"])
    op.create_index("ix_notice_customer_id", "notice", ["customer_id"])
    op.create_table(
        "saved_view",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_saved_view_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("user_id", "name", name="uq_saved_view_user_id_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "export_run",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("where", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("written", BigInt, nullable=False),
        sa.Column("file_path", sa.Text(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("actor_id", BigInt, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["user_account.id"], name="fk_export_run_actor_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_export_run"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_export_run_actor_id", "export_run", ["actor_id"])
    op.create_index("ix_export_run_state", "export_run", ["state"])
    holders = "SELECT id, :permission FROM role WHERE name IN ('manager', 'marketer', 'analyst')"
    granted = sa.text(f"INSERT INTO role_permission (role_id, permission) {holders}")
    op.execute(granted.bindparams(permission=PERMISSION))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM role_permission WHERE permission = :permission").bindparams(permission=PERMISSION))
    for name in ("export_run", "saved_view", "notice"):
        op.drop_table(name)
    with op.batch_alter_table("user_session") as table:
        table.drop_column("device")
    with op.batch_alter_table("user_account") as table:
        table.drop_column("unread")
        table.drop_column("preferences")
