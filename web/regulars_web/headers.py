"""What every answer carries, errors included."""

from __future__ import annotations

from flask import Flask, Response, g, request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
VARY = ("HX-Request", "Cookie")


def install(app: Flask, *, https: bool) -> None:
    """Add the headers to every answer of ``app``. Personal data is never kept by a browser or a proxy."""

    @app.after_request
    def complete(reply: Response) -> Response:
        reply.headers.update(ALWAYS)
        if https:
            reply.headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint != "asset":
            reply.headers["Cache-Control"] = "no-store"
            if "Vary" in reply.headers:
                reply.vary.update(VARY)
            else:
                reply.headers["Vary"] = ", ".join(VARY)
        reply.headers["X-Request-ID"] = g.get("request_id", "-")
        return reply
