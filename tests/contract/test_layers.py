"""The import rules bite: a small house that breaks one is refused, one that keeps them all passes."""

import os
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
NEWCOMER = "regulars_newcomer"
PLUGIN_LISTS = {
    "importlinter": "root_packages",
    "importlinter:contract:plugins-use-the-contract": "source_modules",
    "importlinter:contract:platform-knows-no-plugin": "forbidden_modules",
    "importlinter:contract:plugins-are-independent": "modules",
}


def small_house(folder: Path, broken: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Lint a house of empty packages, plus the `broken` modules (dotted name to source), by the real contracts."""
    config = ConfigParser(interpolation=None)
    config.read(HOUSE / "setup.cfg", encoding="utf-8")
    for section in [name for name in config.sections() if not name.startswith("importlinter")]:
        config.remove_section(section)
    for section, option in PLUGIN_LISTS.items():
        config[section][option] += f"\n{NEWCOMER}"
    for package in config["importlinter"]["root_packages"].split():
        for name in ("__init__", "api", "service"):
            write_module(folder, f"{package}.{name}", "")
    for name, source in broken.items():
        write_module(folder, name, source)
    with (folder / ".importlinter").open("w", encoding="utf-8") as file:
        config.write(file)
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", ".importlinter", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def write_module(folder: Path, name: str, source: str) -> None:
    path = folder.joinpath(*name.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")


def test_a_house_in_order_passes(tmp_path: Path) -> None:
    result = small_house(tmp_path, {f"{NEWCOMER}.service": "import regulars_plugin_api.service\nimport regulars_purchases.api\n"})
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "imported", "contract"),
    [
        ("regulars_plugin_api.service", "regulars_core.service", "The platform is built in layers"),
        ("regulars_migrations.service", "regulars_core.service", "The platform is built in layers"),
        ("regulars_core.service", "regulars_web.service", "The platform is built in layers"),
        ("regulars_web.service", "regulars_testkit.service", "The platform is built in layers"),
        (f"{NEWCOMER}.service", "regulars_core.service", "Plugins import the plugin API, never the platform behind it"),
        (f"{NEWCOMER}.service", "regulars_web.service", "Plugins import the plugin API, never the platform behind it"),
        (f"{NEWCOMER}.service", "regulars_migrations.service", "Plugins import the plugin API, never the platform behind it"),
        ("regulars_purchases.service", "regulars_testkit.service", "Plugins import the plugin API, never the platform behind it"),
        ("regulars_core.service", "regulars_purchases.api", "The platform imports no plugin"),
        ("regulars_purchases.service", f"{NEWCOMER}.service", "Plugins meet only through their api modules"),
        (f"{NEWCOMER}.api", "regulars_purchases.service", "Plugins meet only through their api modules"),
    ],
)
def test_a_broken_rule_is_named(tmp_path: Path, module: str, imported: str, contract: str) -> None:
    result = small_house(tmp_path, {module: f"import {imported}\n"})
    assert result.returncode == 1, result.stdout
    assert f"{contract} BROKEN" in result.stdout
    assert f"{module} -> {imported}" in result.stdout
