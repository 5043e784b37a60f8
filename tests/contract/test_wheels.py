"""The wheels are whole: what the repository holds arrives, imports and runs where there is no repository."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

HOUSE = Path(__file__).parents[2]
PLATFORM_FOLDERS = ("plugin_api/", "core/", "web/", "migrations/", "tests/regulars_testkit/")
IMPORT_ALL = """
import importlib, pkgutil, sys
for package in sys.argv[1:]:
    for module in pkgutil.walk_packages([importlib.import_module(package).__path__[0]], package + "."):
        if module.name != "regulars_migrations.env":  # Alembic runs it, nobody imports it
            importlib.import_module(module.name)
"""
RECEIPTS = "SELECT receipt_no, customer_id FROM purchases_receipt ORDER BY receipt_no"
pytestmark = [pytest.mark.wheels, pytest.mark.xdist_group("wheels"), pytest.mark.timeout(900)]


@dataclass(frozen=True)
class CleanPlace:
    """An environment and a home of their own, away from the repository."""

    venv: Path
    folder: Path
    database_url: str | None = None

    def run(self, program: str, *arguments: str, expect: int = 0) -> str:
        """Run a program of the environment and return what it prints."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "REGULARS_"))}
        environment["REGULARS_HOME"] = str(self.folder / "home")
        if self.database_url is not None:
            environment["REGULARS_DATABASE_URL"] = self.database_url
        result = subprocess.run(
            [self.venv / "bin" / program, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == expect, f"{program} {arguments}: {result.stdout}\n{result.stderr}"
        return result.stdout

    def install(self, wheel: Path | str) -> None:
        """Install a wheel and what it needs, in the tested versions."""
        self.run("pip", "install", "--quiet", "--constraint", str(HOUSE / "constraints.txt"), str(wheel))

    def uninstall(self, distribution: str) -> None:
        """Take a distribution away, if it is there."""
        self.run("pip", "uninstall", "--quiet", "--yes", distribution)

    def ask(self, *arguments: str) -> Any:
        """What ``regulars`` answers, as data."""
        return json.loads(self.run("regulars", "--json", *arguments))

    def plugins(self) -> list[tuple[str, str]]:
        """Each plugin and its state."""
        return [(one["name"], one["state"]) for one in self.ask("plugins", "list")]

    def take_in(self, kind: str, *lines: str) -> Any:
        """Import lines of a file and return the report."""
        file = self.folder / f"{kind}.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.ask("import", kind, str(file))

    def exported(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind as an export writes them."""
        return [json.loads(line) for line in self.run("regulars", "export", kind, "--format", "jsonl").splitlines()]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds."""
        engine = sa.create_engine(str(self.database_url))
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.exec_driver_sql(query)]
        engine.dispose()
        return found

    def tables(self) -> set[str]:
        """The tables of the database."""
        engine = sa.create_engine(str(self.database_url))
        found = set(sa.inspect(engine).get_table_names())
        engine.dispose()
        return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run([HOUSE / ".ci" / "wheels", folder], check=True, capture_output=True, text=True)
    return {path.name.partition("-")[0]: path for path in sorted(folder.glob("*.whl"))}


def shipped(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def tracked(*folders: str) -> set[str]:
    listing = subprocess.check_output(["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders], cwd=HOUSE, text=True)
    return {name for name in listing.splitlines() if (HOUSE / name).exists()}


def within(folders: tuple[str, ...]) -> set[str]:
    """Files under import packages, named from the package on; sources of translations stay at home."""
    names = {name[name.index("regulars_") :] for name in tracked(*folders) if "regulars_" in name}
    return {name for name in names if not name.endswith((".po", ".pot"))}


def test_every_distribution_has_its_wheel(wheels: dict[str, Path]) -> None:
    plugins = {f"regulars_{path.parent.name}" for path in HOUSE.glob("plugins/*/setup.cfg")}
    assert set(wheels) == {"regulars", *plugins}


def test_the_platform_s_wheel_holds_every_file(wheels: dict[str, Path]) -> None:
    assert shipped(wheels["regulars"]) == within(PLATFORM_FOLDERS)


def test_a_plugin_s_wheel_holds_every_file(wheels: dict[str, Path]) -> None:
    assert shipped(wheels["regulars_purchases"]) == within(("plugins/purchases/src/",))


@pytest.fixture(scope="module")
def clean_venv(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the platform's wheel and nothing else of ours."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    CleanPlace(folder, folder.parent).install(f"{wheels['regulars']}[postgres]")
    return folder


@pytest.fixture
def place(clean_venv: Path, tmp_path: Path) -> Iterator[CleanPlace]:
    """A home of its own; plugins that a test installs are gone after it."""
    place = CleanPlace(clean_venv, tmp_path)
    yield place
    place.uninstall("regulars-purchases")


def test_core_runs_alone_and_a_plugin_s_wheel_goes_into_it(wheels: dict[str, Path], place: CleanPlace) -> None:
    place.run("python", "-c", IMPORT_ALL, "regulars_plugin_api", "regulars_core", "regulars_web", "regulars_migrations")
    assert "import" in place.run("regulars", "--help")
    place.run("regulars", "init")
    assert place.ask("plugins", "list") == []

    place.install(wheels["regulars_purchases"])
    place.run("python", "-c", IMPORT_ALL, "regulars_purchases")
    place.run("regulars", "plugins", "enable", "purchases")
    assert place.plugins() == [("purchases", "enabled")]
    report = place.take_in("product", "sku,name,price,currency", "A-1,Läsglasögon,129.50,SEK")
    assert (report["verdict"], report["records"], report["created"]) == ("accept", 1, 1)


def test_a_package_is_taken_away_and_put_back(
    wheels: dict[str, Path], clean_venv: Path, place: CleanPlace, blank_database_url: str
) -> None:
    place = CleanPlace(clean_venv, place.folder, blank_database_url)
    place.run("regulars", "init")
    bare = place.tables()
    place.install(wheels["regulars_purchases"])
    place.run("regulars", "plugins", "enable", "purchases")
    place.take_in("store", "code,name,timezone,currency", "LUND,Lund,Europe/Stockholm,SEK")
    people = ("asa,Åsa Holm", "bo,Bo Ek", "bob,Bob Ek", "cy,Cy Lund")
    place.take_in("customer", "external_id,display_name", *people)
    asa, bo, bob, cy = (number for _value, number in place.rows("SELECT value, customer_id FROM external_id ORDER BY value"))
    sold = [f"R-{name},2026-03-0{day}T10:00:00Z,LUND,{name},A-1,1,100.00" for day, name in enumerate(("asa", "bo", "bob", "cy"), 1)]
    place.take_in("sale", "receipt_no,sold_at,store,customer_external_id,sku,quantity,amount", *sold)
    assert place.rows(RECEIPTS) == [("R-asa", asa), ("R-bo", bo), ("R-bob", bob), ("R-cy", cy)]

    place.run("regulars", "plugins", "disable", "purchases")
    place.uninstall("regulars-purchases")
    assert place.plugins() == [("purchases", "kept")]
    place.run("regulars", "customers", "erase", str(asa), "--yes")
    place.run("regulars", "customers", "merge", str(bo), str(bob))
    place.run("regulars", "db", "upgrade")
    place.run("regulars", "db", "check")

    place.install(wheels["regulars_purchases"])
    place.run("regulars", "plugins", "enable", "purchases")
    assert place.plugins() == [("purchases", "enabled")]
    assert place.rows(RECEIPTS) == [("R-asa", None), ("R-bo", bo), ("R-bob", bo), ("R-cy", cy)]
    assert [line["amount"] for line in place.exported("sale")] == [100] * 4

    place.run("regulars", "plugins", "disable", "purchases")
    place.uninstall("regulars-purchases")
    kept = place.folder / "kept.jsonl"
    place.run("regulars", "plugins", "purge", "purchases", "--confirm", "purchases", "--export", str(kept))
    receipts = [one for one in map(json.loads, kept.read_text(encoding="utf-8").splitlines()) if one["record"] == "purchases_receipt"]
    assert sorted(one["receipt_no"] for one in receipts) == ["R-asa", "R-bo", "R-bob", "R-cy"]
    assert (place.plugins(), place.tables()) == ([], bare)
