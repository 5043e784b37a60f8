"""The staff's pages, the REST API and the command line."""

from pathlib import Path

from regulars_web.lean import without

TRANSLATIONS = Path(__file__).parent / "translations"

# For tracebacks in colour, which nobody is shown.
with without("rich"):
    import structlog as structlog
