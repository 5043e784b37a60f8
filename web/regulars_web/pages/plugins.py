"""Plugins: what there is, how it fares, what switching one on or off means, and doing it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, flash, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue

from regulars_core.plugins import switching
from regulars_core.plugins.registry import PluginInfo, State
from regulars_plugin_api.errors import InvalidInput, RegularsError
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import removing
from regulars_web.pages.roles import permission_groups
from regulars_web.running import crm_here
from regulars_web.troubles import Mishap, mishaps

pages = Blueprint("plugins", __name__)

STATES: Mapping[str, tuple[str, str, Text]] = {
    "enabled": ("ok", "player-play", _("On")),
    "disabled": ("mute", "circle-off", _("Off")),
    "installed": ("info", "puzzle", _("New")),
    "broken": ("bad", "alert-circle", _("Broken")),
    "kept": ("warn", "clock-pause", _("Data kept")),
}
GROUPS: Mapping[str, tuple[Text, frozenset[State]]] = {
    "": (_("All"), frozenset(State)),
    "on": (_("On"), frozenset({State.ENABLED})),
    "off": (_("Off"), frozenset({State.INSTALLED, State.DISABLED})),
    "broken": (_("Broken"), frozenset({State.BROKEN})),
    "kept": (_("Data kept"), frozenset({State.KEPT})),
}


@pages.get("/plugins")
@access("plugins.manage")
def page() -> str:
    """Every plugin there is or was."""
    crm = crm_here()
    crm.plugins.refresh()
    listed = sorted(crm.plugins.listed(), key=lambda one: str(one.title).casefold())
    chosen = request.args.get("show", "")
    chosen = chosen if chosen in GROUPS else ""
    tabs = [(name, title, sum(one.state in states for one in listed)) for name, (title, states) in GROUPS.items()]
    shown = [one for one in listed if one.state in GROUPS[chosen][1]]
    return render("plugins.html", plugins=shown, tabs=tabs, chosen=chosen, states=STATES, troubles=_troubles())


@pages.get("/plugins/<name>")
@access("plugins.manage")
def show(name: str) -> str:
    """One plugin: its state, why, and what it consists of."""
    return _show(name)


@pages.post("/plugins/<name>/enable")
@access("plugins.manage")
def enable(name: str) -> ResponseReturnValue:
    """Upgrade the plugin's tables and switch it on."""
    try:
        switching.enable(crm_here(), name, current_viewer())
    except RegularsError as refusal:
        return _show(name, refusal.message), refusal.status
    return redirect(url_for("plugins.show", name=name, done="on"))


@pages.post("/plugins/<name>/disable")
@access("plugins.manage")
def disable(name: str) -> ResponseReturnValue:
    """Switch the plugin off; its data stay."""
    try:
        switching.disable(crm_here(), name, current_viewer())
    except RegularsError as refusal:
        return _show(name, refusal.message), refusal.status
    return redirect(url_for("plugins.show", name=name, done="off"))


@pages.get("/plugins/<name>/rows")
@access("plugins.manage")
def rows(name: str) -> Response:
    """Everything in the plugin's tables, a JSON document a line, to be kept before it is removed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the answer
    with crm_here().read(current_viewer()) as session:
        for line in removing.rows(crm_here(), session, name):
            file.write(f"{line}\n".encode())
    file.seek(0)
    return send_file(file, "application/x-ndjson", as_attachment=True, download_name=f"{name}.jsonl")


@pages.post("/plugins/<name>/purge")
@access("plugins.manage")
def purge(name: str) -> ResponseReturnValue:
    """Remove everything the plugin kept, once its name was typed."""
    try:
        if request.form.get("confirm", "").strip() != name:
            raise InvalidInput(confirm=_("Type the name of the plugin: %(name)s", name=name))
        kept = removing.remove(crm_here(), name, current_viewer())
    except InvalidInput as wrong:
        return _show(name, wrong=wrong.fields), 422
    except RegularsError as refusal:
        return _show(name, refusal.message), refusal.status
    if kept:
        flash(str(removing.told_of(kept)), "ok")
    return redirect(url_for("plugins.page"))


def _show(name: str, refusal: Text | None = None, wrong: Mapping[str, Text] | None = None) -> str:
    crm = crm_here()
    crm.plugins.refresh()
    plan = switching.plan(crm, name)
    info = next(one for one in crm.plugins.listed() if one.name == name)
    titles = {one.name: one.title for _title, found in permission_groups() for one in found}
    return render(
        "plugin.html",
        plugin=info,
        plan=plan,
        names=_names(crm.plugins.listed()),
        on=crm.plugins.is_enabled,
        loaded=crm.plugins.get(name),
        has_settings=crm.settings.schema(name) is not None,
        state=STATES[info.state.value],
        troubles=_troubles().get(name, []),
        titles=titles,
        refusal=refusal,
        wrong=wrong or {},
        done=request.args.get("done") if request.method == "GET" else None,
    )


def _names(listed: Sequence[PluginInfo]) -> dict[str, Text]:
    return {one.name: one.title for one in listed}


def _troubles() -> dict[str, list[Mishap]]:
    with crm_here().read() as session:
        return mishaps(crm_here(), session)
