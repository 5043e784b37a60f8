"""Stores, customers, the journal of change and import runs."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, CodeText, UtcDateTime

revision, down_revision = "core_0001", None


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("table_name", sa.String(length=64), nullable=False),
        sa.Column("row_id", BigInt, nullable=False),
        sa.Column("column_name", sa.String(length=64), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("actor_id", BigInt, nullable=True),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_cause", "change", ["cause"])
    op.create_index("ix_change_table_name_row_id", "change", ["table_name", "row_id"])
    op.create_table(
        "import_run",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("actor_id", BigInt, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("fence", BigInt, nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("records", BigInt, nullable=False),
        sa.Column("position", BigInt, nullable=False),
        sa.Column("created", BigInt, nullable=False),
        sa.Column("updated", BigInt, nullable=False),
        sa.Column("unchanged", BigInt, nullable=False),
        sa.Column("merged", BigInt, nullable=False),
        sa.Column("rejected", BigInt, nullable=False),
        sa.Column("questions", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_import_run"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_import_run_file_sha256", "import_run", ["file_sha256"])
    op.create_index("ix_import_run_state", "import_run", ["state"])
    op.create_table(
        "region",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("name", CodeText, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_region"),
        sa.UniqueConstraint("name", name="uq_region_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tag",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("name", CodeText, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tag"),
        sa.UniqueConstraint("name", name="uq_tag_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_batch",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("run_id", BigInt, nullable=False),
        sa.Column("last_record", BigInt, nullable=False),
        sa.Column("touched", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name="fk_import_batch_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_import_batch"),
        sa.UniqueConstraint("run_id", "last_record", name="uq_import_batch_run_id_last_record"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_reject",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("run_id", BigInt, nullable=False),
        sa.Column("record", BigInt, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name="fk_import_reject_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_import_reject"),
        sa.UniqueConstraint("run_id", "record", name="uq_import_reject_run_id_record"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "store",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("code", CodeText, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("region_id", BigInt, nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name="fk_store_region_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_store"),
        sa.UniqueConstraint("code", name="uq_store_code"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_store_region_id", "store", ["region_id"])
    op.create_table(
        "customer",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("gender", sa.String(length=16), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("store_id", BigInt, nullable=True),
        sa.Column("fold_name", CodeText, nullable=False),
        sa.Column("fold_first", CodeText, nullable=True),
        sa.Column("fold_last", CodeText, nullable=True),
        sa.Column("version", BigInt, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("merged_into_id", BigInt, nullable=True),
        sa.ForeignKeyConstraint(["merged_into_id"], ["customer.id"], name="fk_customer_merged_into_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name="fk_customer_store_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_customer"),
        sa.UniqueConstraint("uid", name="uq_customer_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_fold_first", "customer", ["fold_first"])
    op.create_index("ix_customer_fold_last", "customer", ["fold_last"])
    op.create_index("ix_customer_fold_name_id", "customer", ["fold_name", "id"])
    op.create_index(
        "ix_customer_merged_into_id",
        "customer",
        ["merged_into_id"],
        unique=False,
        sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index("ix_customer_store_id", "customer", ["store_id"])
    op.create_table(
        "consent",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_consent_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.UniqueConstraint("customer_id", "channel", name="uq_consent_customer_id_channel"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consent_customer_id", "consent", ["customer_id"])
    op.create_table(
        "customer_address",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("fold_city", CodeText, nullable=True),
        sa.Column("position", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_customer_address_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_address"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_address_customer_id", "customer_address", ["customer_id"])
    op.create_index("ix_customer_address_fold_city", "customer_address", ["fold_city"])
    op.create_table(
        "customer_email",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("match", CodeText, nullable=False),
        sa.Column("position", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_customer_email_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_email"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_email_customer_id", "customer_email", ["customer_id"])
    op.create_index("ix_customer_email_match", "customer_email", ["match"])
    op.create_table(
        "customer_link",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("from_id", BigInt, nullable=False),
        sa.Column("to_id", BigInt, nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["customer.id"], name="fk_customer_link_from_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["to_id"], ["customer.id"], name="fk_customer_link_to_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_link"),
        sa.UniqueConstraint("from_id", "to_id", "role", name="uq_customer_link_from_id_to_id_role"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_link_to_id", "customer_link", ["to_id"])
    op.create_table(
        "customer_phone",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("e164", CodeText, nullable=False),
        sa.Column("position", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_customer_phone_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_phone"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_phone_customer_id", "customer_phone", ["customer_id"])
    op.create_index("ix_customer_phone_e164", "customer_phone", ["e164"])
    op.create_table(
        "customer_tag",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("tag_id", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_customer_tag_customer_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name="fk_customer_tag_tag_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_tag"),
        sa.UniqueConstraint("customer_id", "tag_id", name="uq_customer_tag_customer_id_tag_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_tag_customer_id", "customer_tag", ["customer_id"])
    op.create_index("ix_customer_tag_tag_id", "customer_tag", ["tag_id"])
    op.create_table(
        "external_id",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("source", CodeText, nullable=False),
        sa.Column("value", CodeText, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_external_id_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_external_id"),
        sa.UniqueConstraint("value", "source", name="uq_external_id_value_source"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_external_id_customer_id", "external_id", ["customer_id"])
    # ### end Alembic commands ###
    create_search_table()


def create_search_table() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE customer_search USING fts5(words, tokenize='trigram')")
        return
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "customer_search",
        sa.Column("customer_id", BigInt, autoincrement=False, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_customer_search_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("customer_id", name="pk_customer_search"),
    )


def downgrade() -> None:
    op.drop_table("customer_search")
    for table in (
        "external_id",
        "customer_tag",
        "customer_phone",
        "customer_link",
        "customer_email",
        "customer_address",
        "consent",
        "customer",
        "store",
        "import_reject",
        "import_batch",
        "tag",
        "region",
        "import_run",
        "change",
    ):
        op.drop_table(table)
