"""For load balancers and watchers: is the process alive, is the system ready."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from regulars_plugin_api.web import PUBLIC, access
from regulars_web.health import examine
from regulars_web.running import crm_here

pages = Blueprint("health", __name__)


@pages.get("/healthz")
@access(PUBLIC)
def alive() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@pages.get("/readyz")
@access(PUBLIC)
def ready() -> ResponseReturnValue:
    """Everything needed is there; says what is not, without details for strangers."""
    missing = [one.name for one in examine(crm_here()) if one.needed and one.problem is not None]
    return jsonify(status="not ready" if missing else "ready", missing=missing), 503 if missing else 200
