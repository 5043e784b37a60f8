"""How far the schema of core and plugins is. Read without Alembic: every worker asks, and few ever change a schema."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from regulars_migrations.engine import migration_engine
from regulars_migrations.owners import CORE, Owner
from regulars_plugin_api.errors import RegularsError
from regulars_plugin_api.i18n import _

NAMES = ("revision", "down_revision")
# Python 3.11 raises SystemError when two threads parse at once.
_parsing = threading.Lock()


class SchemaRefused(RegularsError):
    """The database is not one this runner may touch; the message says why and what to do."""

    status = 503


@dataclass(frozen=True)
class SchemaStatus:
    """How far one owner's schema is, and how far the code expects it."""

    owner: str
    current: str | None
    head: str | None

    @property
    def behind(self) -> bool:
        """Whether an upgrade is needed."""
        return self.current != self.head


def status(url: sa.URL | str, owners: Sequence[Owner] = (CORE,)) -> list[SchemaStatus]:
    """Where each owner's schema stands, without changing anything. Raises ``SchemaRefused`` as ``head`` does."""
    engine = migration_engine(sa.make_url(url))
    with engine.connect() as connection:
        return [SchemaStatus(owner.name, _current(connection, owner), head(owner)) for owner in owners]


def refuse_foreign_database(engine: sa.Engine) -> None:
    """A database with tables but without our version table, or at a revision we do not know, is somebody else's or too new."""
    with engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names())
        if not tables:
            return
        if CORE.version_table not in tables:
            raise SchemaRefused(_("This database holds tables of another product. Give Regulars an empty database."))
        current = _current(connection, CORE)
    if current is None:
        if tables - {CORE.version_table}:
            raise SchemaRefused(_("This database holds tables of another product. Give Regulars an empty database."))
        return
    if current not in _steps(CORE):
        message = _(
            "This database is at version %(version)s, which this Regulars does not know: it is newer, or another product's.",
            version=current,
        )
        raise SchemaRefused(message)


def _current(connection: sa.Connection, owner: Owner) -> str | None:
    if not sa.inspect(connection).has_table(owner.version_table):
        return None
    kept: str | None = connection.scalar(sa.select(sa.column("version_num")).select_from(sa.table(owner.version_table)))
    return kept


def head(owner: Owner) -> str | None:
    """The newest step of an owner. Raises ``SchemaRefused`` for steps that nobody could follow."""
    steps = _steps(owner)
    ends = steps.keys() - {before for those in steps.values() for before in those}
    if len(ends) > 1:
        raise SchemaRefused(_("The migrations of %(owner)s lead to %(ends)s.", owner=owner.name, ends=", ".join(sorted(ends))))
    return next(iter(ends), None)


def _steps(owner: Owner) -> dict[str, tuple[str, ...]]:
    """Each step of an owner and those it builds on."""
    steps = {}
    for path in sorted(owner.versions.glob("[!_]*.py")):
        try:
            said = {name: ast.literal_eval(value) for name, value in _assigned(path) if name in NAMES}
            name, before = (said[name] for name in NAMES)
        except (KeyError, ValueError, SyntaxError) as unclear:
            message = _("%(file)s: revision and down_revision have to be written as plain text.", file=path.name)
            raise SchemaRefused(message) from unclear
        steps[name] = (before,) if isinstance(before, str) else tuple(before or ())
    return steps


def _assigned(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """Names that a module gives a value to, and the values."""
    with _parsing:
        module = ast.parse(path.read_text(encoding="utf-8"), str(path))
    for line in module.body:
        targets = line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
        value = getattr(line, "value", None)
        for target in targets:
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                yield from ((one.id, its) for one, its in zip(target.elts, value.elts, strict=True) if isinstance(one, ast.Name))
            elif isinstance(target, ast.Name) and value is not None:
                yield target.id, value
