"""Who owns which tables, and where the steps of each owner's schema lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Owner:
    """A part of the schema that is upgraded by itself: core, or one plugin.

    A plugin owns the tables that begin with its name and an underscore; ``others`` are the prefixes that core must leave alone.
    ``indexes`` are statements, per dialect, for indexes that Alembic's batch mode would drop without a word; each is
    written with IF NOT EXISTS and run again after every upgrade.
    """

    name: str
    versions: Path
    is_core: bool = False
    indexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def version_table(self) -> str:
        """Where Alembic keeps how far this owner's schema is."""
        return "alembic_version" if self.is_core else f"alembic_version_{self.name}"

    def owns(self, table: str) -> bool:
        """Whether a plugin's ``table`` is this plugin's."""
        return table.startswith(f"{self.name}_")


CORE = Owner(
    "core",
    HERE / "versions",
    is_core=True,
    indexes={
        "postgresql": ("CREATE INDEX IF NOT EXISTS ix_customer_search_words ON customer_search USING gin (words gin_trgm_ops)",),
        "sqlite": (),
    },
)
