"""The wheels are whole: what the repository holds arrives, imports and runs where there is no repository."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

HOUSE = Path(__file__).parents[2]
PLATFORM_FOLDERS = ("plugin_api/", "core/", "web/", "migrations/", "tests/regulars_testkit/")
IMPORT_ALL = """
import importlib, pkgutil, sys
for package in sys.argv[1:]:
    for module in pkgutil.walk_packages([importlib.import_module(package).__path__[0]], package + "."):
        if module.name != "regulars_migrations.env":  # Alembic runs it, nobody imports it
            importlib.import_module(module.name)
"""
pytestmark = [pytest.mark.wheels, pytest.mark.xdist_group("wheels"), pytest.mark.timeout(900)]


@dataclass(frozen=True)
class CleanPlace:
    """An environment and a home of their own, away from the repository."""

    folder: Path

    def run(self, program: str, *arguments: str, expect: int = 0) -> str:
        """Run a program of the environment and return what it prints."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "REGULARS_"))}
        result = subprocess.run(
            [self.folder / "venv" / "bin" / program, *arguments],
            cwd=self.folder,
            env={**environment, "REGULARS_HOME": str(self.folder / "home")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == expect, f"{program} {arguments}: {result.stdout}\n{result.stderr}"
        return result.stdout

    def install(self, *wheels: Path) -> None:
        """Install wheels and what they need, in the tested versions."""
        self.run("pip", "install", "--quiet", "--constraint", str(HOUSE / "constraints.txt"), *map(str, wheels))


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


def test_core_runs_alone_and_a_plugin_s_wheel_goes_into_it(wheels: dict[str, Path], tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    place = CleanPlace(tmp_path)
    place.install(wheels["regulars"])
    place.run("python", "-c", IMPORT_ALL, "regulars_plugin_api", "regulars_core", "regulars_web", "regulars_migrations")
    assert "import" in place.run("regulars", "--help")
    place.run("regulars", "init")
    assert json.loads(place.run("regulars", "--json", "plugins", "list")) == []

    place.install(wheels["regulars_purchases"])
    place.run("python", "-c", IMPORT_ALL, "regulars_purchases")
    place.run("regulars", "plugins", "enable", "purchases")
    listed = json.loads(place.run("regulars", "--json", "plugins", "list"))
    assert [(plugin["name"], plugin["state"]) for plugin in listed] == [("purchases", "enabled")]
    products = place.folder / "products.csv"
    products.write_text("sku,name,price,currency\nA-1,Läsglasögon,129.50,SEK\n", encoding="utf-8")
    report = json.loads(place.run("regulars", "--json", "import", "product", str(products)))
    assert (report["verdict"], report["records"], report["created"]) == ("accept", 1, 1)
