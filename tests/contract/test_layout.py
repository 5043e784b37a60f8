"""Guards: what the tools are told about the house is what the house looks like."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from setuptools import find_packages

HOUSE = Path(__file__).parents[2]
PLATFORM = {
    "regulars_plugin_api": "plugin_api",
    "regulars_core": "core",
    "regulars_web": "web",
    "regulars_migrations": "migrations",
    "regulars_testkit": "tests",
}
PLUGIN_FOLDERS = sorted(path.parent for path in HOUSE.glob("plugins/*/setup.cfg"))
PLUGIN_PACKAGES = [f"regulars_{folder.name}" for folder in PLUGIN_FOLDERS]
TOOLS = {
    "import-linter": ("importlinter", "root_packages"),
    "plugins use the contract": ("importlinter:contract:plugins-use-the-contract", "source_modules"),
    "platform knows no plugin": ("importlinter:contract:platform-knows-no-plugin", "forbidden_modules"),
    "plugins are independent": ("importlinter:contract:plugins-are-independent", "modules"),
}


def settings(path: Path = HOUSE / "setup.cfg") -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    assert parser.read(path, encoding="utf-8")
    return parser


def listed(section: str, option: str) -> list[str]:
    return re.split(r"[\s,]+", settings()[section][option].strip())


def named_plugins(names: list[str]) -> list[str]:
    return sorted(name for name in names if name.startswith("regulars_") and name not in PLATFORM)


def test_every_package_is_in_the_distribution() -> None:
    found = [name for package, folder in PLATFORM.items() for name in find_packages(str(HOUSE / folder), include=[package, f"{package}.*"])]
    assert sorted(listed("options", "packages")) == sorted(found)


def test_every_folder_of_code_is_a_package_but_those_of_migrations() -> None:
    roots = [HOUSE / folder / package for package, folder in PLATFORM.items()]
    roots += [folder / "src" / package for folder, package in zip(PLUGIN_FOLDERS, PLUGIN_PACKAGES, strict=True)]
    without_init = [
        str(path.relative_to(HOUSE))
        for root in roots
        for path in sorted({module.parent for module in root.rglob("*.py")})
        if not (path / "__init__.py").exists() and path.name != "versions"
    ]
    assert without_init == []


def test_there_are_plugins_to_guard() -> None:
    assert "regulars_purchases" in PLUGIN_PACKAGES


@pytest.mark.parametrize("tool", TOOLS)
def test_every_plugin_is_named_to(tool: str) -> None:
    assert named_plugins(listed(*TOOLS[tool])) == PLUGIN_PACKAGES


def test_every_plugin_is_on_the_path_of_mypy() -> None:
    expected = [f"$MYPY_CONFIG_FILE_DIR/plugins/{folder.name}/src" for folder in PLUGIN_FOLDERS]
    assert sorted(path for path in listed("mypy", "mypy_path") if "/plugins/" in path) == expected


def test_mypy_and_pytest_cover_the_folder_of_plugins() -> None:
    assert "plugins" in listed("mypy", "files")
    assert "plugins" in listed("tool:pytest", "testpaths")


def test_every_plugin_is_first_party_to_ruff() -> None:
    text = (HOUSE / "pyproject.toml").read_text(encoding="utf-8")
    known = re.search(r"known-first-party = \[(.*?)\]", text, re.DOTALL)
    assert known is not None
    assert named_plugins(re.findall(r'"(\w+)"', known[1])) == PLUGIN_PACKAGES


def test_make_installs_whatever_lies_in_plugins() -> None:
    makefile = (HOUSE / "Makefile").read_text(encoding="utf-8")
    assert "$(wildcard plugins/*/setup.cfg)" in makefile
    assert not any(f"plugins/{folder.name}" in makefile for folder in PLUGIN_FOLDERS)


@pytest.mark.parametrize("folder", PLUGIN_FOLDERS, ids=lambda folder: folder.name)
def test_a_plugin_is_packaged_like_its_siblings(folder: Path) -> None:
    config = settings(folder / "setup.cfg")
    assert config["metadata"]["name"] == f"regulars-{folder.name.replace('_', '-')}"
    assert config["options.packages.find"]["where"] == "src"
    assert re.search(r"^regulars>=.*,<", config["options"]["install_requires"].strip(), re.MULTILINE)
    assert config["options.entry_points"]["regulars.plugins"].strip() == f"{folder.name} = regulars_{folder.name}.plugin"
    assert [name for name in ("pyproject.toml", "README.md", "CHANGELOG.md") if not (folder / name).exists()] == []


@pytest.mark.parametrize("folder", ["core", "migrations", "plugin_api", "testkit", "web"])
def test_the_platform_s_own_tests_switch_on_no_plugin_of_ours(folder: str) -> None:
    # They run where no plugin is installed.
    names = "|".join(path.name for path in PLUGIN_FOLDERS)
    switching = re.compile(rf'enable\([^)]*"({names})"')
    files = sorted((HOUSE / "tests" / folder).rglob("*.py"))
    assert files
    assert [str(file.relative_to(HOUSE)) for file in files if switching.search(file.read_text(encoding="utf-8"))] == []
