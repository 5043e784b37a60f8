"""What a plugin says of itself, as data, and what it says of the personal data in its tables."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from regulars_plugin_api.i18n import Text

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Category(enum.Enum):
    """Where a plugin stands on the plugins page."""

    CUSTOMERS = "customers"
    SALES = "sales"
    MARKETING = "marketing"
    RETENTION = "retention"
    SERVICE = "service"
    ANALYTICS = "analytics"
    CONNECTORS = "connectors"
    OPERATIONS = "operations"


class Tier(enum.Enum):
    """How much of the conformance kit a plugin passes."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


class Erase(enum.Enum):
    """What erasing a customer does to the rows of a table: they go, or stay without the columns in ``clear``."""

    DELETE = "delete"
    CLEAR = "clear"


class Merge(enum.Enum):
    """What merging two customers does to the rows of a table.

    MOVE re-points them and stops the merge on a conflict. UNION drops a twin into the before-image: a row that would break a unique
    key, equals one in the columns in ``same``, or would tie the customer to itself. SUM adds the columns in ``add`` of the two rows.
    HOOK leaves them to the plugin's ``customers_merging``; merges made while its package is gone are told when it is back.
    """

    MOVE = "move"
    UNION = "union"
    SUM = "sum"
    HOOK = "hook"


@dataclass(frozen=True)
class PersonalTable:
    """How the personal data in one table is exported, erased and merged. Saved at enable, so it outlives the package."""

    table: str
    customer_column: str = "customer_id"
    export: tuple[str, ...] = ()
    erase: Erase = Erase.DELETE
    clear: tuple[str, ...] = ()
    merge: Merge = Merge.MOVE
    add: tuple[str, ...] = ()
    same: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.erase is Erase.CLEAR) != bool(self.clear):
            raise ValueError(f"{self.table}: erase=CLEAR goes with the columns to clear, DELETE with none")
        if (self.merge is Merge.SUM) != bool(self.add):
            raise ValueError(f"{self.table}: merge=SUM goes with the columns to add, other ways with none")
        if self.same and self.merge is not Merge.UNION:
            raise ValueError(f"{self.table}: columns that are the same go with merge=UNION only")

    def to_json(self) -> dict[str, Any]:
        """The form saved in the database."""
        return asdict(self) | {"erase": self.erase.value, "merge": self.merge.value}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> PersonalTable:
        """The reverse of ``to_json``."""
        lists = {key: tuple(saved.get(key, ())) for key in ("export", "clear", "add", "same")}
        return cls(**{**saved, **lists, "erase": Erase(saved["erase"]), "merge": Merge(saved["merge"])})


@dataclass(frozen=True)
class Manifest:
    """A plugin's passport, the constant ``MANIFEST`` in its ``plugin.py``.

    ``name`` is its entry point and the prefix of its tables, URLs, permissions and templates. ``api`` is the version of the contract it
    was written for. ``requires`` maps plugins it can't do without to the versions it works with; ``after`` only asks for order.
    """

    name: str
    title: Text
    summary: Text
    category: Category
    api: str
    requires: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    personal_data: tuple[PersonalTable, ...] = ()
    tier: Tier = Tier.BRONZE
    docs: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > 30:
            raise ValueError(f"plugin name {self.name!r}: lower-case words joined by single underscores, at most 30 characters")
        if not re.fullmatch(r"\d+\.\d+", self.api):
            raise ValueError(f"{self.name}: api {self.api!r} is not a version like 1.0")
        if self.name in {*self.requires, *self.after}:
            raise ValueError(f"{self.name} requires itself")
        for entry in self.personal_data:
            if not self.owns(entry.table):
                raise ValueError(f"{self.name}: personal data of {entry.table}, which is not one of its tables ({self.name}_…)")

    def owns(self, table: str) -> bool:
        """Whether ``table`` carries the plugin's prefix."""
        return table.startswith(f"{self.name}_")
