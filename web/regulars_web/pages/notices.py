"""Notices: what concerns somebody, newest first, behind the bell on every page."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_core.users import notices
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.gate import SIGNED_IN
from regulars_web.running import crm_here
from regulars_web.security import safe_next

pages = Blueprint("notices", __name__)
PAGE_SIZE = 50


@pages.get("/notices")
@access(SIGNED_IN)
def page() -> str:
    """One's own notices."""
    with crm_here().read() as session:
        found = notices.listed(session, _me(), before=request.args.get("before", type=int), limit=PAGE_SIZE + 1)
    following = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    return render("notices.html", notices=found[:PAGE_SIZE], following=following)


@pages.post("/notices/<int:notice_id>")
@access(SIGNED_IN)
def follow(notice_id: int) -> ResponseReturnValue:
    """Note that it was read, and go where it leads."""
    with crm_here().transaction() as session:
        url = notices.mark_read(session, _me(), notice_id)
    return redirect(safe_next(url))


@pages.post("/notices/read")
@access(SIGNED_IN)
def read_all() -> ResponseReturnValue:
    """Note that all were read."""
    with crm_here().transaction() as session:
        notices.mark_read(session, _me())
    return redirect(url_for("notices.page"))


def _me() -> int:
    return current_viewer().user_id or 0
