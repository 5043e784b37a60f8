"""What ``/api/v1/webhooks`` takes and gives."""

from __future__ import annotations

import datetime as dt
from typing import Any

from marshmallow import fields, validate

from regulars_plugin_api.rest import PageQuery, RestSchema
from regulars_webhooks import words
from regulars_webhooks.endpoints import LONGEST_TITLE, LONGEST_URL
from regulars_webhooks.models import Attempt, Delivery, Endpoint, State
from regulars_webhooks.sending.call import Outcome

STATES = [state.value for state in State]
_TIMES = validate.Range(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC))


class EndpointSchema(RestSchema):
    """An endpoint. No `types` means every type of event. `state` is ok, failing, parked or off."""

    title = fields.String(required=True, validate=validate.Length(1, LONGEST_TITLE))
    url = fields.String(required=True, validate=validate.Length(1, LONGEST_URL), metadata={"example": "https://example.com/events"})
    types = fields.List(fields.String(validate=validate.Length(1, 80)), validate=validate.Length(max=500))
    active = fields.Boolean(truthy={True}, falsy={False})
    id = fields.Integer(required=True, dump_only=True)
    uid = fields.String(required=True, dump_only=True)
    state = fields.String(required=True, dump_only=True, validate=validate.OneOf(sorted(words.STANDINGS)))
    failures = fields.Integer(required=True, dump_only=True, metadata={"description": "Tries in a row that failed."})
    retry_at = fields.DateTime(allow_none=True, dump_only=True)
    parked_at = fields.DateTime(allow_none=True, dump_only=True)
    gone_at = fields.DateTime(
        allow_none=True, dump_only=True, metadata={"description": "Since when it is switched off because the receiver answered 410."}
    )
    old_secret_until = fields.DateTime(allow_none=True, dump_only=True)
    version = fields.Integer(required=True, dump_only=True)
    created_at = fields.DateTime(required=True, dump_only=True)


class ChangedEndpointSchema(EndpointSchema):
    """What to change of an endpoint; the rest stays."""

    title = fields.String(validate=validate.Length(1, LONGEST_TITLE))
    url = fields.String(validate=validate.Length(1, LONGEST_URL))


class SecretEndpointSchema(EndpointSchema):
    """An endpoint with its new secret, which is told only now."""

    secret = fields.String(required=True, dump_only=True, metadata={"example": "whsec_…"})


class OutcomeSchema(RestSchema):
    """What came of a call. `status` is null where nothing was answered, and `problem` says why."""

    status = fields.Integer(allow_none=True, required=True)
    problem = fields.String(allow_none=True, required=True)
    milliseconds = fields.Integer(required=True)
    answer = fields.String(required=True, metadata={"description": "The first 2,048 bytes."})


class AttemptSchema(OutcomeSchema):
    """One try to send a delivery."""

    at = fields.DateTime(required=True)


class DeliverySchema(RestSchema):
    """An event for an endpoint. `event_id` is what the receiver sees as `webhook-id`, the same on every try."""

    id = fields.Integer(required=True)
    event_id = fields.String(required=True)
    type = fields.String(required=True)
    version = fields.Integer(required=True)
    subject = fields.String(allow_none=True, required=True)
    actor = fields.String(required=True)
    at = fields.DateTime(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    attempts = fields.Integer(required=True)
    due_at = fields.DateTime(allow_none=True, required=True)


class TriedDeliverySchema(DeliverySchema):
    """A delivery with its body and its tries, the newest first."""

    body = fields.Dict(required=True)
    tries = fields.List(fields.Nested(AttemptSchema), required=True)


class DeliveryQuery(PageQuery):
    """Which deliveries; `since` and `until` are about when the event happened."""

    state = fields.String(validate=validate.OneOf(STATES))
    type = fields.String(validate=validate.Length(1, 80))
    since = fields.AwareDateTime(validate=_TIMES)
    until = fields.AwareDateTime(validate=_TIMES)


class ReplaySchema(RestSchema):
    """What to send again: all of a state, or all since an instant."""

    state = fields.String(validate=validate.OneOf(STATES))
    type = fields.String(validate=validate.Length(1, 80))
    since = fields.AwareDateTime(validate=_TIMES)
    until = fields.AwareDateTime(validate=_TIMES)


class ReplayedSchema(RestSchema):
    """How many deliveries are sent again."""

    replayed = fields.Integer(required=True)


class KindSchema(RestSchema):
    """A kind of event, and what it means."""

    type = fields.String(required=True)
    meaning = fields.String(required=True)


def plain_endpoint(one: Endpoint, now: dt.datetime) -> dict[str, Any]:
    """An endpoint as JSON."""
    return {
        "id": one.id,
        "uid": one.uid,
        "title": one.title,
        "url": one.url,
        "types": one.types,
        "active": one.active,
        "state": words.standing(one),
        "failures": one.failures,
        "retry_at": _when(one.retry_at),
        "parked_at": _when(one.parked_at),
        "gone_at": _when(one.gone_at),
        "old_secret_until": _when(one.old_until if one.old_until and one.old_until > now else None),
        "version": one.version,
        "created_at": _when(one.created_at),
    }


def plain_delivery(one: Delivery) -> dict[str, Any]:
    """A delivery as JSON."""
    return {
        "id": one.id,
        "event_id": one.event_id,
        "type": one.type,
        "version": one.type_version,
        "subject": one.subject,
        "actor": one.actor,
        "at": _when(one.at),
        "state": one.state.value,
        "attempts": one.attempts,
        "due_at": _when(one.due_at if one.state is State.WAITING else None),
    }


def plain_outcome(one: Outcome | Attempt) -> dict[str, Any]:
    """What came of a call as JSON."""
    return {"status": one.status, "problem": one.problem, "milliseconds": one.milliseconds, "answer": one.answer}


def plain_attempt(one: Attempt) -> dict[str, Any]:
    """A try as JSON."""
    return {**plain_outcome(one), "at": _when(one.at)}


def _when(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat()
