"""What plugins add to the staff's pages. The host asks, filters by permission, sorts and renders."""

from __future__ import annotations

from collections.abc import Iterable

from regulars_plugin_api.contributions import Action, NavItem, Panel, SearchSource, Widget
from regulars_plugin_api.hookspecs import OnFailure, hookspec
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_plugin_api.web import PluginBlueprint


@hookspec(on_failure=OnFailure.PLUGIN_OFF, disabled_too=True, declares=True)
def blueprints() -> Iterable[PluginBlueprint]:
    """Pages under ``/<plugin>/…``, REST under ``/api/v1/<resource>/…``, other public roots by name.

    Asked of every installed plugin once, when the web process starts. Addresses are claimed; a plugin that claims a
    taken one is off. While a plugin is disabled its addresses answer 404. On failure the plugin is off. Since 1.0.
    """
    raise NotImplementedError


@hookspec(page=True)
def nav_items(viewer: Viewer) -> Iterable[NavItem]:
    """Entries of the menu.

    Asked for each page. Items are ordered by section, weight and label; those without permission are left out. On
    failure its entries are missing. Since 1.0.
    """
    raise NotImplementedError


@hookspec(page=True)
def customer_panels(customer: CustomerView, viewer: Viewer) -> Iterable[Panel]:
    """Blocks shown on a customer's page.

    Asked once per page view, after the viewer's access to the customer is settled. Placed by ``Panel.place``, then
    ordered by weight and title. On failure the plugin's panels give way to a notice; the page still renders. Since
    1.0.
    """
    raise NotImplementedError


@hookspec(page=True)
def customer_actions(customer: CustomerView | None, viewer: Viewer) -> Iterable[Action]:
    """Buttons on the customer page, and bulk actions on the list.

    Asked once per page view; for the list ``customer`` is None and only ``bulk`` actions are used. Those without
    permission are left out. On failure its buttons are missing. Since 1.0.
    """
    raise NotImplementedError


@hookspec(page=True)
def dashboard_widgets(viewer: Viewer) -> Iterable[Widget]:
    """Tiles of the home page.

    Asked once per page view; each tile is loaded after the page. On failure its tiles are missing. Since 1.0.
    """
    raise NotImplementedError


@hookspec(page=True)
def search_sources() -> Iterable[SearchSource]:
    """Results in the global search box.

    Asked for each search. On failure its results are missing. Since 1.0.
    """
    raise NotImplementedError
