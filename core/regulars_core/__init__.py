"""The kernel: customers, stores, users, the bus, plugins, durable work and the exchange engine."""

import sys

# structlog draws rich in wherever it is installed, for tracebacks in colour that nobody is shown: four megabytes of each process.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog as structlog

    del sys.modules["rich"]
