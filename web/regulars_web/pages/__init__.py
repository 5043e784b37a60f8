"""One module per page of the staff's application: the view, its input, nothing else."""

from regulars_web.pages import (
    account,
    customer,
    customers,
    events,
    exports,
    health,
    home,
    imports,
    jobs,
    notices,
    plugins,
    profile,
    roles,
    search,
    settings,
    stores,
    timeline,
    users,
)

PAGES = (
    *(home.pages, customer.pages, timeline.pages, imports.pages, exports.pages, search.pages, stores.pages, users.pages, roles.pages),
    *(plugins.pages, settings.pages, jobs.pages, events.pages, notices.pages, profile.pages, account.pages, health.pages),
)
LISTS = (customers,)
"""Modules that add views to the blueprint of another."""
