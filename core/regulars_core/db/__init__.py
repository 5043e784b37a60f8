"""Connections, transactions and what differs between SQLite and PostgreSQL."""

from regulars_core.db.database import Database

__all__ = ["Database"]
