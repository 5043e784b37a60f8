"""For load balancers and watchers: is the process alive, is the system ready."""

from __future__ import annotations

from ipaddress import ip_address

from flask import Blueprint, Response, abort, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

from regulars_plugin_api.web import PUBLIC, access
from regulars_web import metrics
from regulars_web.health import Readiness
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
    crm = crm_here()
    readiness: Readiness = current_app.extensions.setdefault("regulars_readiness", Readiness(crm))
    missing = readiness.missing()
    if not missing:
        return jsonify(status="ready", missing=[])
    return jsonify(status="not ready", missing=sorted(missing), reasons=missing), 503


@pages.get("/metrics")
@access(PUBLIC)
def figures() -> ResponseReturnValue:
    """For Prometheus: with a token that may ``metrics.read``, or from this machine where ``REGULARS_METRICS_LOOPBACK`` says so."""
    if not (g.viewer.may("metrics.read") or (crm_here().config.metrics_on_loopback and _is_from_here())):
        abort(403 if g.viewer.user_id is not None else 401)
    text, kind = metrics.page(current_app, crm_here())
    return Response(text, content_type=kind)


def _is_from_here() -> bool:
    # A proxy on this machine passes on what strangers ask.
    passed_on = any(request.headers.get(name) for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP"))
    return not passed_on and ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104 - no address to listen at
