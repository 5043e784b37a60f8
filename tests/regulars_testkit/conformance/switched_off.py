"""While the plugin is off it is not there: no address, no code in the requests of others, nothing on their pages."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Flask

from regulars_core.plugins import switching
from regulars_plugin_api.hookspecs import rules_of
from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.access import addresses
from regulars_testkit.conformance.asking import asked, contributed, samples
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House

SHOWN = ("nav_items", "customer_panels", "customer_actions", "customer_columns", "dashboard_widgets")
WRITES = ("plugin_enabled", "demo_data", "crm_started")


@check(Tier.BRONZE, Place.HOUSE)
def addresses_are_gone(house: House) -> Iterator[Flaw]:
    """Each of its addresses answers 404 to everybody."""
    found, somebody = addresses(house), house.administrator
    switching.disable(house.on, house.subject.name)
    for client in (house.app.test_client(), somebody.client):
        for one in found:
            status = client.open(one.path, method=one.method).status_code
            if status != 404:
                yield Flaw(f"Switched off, {one} answers {status}.", "Let the plugin answer by its blueprints only.")


@check(Tier.BRONZE, Place.HOUSE)
def nothing_everywhere(house: House) -> Iterator[Flaw]:
    """The plugin adds no code to every request and no names to every template: that would go on while it is off."""
    for what, function in _everywhere(house.app):
        module = str(getattr(function, "__module__", ""))
        if module.partition(".")[0] == house.subject.package.partition(".")[0]:
            hint = "Declare it for the blueprint (before_request, context_processor, errorhandler), not for the app."
            yield Flaw(f"{module}.{getattr(function, '__name__', function)} is {what}.", hint)


@check(Tier.BRONZE, Place.HOUSE)
def says_nothing(house: House) -> Iterator[Flaw]:
    """None of its hooks is heard, and no page has an entry of its in the menu, a panel, a tile or a link to it."""
    somebody, customer = house.administrator, house.people[0]
    pages = ("/", "/customers", f"/customers/{customer}")
    titles = {str(getattr(one, "label", None) or getattr(one, "title", "")) for hook, one in contributed(house) if hook in SHOWN}
    values, name = samples(house, None) | {"customer": house.on.customers.get(customer)}, house.subject.name
    claims = {one.claim for plugin, one in house.on.plugins.blueprints() if plugin == name}
    before = {page: somebody.get(page).text for page in pages}
    switching.disable(house.on, name)
    for page in pages:
        text = somebody.get(page).text
        still = [one for one in sorted(titles - {""}) if 0 < before[page].count(one) <= text.count(one)]
        still += [claim for claim in sorted(claims) if re.search(f"[\"']{re.escape(claim)}[\"'/?]", text)]
        if still:
            yield Flaw(
                f"Switched off, it is still on {page}: {', '.join(still)}.",
                "Contribute by hooks only, and change no object of the platform.",
            )
    with house.crm.read() as session:
        for hook, spec in sorted(asked(house).items()):
            if not rules_of(spec).disabled_too and hook not in WRITES:
                arguments = {one: (values | {"session": session})[one] for one in inspect.signature(spec).parameters}
                if any(answer.plugin == name for answer in house.crm.bus.answers(spec, **arguments)):
                    yield Flaw(f"Switched off, it answers {hook}.", "Register the plugin under no second name.")


def _everywhere(app: Flask) -> Iterator[tuple[str, Callable[..., Any]]]:
    everywhere: dict[str, Iterable[Any]] = {
        "run before every request": app.before_request_funcs.get(None, ()),
        "run after every request": app.after_request_funcs.get(None, ()),
        "run at the end of every request": app.teardown_request_funcs.get(None, ()),
        "run for every address": app.url_value_preprocessors.get(None, ()),
        "asked for values of every template": app.template_context_processors[None],
        "the handler of errors of all pages": [one for by in app.error_handler_spec[None].values() for one in by.values()],
        "a name in every template": [one for one in app.jinja_env.globals.values() if callable(one)],
        "a filter of every template": app.jinja_env.filters.values(),
    }
    for what, functions in everywhere.items():
        yield from ((what, function) for function in functions)
