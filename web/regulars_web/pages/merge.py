"""Two records side by side, becoming one, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_core.customers import merging
from regulars_core.privacy import tables
from regulars_core.stores import service as stores
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import merges
from regulars_web.filtering import GENDERS, KINDS, STATUSES
from regulars_web.running import crm_here

pages = Blueprint("merge", __name__)
PAGE_SIZE = 50
FIELDS: Mapping[str, Text] = {
    "display_name": _("Full name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "status": _("Status"),
    "birthday": _("Birthday"),
    "gender": _("Gender"),
    "language": _("Language"),
    "store_id": _("Home store"),
    "notes": _("Notes"),
}
LISTS: Mapping[str, tuple[Text, Callable[[CustomerView], list[str]]]] = {
    "phones": (_("Phone numbers"), lambda one: [phone.number for phone in one.phones]),
    "emails": (_("E-mail addresses"), lambda one: [email.address for email in one.emails]),
    "addresses": (_("Addresses"), lambda one: [", ".join(filter(None, (a.street, a.postal_code, a.city))) for a in one.addresses]),
    "external_ids": (_("Customer numbers"), lambda one: [value for _source, value in one.external_ids]),
    "tags": (_("Tags"), lambda one: list(one.tags)),
}


@pages.get("/customers/<int:keep_id>/merge/<int:drop_id>")
@access("customers.merge")
def preview(keep_id: int, drop_id: int) -> str:
    """Which value stays, what moves, how much."""
    return _preview(keep_id, drop_id)


@pages.post("/customers/<int:keep_id>/merge/<int:drop_id>")
@access("customers.merge")
def merge(keep_id: int, drop_id: int) -> ResponseReturnValue:
    """Make the second customer part of the first."""
    try:
        with crm_here().transaction() as session:
            for one in (keep_id, drop_id):
                crm_here().customers.seen_by(session, current_viewer(), one)
            number = crm_here().customers.merge(keep_id, drop_id, session=session)
    except NotAllowedYet as refused:
        return _preview(keep_id, drop_id, str(refused.message)), 409
    return redirect(url_for("merge.show", number=number))


@pages.get("/merges")
@access("customers.merge")
def page() -> str:
    """Merges, newest first."""
    before = request.args.get("before", type=int)
    with crm_here().read(current_viewer()) as session:
        found = merges.listed(crm_here(), session, current_viewer(), before=before, limit=PAGE_SIZE + 1)
    following = found[PAGE_SIZE - 1].number if len(found) > PAGE_SIZE else None
    return render("merges.html", merges=found[:PAGE_SIZE], following=following)


@pages.get("/merges/<int:number>")
@access("customers.merge")
def show(number: int) -> str:
    """What a merge did, and Undo."""
    with crm_here().read(current_viewer()) as session:
        found = merges.get(crm_here(), session, current_viewer(), number)
    titles = [(tables.title(crm_here(), table), count) for table, count in found.moved.items()]
    return render("merge_done.html", merge=found, moved=titles)


@pages.post("/merges/<int:number>/undo")
@access("customers.merge")
def undo(number: int) -> ResponseReturnValue:
    """Make two of one again."""
    with crm_here().transaction() as session:
        found = merges.get(crm_here(), session, current_viewer(), number)
        crm_here().customers.unmerge(number, session=session)
    flash(str(_("The merge is taken back.")), "ok")
    return redirect(url_for("customers.show", customer_id=found.dropped_id))


def _preview(keep_id: int, drop_id: int, refusal: str = "") -> str:
    crm, viewer = crm_here(), current_viewer()
    with crm.read(viewer) as session:
        keep, drop = (crm.customers.seen_by(session, viewer, number) for number in (keep_id, drop_id))
        filled = merging.filled(keep, drop)
        homes = stores.names(session, [one.store_id for one in (keep, drop) if one.store_id])
        moved = {tables.title(crm, table): count for table, count in tables.counts(session, drop.id).items()}
    words: Mapping[str, Mapping[Any, Text]] = {"status": STATUSES, "gender": GENDERS, "store_id": homes}
    rows = []
    for name, title in FIELDS.items():
        mine, theirs = (words.get(name, {}).get(value, value) for value in (getattr(keep, name), getattr(drop, name)))
        rows.append((title, mine, theirs, "other" if name in filled else "one"))
    lists = [(title, show(keep), show(drop)) for title, show in LISTS.values()]
    same = keep.id == drop.id
    values = {"rows": [row for row in rows if row[1] or row[2]], "lists": [row for row in lists if row[1] or row[2]], "moved": moved}
    return render("merge.html", keep=keep, drop=drop, refusal=refusal, kinds=KINDS, same=same, **values)
