"""What the system writes about itself: one line an event, to standard error, without the values of variables."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logging(*, json: bool) -> None:
    """Readable lines for a terminal, or ``json`` for a log collector. Neither prints locals: they hold personal data and secrets."""
    if json:
        renderer: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        renderer = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
