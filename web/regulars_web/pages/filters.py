"""Building a filter: a plain form that grows a condition at a time, and saved views of the list it narrows."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from regulars_core.customers.filter import compiler
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import filtering, saved_views
from regulars_web.filtering import Form, Group, Row, TooDeep
from regulars_web.pages.customer import pages
from regulars_web.pages.customers import address, state_of
from regulars_web.running import crm_here

_STEP = re.compile(r"(add|drop)-(\d{1,2})(?:-(\d{1,2}))?")


@pages.get("/customers/filter")
@access("customers.view")
def build() -> ResponseReturnValue:
    """The form; with ``do`` it has grown, shrunk, or leads to the list."""
    given, fields = state_of(request.args), request.args.to_dict(flat=False)
    step, wrong = request.args.get("do", ""), None
    with crm_here().read(current_viewer()) as session:
        known = filtering.offers(session)
        try:
            where = filtering.parsed(given["filter"])
            form = filtering.read(fields, known) if step else filtering.from_filter(where, known)
        except TooDeep:
            form, wrong = Form(groups=[Group()]), _("The present filter has more to it than this form can show. Here you begin a new one.")
        except InvalidInput as refusal:
            form, wrong = Form(groups=[Group()]), refusal.message
        if step == "show":
            where = filtering.to_filter(form, known)
            try:
                if where is not None:
                    compiler(crm_here()).compile(where)
            except InvalidInput as refusal:
                wrong = refusal.message
            else:
                return redirect(address({**given, "filter": json.dumps(where, ensure_ascii=False) if where else ""}))
        elif step:
            _change(form, step, known)
        chosen = filtering.to_filter(form, known)
        told = filtering.sentence(chosen, known) if chosen else ""
    page = render("customer_filter.html", form=form, known=known, given=given, told=told, wrong=wrong)
    return page, 422 if step == "show" else 200


@pages.post("/customers/views")
@access("customers.view")
def save_view() -> ResponseReturnValue:
    """Keep the list as it stands under a name; without a good name, the form on a page of its own."""
    given, name, may_share = state_of(request.form), request.form.get("name", ""), current_viewer().may("views.share")
    shared = bool(request.form.get("shared")) and may_share
    try:
        with crm_here().transaction() as session:
            view = saved_views.save(session, current_user.id, name, {k: v for k, v in given.items() if v}, shared=shared)
    except InvalidInput as refusal:
        about = {"state": given.items(), "name": name, "shared": shared, "may_share": may_share, "back": address(given)}
        return render("view_form.html", **about, wrong=refusal.fields), 422
    flash(str(_("The view is saved.")), "ok")
    return redirect(url_for("customers.page", view=view.id))


@pages.post("/customers/views/<int:view_id>/delete")
@access("customers.view")
def delete_view(view_id: int) -> ResponseReturnValue:
    """Delete one's own view; the list stays as it showed it, to be saved again."""
    with crm_here().transaction() as session:
        gone = saved_views.delete(session, current_user.id, view_id)
    flash(str(_("The view is deleted. What it showed is still here; save it again to keep it.")), "ok")
    return redirect(address(state_of(gone.query)))


def _change(form: Form, step: str, known: Any) -> None:
    if step == "group":
        form.groups.append(Group())
        return
    found = _STEP.fullmatch(step)
    if found is None or int(found[2]) >= len(form.groups):
        return
    group = form.groups[int(found[2])]
    if found[1] == "add":
        name = request.args.get(f"new{found[2]}", "")
        if name in known and len(group.rows) < filtering.MOST_ROWS:
            group.rows.append(Row(name, known[name].operators[0]))
    elif found[3] is None:
        form.groups.remove(group)
    elif int(found[3]) < len(group.rows):
        del group.rows[int(found[3])]
