"""One call: the envelope, its headers, and what came of it."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import dataclass

from regulars_plugin_api.errors import RegularsError
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.services import Crm
from regulars_webhooks.endpoints import secrets_of
from regulars_webhooks.models import Delivery, Endpoint
from regulars_webhooks.sending.resting import asked_rest
from regulars_webhooks.signing import signed_headers

READ = 64 * 1024
KEPT = 2048
GONE = 410


@dataclass(frozen=True)
class Outcome:
    """What came of a call. ``status`` is None where nothing was answered, and ``problem`` says why; ``rest`` is what was asked for."""

    milliseconds: int
    status: int | None = None
    problem: str | None = None
    answer: str = ""
    rest: dt.timedelta | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has the event."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver says that there is nobody any more, and never will be."""
        return self.status == GONE


def envelope(delivery: Delivery) -> bytes:
    """What is sent: the same bytes on every try."""
    told = {
        "id": delivery.event_id,
        "type": delivery.type,
        "version": delivery.type_version,
        "at": delivery.at.isoformat(),
        "subject": delivery.subject,
        "actor": delivery.actor,
        "body": delivery.body,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def call(crm: Crm, endpoint: Endpoint, delivery: Delivery, seconds: float) -> Outcome:
    """Send a delivery to its endpoint. Never raises for what the other side does."""
    began = time.monotonic()
    try:
        keys, body = secrets_of(crm, endpoint), envelope(delivery)
        headers = signed_headers(keys, delivery.event_id, int(crm.clock.now().timestamp()), body)
        sent = {"Content-Type": "application/json", "User-Agent": "Regulars-Webhooks", "webhook-type": delivery.type, **headers}
        reply = crm.http.request("POST", endpoint.url, headers=sent, body=body, seconds=seconds, enough=READ)
    except (RegularsError, OSError) as error:
        return Outcome(_since(began), problem=_text(str(error)) or type(error).__name__)
    answer = reply.body.decode("utf-8", "replace")
    for key in keys:
        # A receiver that echoes what it was told shall not make the log tell it, too.
        answer = answer.replace(key, "…")
    return Outcome(_since(began), reply.status, answer=_text(answer), rest=asked_rest(reply, crm.clock.now()))


def ping(crm: Crm, endpoint: Endpoint) -> Outcome:
    """Send an event of the type ``ping`` at once; it is in no log."""
    event = Delivery(
        event_id=uuid7(),
        type="ping",
        type_version=1,
        at=crm.clock.now(),
        subject=f"webhook:{endpoint.uid}",
        actor="user",
        body={"webhook": endpoint.uid},
    )
    return call(crm, endpoint, event, crm.settings.of("webhooks")["seconds"])


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _text(raw: str) -> str:
    return raw.replace("\x00", "").encode()[:KEPT].decode("utf-8", "ignore")
