"""The staff's pages, the REST API and the command line."""

from pathlib import Path

TRANSLATIONS = Path(__file__).parent / "translations"
