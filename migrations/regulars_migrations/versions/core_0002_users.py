"""Users, their five first roles, their scope and their sessions."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, CodeText, UtcDateTime

revision, down_revision = "core_0002", "core_0001"

PERMISSIONS = {
    "administrator": (),
    "manager": (
        "customers.edit",
        "customers.export",
        "customers.history",
        "customers.import",
        "customers.view",
        "imports.run",
        "stores.edit",
        "stores.view",
    ),
    "clerk": ("customers.edit", "customers.view", "stores.view"),
    "marketer": ("customers.edit", "customers.export", "customers.import", "customers.view", "imports.run", "stores.view"),
    "analyst": ("customers.export", "customers.view", "stores.view"),
}


def upgrade() -> None:
    roles = op.create_table(
        "role",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("name", CodeText, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_role"),
        sa.UniqueConstraint("name", name="uq_role_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "user_account",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("email", CodeText, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("theme", sa.String(length=8), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_sign_in_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_user_account"),
        sa.UniqueConstraint("uid", name="uq_user_account_uid"),
        sa.UniqueConstraint("email", name="uq_user_account_email"),
        sa.UniqueConstraint("fs_uniquifier", name="uq_user_account_fs_uniquifier"),
        sqlite_autoincrement=True,
    )
    permissions = op.create_table(
        "role_permission",
        sa.Column("role_id", BigInt, nullable=False),
        sa.Column("permission", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name="fk_role_permission_role_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role_id", "permission", name="pk_role_permission"),
    )
    _pair("user_role", "role_id", "role")
    _pair("user_store", "store_id", "store")
    _pair("user_region", "region_id", "region")
    op.create_table(
        "user_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_user_session_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_user_session"),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"])
    op.bulk_insert(roles, [{"name": name} for name in PERMISSIONS])
    ids = {row.name: row.id for row in op.get_bind().execute(sa.select(roles))}
    op.bulk_insert(permissions, [{"role_id": ids[name], "permission": held} for name, all_held in PERMISSIONS.items() for held in all_held])


def _pair(table: str, other: str, target: str) -> None:
    op.create_table(
        table,
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column(other, BigInt, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint([other], [f"{target}.id"], name=f"fk_{table}_{other}", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", other, name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_{other}", table, [other])


def downgrade() -> None:
    for table in ("user_session", "user_region", "user_store", "user_role", "role_permission", "user_account", "role"):
        op.drop_table(table)
