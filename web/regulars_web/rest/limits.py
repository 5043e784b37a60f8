"""How often programs may ask: so many requests a minute of one token, or of one user in a browser. Pages are not counted."""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple, cast

import structlog
from flask import Flask, Response, current_app, g, request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from regulars_core.config import Config, expected
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.rest import Refused
from regulars_plugin_api.views import Viewer

WRONG_TOKENS = RateLimitItemPerMinute(30)
COUNTED = "/api/v1/"
TRIED_AGAIN_AFTER = 10.0
log = structlog.get_logger(__name__)


class Spent(NamedTuple):
    """Whether one more is within the limit, how many are left, and seconds until all are free again."""

    is_within: bool
    left: int
    seconds: int


class Counter:
    """Counts where all processes see it, and in this process alone while that place can't be reached."""

    def __init__(self, config: Config) -> None:
        self.requests = RateLimitItemPerMinute(config.api_limit) if config.api_limit else None
        self._shared = FixedWindowRateLimiter(storage_of(config))
        self._alone = FixedWindowRateLimiter(MemoryStorage())
        self._away_until = 0.0

    def spend(self, item: RateLimitItem, who: str) -> Spent:
        """Count one more of ``who``."""
        if time.monotonic() >= self._away_until:
            try:
                return _spent(self._shared, item, who)
            except StorageError as error:
                self._away_until = time.monotonic() + TRIED_AGAIN_AFTER
                log.warning("requests are counted in this process alone", error=str(error.storage_error))
        return _spent(self._alone, item, who)


def storage_of(config: Config) -> Storage:
    """Where ``config`` has things counted; nothing is connected yet. Raises ``WrongSetting``."""
    try:
        return cast(Storage, storage_from_string(config.limits_url, wrap_exceptions=True, **options_of(config)))
    except ConfigurationError as error:
        raise expected("REGULARS_LIMITS_URL", _("a place to count, such as redis://HOST:6379/1, and the package it needs")) from error


def options_of(config: Config) -> dict[str, Any]:
    """How the driver is to behave: whoever waits for an answer does not wait long for a count."""
    return {"socket_timeout": 1.0, "socket_connect_timeout": 1.0, "retry": None} if config.limits_url.startswith("redis") else {}


def install(app: Flask, config: Config) -> None:
    """Let ``app`` count requests and say how many are left. Raises ``WrongSetting``."""
    app.extensions["regulars_counter"] = Counter(config)

    @app.after_request
    def tell(reply: Response) -> Response:
        for name, value in g.get("rate_limit", {}).items():
            reply.headers[name] = str(value)
        return reply


def count_request(viewer: Viewer) -> None:
    """Count a request to the API. Raises ``Refused`` (429)."""
    item = _counter().requests
    if item is None or viewer.user_id is None or not request.path.startswith(COUNTED):
        return
    message = _("Too many requests: %(count)d a minute are allowed. Wait a little and try again.", count=item.amount)
    _count(item, f"token {g.token.token_id}" if "token" in g else f"user {viewer.user_id}", message)


def count_wrong_token() -> None:
    """Count a token that nobody has. Raises ``Refused`` (429)."""
    _count(WRONG_TOKENS, f"wrong {request.remote_addr}", _("Too many attempts with wrong tokens. Wait a minute and try again."))


def _count(item: RateLimitItem, who: str, message: Text) -> None:
    if not current_app.extensions["regulars_limiter"].enabled:
        return
    spent = _counter().spend(item, who)
    g.rate_limit = {"RateLimit-Limit": item.amount, "RateLimit-Remaining": spent.left, "RateLimit-Reset": spent.seconds}
    if not spent.is_within:
        raise Refused(429, message, headers={"Retry-After": str(spent.seconds)})


def _counter() -> Counter:
    return cast(Counter, current_app.extensions["regulars_counter"])


def _spent(limiter: FixedWindowRateLimiter, item: RateLimitItem, who: str) -> Spent:
    is_within = limiter.hit(item, who)
    window = limiter.get_window_stats(item, who)
    return Spent(is_within, window.remaining, max(1, math.ceil(window.reset_time - time.time())))
