"""The staff's pages, the REST API and the command line."""

import sys
from pathlib import Path

TRANSLATIONS = Path(__file__).parent / "translations"

# structlog draws rich in wherever it is installed, for tracebacks in colour that nobody is shown: four megabytes of each process.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog as structlog

    del sys.modules["rich"]
