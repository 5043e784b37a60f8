"""The API as a whole: its resources, the description of those that are on, and the page to read it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Blueprint, Flask, Response, current_app, jsonify
from flask_smorest import Api
from marshmallow import fields
from werkzeug.routing import BaseConverter

from regulars_core.crm import Crm
from regulars_plugin_api.rest import Amount, CustomerRef, RestBlueprint
from regulars_plugin_api.web import access, render
from regulars_web.gate import SIGNED_IN
from regulars_web.rest.problems import MEDIA_TYPE
from regulars_web.rest.serving import operation
from regulars_web.running import crm_here

ABOUT = """Everything Regulars knows of its customers, for programs.

Sign in with a token (`Authorization: Bearer rgl_…`, made by `regulars tokens create`) or with the session cookie of a browser and its CSRF
token in `X-CSRFToken`. What a token may do is what its scopes and its user allow.

Lists come in pages: `limit`, and `cursor` from `next` of the answer before, which is also in the `Link` header. What is not known is
refused: fields, parameters, media types. Every refusal is a problem document (RFC 9457) with an entry per bad field.

Send an `Idempotency-Key` with a POST to be able to send it again: for 24 hours the same key gets the same answer and nothing is done twice.
An `ETag` sent back in `If-None-Match` saves reading (304); in `If-Match` it keeps you from overwriting what you have not seen (412).

Each token may call so many times a minute: `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` say where it stands. Beyond that
the answer is 429 with `Retry-After`.
"""

docs = Blueprint("api", __name__)


class CustomerKey(BaseConverter):
    """A customer in an address: the id, or the uid."""

    regex = r"[0-9]{1,15}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class UidKey(BaseConverter):
    """A uid in an address."""

    regex = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class RunKey(BaseConverter):
    """The number of a run in an address."""

    regex = r"[0-9]{1,15}"

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)


KEYS = {"customer": CustomerKey, "uid": UidKey, "run": RunKey}


class FieldProblem(ma.Schema):
    """What is wrong with one field."""

    field = fields.String(required=True, metadata={"description": "The field or parameter, such as `emails[0]`."})
    detail = fields.String(required=True)


class ProblemSchema(ma.Schema):
    """What went wrong (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    request_id = fields.String(allow_none=True)
    errors = fields.List(fields.Nested(FieldProblem))


class RestApi(Api):  # type: ignore[misc]
    """flask-smorest, with our problem documents instead of its own."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        self.DEFAULT_RESPONSE_CONTENT_TYPE = MEDIA_TYPE
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE

    def _register_error_handlers(self) -> None:
        """The application's own handlers know what to answer under ``/api/``."""


def install(app: Flask, crm: Crm, resources: list[RestBlueprint]) -> None:
    """Serve the platform's ``resources``, their description and the page to read it."""
    app.url_map.converters.update(KEYS)
    info = {"description": ABOUT}
    api = RestApi(app, spec_kwargs={"title": "Regulars", "version": "1", "openapi_version": "3.1.0", "info": info})
    api.register_field(Amount, "string", "decimal")
    api.register_field(CustomerRef, "string", None)
    for key in KEYS.values():
        api.register_converter(key, lambda converter: {"type": "string", "pattern": f"^({converter.regex})$"})
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    api.spec.components.security_scheme("cookie", {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]})
    api.spec.options["security"] = [{"token": []}, {"cookie": []}]
    app.extensions["regulars_rest"] = api
    for blueprint in resources:
        add(app, blueprint)
    app.register_blueprint(docs)


def add(app: Flask, blueprint: RestBlueprint) -> None:
    """Serve one resource and describe it."""
    api: RestApi = app.extensions["regulars_rest"]
    before = set(app.view_functions)
    api.register_blueprint(blueprint)
    for endpoint in set(app.view_functions) - before:
        app.view_functions[endpoint] = operation(app.view_functions[endpoint])


@docs.get("/api/v1/openapi.json")
@access(SIGNED_IN)
def description() -> Response:
    """The resources of the platform and of the plugins that are on."""
    return jsonify(described(current_app._get_current_object()))  # type: ignore[attr-defined]


@docs.get("/api/docs")
@access(SIGNED_IN)
def reader() -> str:
    """The description, to be read and tried out."""
    return render("api_docs.html")


def described(app: Flask) -> dict[str, Any]:
    """The OpenAPI document without what belongs to plugins that are off."""
    api: RestApi = app.extensions["regulars_rest"]
    document: dict[str, Any] = api.spec.to_dict()
    off = [app.blueprints[name] for name, plugin in app.extensions["regulars_claims"].items() if not crm_here().plugins.is_enabled(plugin)]
    hidden = {one.resource for one in off if isinstance(one, RestBlueprint)}
    paths = {path: item for path, item in document["paths"].items() if path.split("/")[3] not in hidden}
    tags = [{"name": tag["name"].removeprefix("rest-"), "description": tag["description"]} for tag in document.get("tags", ())]
    return document | {"paths": paths, "tags": [tag for tag in tags if tag["name"] not in hidden]}
