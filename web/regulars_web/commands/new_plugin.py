"""regulars plugins new: the folder of a plugin that works, out of the template that the test kit carries."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path

import click

from regulars_plugin_api.errors import InvalidInput, NotAllowedYet, RegularsError
from regulars_plugin_api.i18n import Text, _
from regulars_web.console import DONE, Console, JsonCommand

PARTS_OF_THE_PLATFORM = ("core", "migrations", "plugin_api", "testkit", "web")
_UNFIT_FOR_A_TITLE = re.compile(r"[\x00-\x1f\x7f-\x9f\"\\%{}\[\]<>]")


@click.command(cls=JsonCommand)
@click.argument("name", required=False)
@click.option("--title", help="What people call it, such as “Gift cards”. Made of the name, if you leave it out.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The new folder; regulars-<name> here, if you leave it out.")
@click.pass_obj
def new(console: Console, name: str | None, title: str | None, out: Path | None) -> int:
    """Write a new plugin: a small one that works, passes its tests, and is yours to change."""
    if name is None:
        if console.as_json:
            raise InvalidInput(name=_("Give the plugin a name."))
        name = click.prompt(str(_("Name, such as gift_cards")), err=True)
    check_name(name)
    title = check_title(title or name.replace("_", " ").capitalize())
    folder = out or Path(f"regulars-{name.replace('_', '-')}")
    write(name, title, folder)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    following = _("Next: cd %(folder)s, pip install --editable ., pytest, regulars plugins enable %(name)s", folder=folder, name=name)
    console.answer({"name": name, "title": title, "folder": str(folder.resolve()), "files": files}, f"{folder}")
    if not console.as_json:
        console.say(following)
    return DONE


def check_name(name: str) -> None:
    """Raise ``InvalidInput`` unless a plugin may bear ``name`` here."""
    # Those of core's models that have a table of the name's prefix.
    import regulars_core.models  # noqa: F401
    from regulars_core.plugins.loader import check_free, installed
    from regulars_core.plugins.registry import CORE_PAGES, CORE_RESOURCES
    from regulars_plugin_api.manifest import Category, Manifest
    from regulars_web.cli import CORE

    try:
        Manifest(name=name, title="", summary="", category=Category.CUSTOMERS, api="1.0")
    except ValueError:
        raise _refused(_("Lower-case words joined by single underscores, at most 30 characters, such as gift_cards.")) from None
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise _refused(_("“%(name)s” is a word of Python.", name=name))
    if name in {*PARTS_OF_THE_PLATFORM, *CORE_PAGES, *CORE_RESOURCES, *CORE}:
        raise _refused(_("“%(name)s” is the platform's own name for something.", name=name))
    try:
        check_free(name, [one.name for one in installed()])
    except RegularsError as taken:
        raise _refused(taken.message) from taken


def check_title(title: str) -> str:
    """The title, if it can stand in code and catalogues as it is. Raises ``InvalidInput``."""
    title = title.strip()
    if not title or len(title) > 60 or _UNFIT_FOR_A_TITLE.search(title):
        raise InvalidInput(title=_("One line of at most 60 characters, without quotation marks, backslashes, percent signs or brackets."))
    return title


def write(name: str, title: str, folder: Path) -> None:
    """Write the plugin into ``folder``, which is new or empty. Raises ``InvalidInput``, ``NotAllowedYet``."""
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(out=_("The folder %(folder)s is not empty. Nothing was written.", folder=folder))
    try:
        from copier import run_copy
    except ImportError:
        raise NotAllowedYet(_("Writing plugins needs the developer's kit. Run: pip install 'regulars[kit]'")) from None
    with resources.as_file(resources.files("regulars_testkit") / "plugin_template") as template:
        run_copy(str(template), folder, data={"name": name, "title": title}, defaults=True, quiet=True)
    _compile_catalogues(folder)


def _compile_catalogues(folder: Path) -> None:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for path in folder.rglob("*.po"):
        with path.open("rb") as source, path.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, read_po(source))


def _refused(why: Text) -> InvalidInput:
    return InvalidInput(name=why)
