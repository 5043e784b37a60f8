"""The record of who changed what, over the whole chain."""

from __future__ import annotations

from flask import Blueprint, request

from regulars_core.audit import history
from regulars_plugin_api.errors import Forbidden
from regulars_plugin_api.i18n import _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.audit_words import told
from regulars_web.running import crm_here

pages = Blueprint("audit", __name__)
PAGE_SIZE = 100


@pages.get("/audit")
@access("audit.view")
def page() -> str:
    """Changes, newest first."""
    if current_viewer().store_ids is not None:
        raise Forbidden(_("The record covers the whole chain, and your role sees some stores of it."))
    before = request.args.get("before", type=int)
    with crm_here().read(current_viewer()) as session:
        entries = history.listed(session, before=before, limit=PAGE_SIZE + 1)
        shown = told(crm_here(), session, current_viewer(), entries[:PAGE_SIZE])
    following = entries[PAGE_SIZE - 1].id if len(entries) > PAGE_SIZE else None
    return render("audit.html", entries=shown, following=following, later=before is not None)
