"""``/api/v1/webhooks``: endpoints, and what was sent to them."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, url_for
from sqlalchemy.orm import Session

from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.rest import PageQuery, Place, RestBlueprint, answer_of, page_of, page_schema, refuse_stale
from regulars_plugin_api.web import access, current_crm
from regulars_webhooks import deliveries, endpoints, words
from regulars_webhooks.deliveries import Which
from regulars_webhooks.endpoints import Draft
from regulars_webhooks.i18n import _
from regulars_webhooks.models import Endpoint, State
from regulars_webhooks.rest_shapes import (
    ChangedEndpointSchema,
    DeliveryQuery,
    DeliverySchema,
    EndpointSchema,
    KindSchema,
    OutcomeSchema,
    ReplayedSchema,
    ReplaySchema,
    SecretEndpointSchema,
    TriedDeliverySchema,
    plain_attempt,
    plain_delivery,
    plain_endpoint,
    plain_outcome,
)
from regulars_webhooks.sending.call import ping
from regulars_webhooks.views import refuse_part_of_the_chain

webhooks = RestBlueprint("webhooks", __name__, description="Other systems that are told what happens.")
webhooks.before_request(refuse_part_of_the_chain)
BY_ID = Place(int)


@webhooks.route("")
@access("webhooks.view")
@webhooks.arguments(PageQuery, location="query")
@webhooks.response(200, page_schema(EndpointSchema))
def listed(query: dict[str, Any], session: Session) -> Any:
    """Endpoints, in the order they were added."""
    after = BY_ID.read(query.get("cursor"))
    found = endpoints.listed(session, after=after[0] if after else 0, limit=query["limit"] + 1)
    body, headers = page_of(found, query["limit"], lambda last: BY_ID.cursor(last.id))
    return jsonify({**body, "items": [_plain(one) for one in body["items"]]}), headers


@webhooks.route("", methods=("POST",))
@access("webhooks.manage")
@webhooks.arguments(EndpointSchema)
@webhooks.response(201, SecretEndpointSchema)
def create(given: dict[str, Any], session: Session) -> Response:
    """Add an endpoint. The answer has its secret, which is told only now."""
    endpoint, secret = endpoints.create(current_crm(), session, _draft(given))
    made = {**_plain(endpoint), "secret": secret}
    return answer_of(made, 201, {"Location": url_for("rest-webhooks.show", endpoint_id=endpoint.id)})


@webhooks.route("/types")
@access("webhooks.view")
@webhooks.response(200, KindSchema(many=True))
def types() -> Any:
    """Every kind of event there is."""
    return words.kinds()


@webhooks.route("/<int:endpoint_id>")
@access("webhooks.view")
@webhooks.response(200, EndpointSchema)
def show(session: Session, endpoint_id: int) -> Response:
    """One endpoint."""
    return answer_of(_plain(endpoints.get(session, endpoint_id)))


@webhooks.route("/<int:endpoint_id>", methods=("PATCH",))
@access("webhooks.manage")
@webhooks.arguments(ChangedEndpointSchema)
@webhooks.response(200, EndpointSchema)
def change(given: dict[str, Any], session: Session, endpoint_id: int) -> Response:
    """Change an endpoint. One that was given up is tried again."""
    current = _plain(endpoints.get(session, endpoint_id, to_change=True))
    refuse_stale(current, given)
    return answer_of(_plain(endpoints.change(session, endpoint_id, _draft({**current, **given}))))


@webhooks.route("/<int:endpoint_id>", methods=("DELETE",))
@access("webhooks.manage")
@webhooks.response(204)
def remove(session: Session, endpoint_id: int) -> None:
    """Remove an endpoint and its log."""
    refuse_stale(_plain(endpoints.get(session, endpoint_id, to_change=True)))
    endpoints.delete(session, endpoint_id)


@webhooks.route("/<int:endpoint_id>/secret", methods=("POST",))
@access("webhooks.manage")
@webhooks.response(200, SecretEndpointSchema)
def rotate(session: Session, endpoint_id: int) -> Response:
    """Make a new secret, which is told only now. The old one signs beside it for as long as the settings say."""
    endpoint, secret = endpoints.rotate(current_crm(), session, endpoint_id)
    return answer_of({**_plain(endpoint), "secret": secret})


@webhooks.route("/<int:endpoint_id>/test", methods=("POST",))
@access("webhooks.manage")
@webhooks.response(200, OutcomeSchema)
def test(endpoint_id: int) -> Response:
    """Send a ping at once. The answer tells what the receiver answered."""
    # No session is asked for: none may be open while another system takes its time.
    with current_crm().read() as session:
        endpoint = endpoints.get(session, endpoint_id)
    return jsonify(plain_outcome(ping(current_crm(), endpoint)))


@webhooks.route("/<int:endpoint_id>/replay", methods=("POST",))
@access("webhooks.manage")
@webhooks.arguments(ReplaySchema)
@webhooks.response(200, ReplayedSchema)
def replay(given: dict[str, Any], session: Session, endpoint_id: int) -> Any:
    """Send again what is in the log, in order, with the ids it had."""
    if not given.keys() & {"state", "since"}:
        raise InvalidInput(since=_("Say since when, or of which state."))
    return {"replayed": deliveries.replay(session, endpoint_id, _which(given))}


@webhooks.route("/<int:endpoint_id>/deliveries")
@access("webhooks.view")
@webhooks.arguments(DeliveryQuery, location="query")
@webhooks.response(200, page_schema(DeliverySchema))
def log(query: dict[str, Any], session: Session, endpoint_id: int) -> Any:
    """What was and is to be sent to an endpoint, newest first."""
    endpoints.get(session, endpoint_id)
    place = BY_ID.read(query.get("cursor"))
    found = deliveries.listed(session, endpoint_id, _which(query), before=place[0] if place else None, limit=query["limit"] + 1)
    body, headers = page_of(found, query["limit"], lambda last: BY_ID.cursor(last.id))
    return jsonify({**body, "items": [plain_delivery(one) for one in body["items"]]}), headers


@webhooks.route("/<int:endpoint_id>/deliveries/<int:delivery_id>")
@access("webhooks.view")
@webhooks.response(200, TriedDeliverySchema)
def delivery(session: Session, endpoint_id: int, delivery_id: int) -> Response:
    """One delivery with its tries."""
    found = deliveries.get(session, endpoint_id, delivery_id)
    tries = [plain_attempt(one) for one in deliveries.attempts(session, delivery_id)]
    return answer_of({**plain_delivery(found), "body": found.body, "tries": tries})


@webhooks.route("/<int:endpoint_id>/deliveries/<int:delivery_id>/replay", methods=("POST",))
@access("webhooks.manage")
@webhooks.response(204)
def replay_one(session: Session, endpoint_id: int, delivery_id: int) -> None:
    """Send one delivery again."""
    deliveries.replay_one(session, endpoint_id, delivery_id)


@webhooks.route("/<int:endpoint_id>/deliveries/<int:delivery_id>/skip", methods=("POST",))
@access("webhooks.manage")
@webhooks.response(204)
def skip(session: Session, endpoint_id: int, delivery_id: int) -> None:
    """Leave a parked delivery out, and send what waits behind it."""
    deliveries.skip(session, endpoint_id, delivery_id)


def _draft(given: dict[str, Any]) -> Draft:
    return Draft(given["title"], given["url"], tuple(given.get("types", ())), given.get("active", True))


def _which(given: dict[str, Any]) -> Which:
    state = State(given["state"]) if "state" in given else None
    return Which(state, given.get("type"), given.get("since"), given.get("until"))


def _plain(endpoint: Endpoint) -> dict[str, Any]:
    return plain_endpoint(endpoint, current_crm().clock.now())
