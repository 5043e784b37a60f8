"""Bring the translation catalogues in step with the code: ``python tools/catalogues.py``. New messages come in untranslated.

With ``--check`` nothing is written; what is missing is listed and ends with 1.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "web" / "regulars_web" / "translations"
DOMAIN, LOCALES = "regulars", ("fa", "sv")
# Dates that move with every run would only make two versions differ.
WRITTEN = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
PYTHON = ("plugin_api", "core", "migrations", "web")
TEMPLATES = "web/regulars_web/templates"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "_n": (1, 2)}


def extracted() -> Catalog:
    """Every message of code and templates, sorted, without places: those change with each edit."""
    found = Catalog(project="Regulars", charset="utf-8")
    files = [("python", path) for folder in PYTHON for path in sorted((ROOT / folder).rglob("*.py"))]
    files += [("jinja2", path) for path in sorted((ROOT / TEMPLATES).rglob("*.html"))]
    for method, path in files:
        extractor = "jinja2.ext:babel_extract" if method == "jinja2" else "python"
        options = {"silent": "false", "newstyle_gettext": "true", "extensions": "jinja2.ext.do"} if method == "jinja2" else {}
        for _line, message, _comments, _context in extract_from_file(extractor, os.fspath(path), KEYWORDS, (), options):
            found.add(message)
    return found


def updated(locale: str) -> Catalog:
    """The catalogue of ``locale``, with exactly the messages of the code."""
    path = HOME / locale / "LC_MESSAGES" / f"{DOMAIN}.po"
    catalogue = read_po(BytesIO(path.read_bytes()), locale=locale, domain=DOMAIN) if path.exists() else Catalog(locale, DOMAIN)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.project, catalogue.version, catalogue.msgid_bugs_address = "Regulars", "1", ""
    catalogue.last_translator, catalogue.language_team, catalogue.fuzzy = "The Regulars team", locale, False
    catalogue.header_comment = f"# The platform's words in {catalogue.locale.english_name}." if catalogue.locale else ""
    catalogue.creation_date = catalogue.revision_date = WRITTEN
    return catalogue


def missing(catalogue: Catalog) -> list[str]:
    """Messages without a translation, or with one that lacks a form or a placeholder."""
    found = []
    for message in catalogue:
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and (message.fuzzy or not all(forms) or any(True for _flaw in message.check())):
            found.append(str(message.id))
    return found


def main() -> int:
    """Update or check."""
    for locale in LOCALES:
        catalogue = updated(locale)
        lacking = missing(catalogue)
        for message in lacking:
            sys.stdout.write(f"{locale}: {message}\n")
        if "--check" in sys.argv:
            if lacking:
                return 1
            continue
        folder = HOME / locale / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{DOMAIN}.po").open("wb") as file:
            write_po(file, catalogue, sort_output=True, no_location=True, omit_header=False, width=120)
        with (folder / f"{DOMAIN}.mo").open("wb") as file:
            write_mo(file, catalogue)
    return 0


if __name__ == "__main__":
    sys.exit(main())
