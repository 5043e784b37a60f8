"""One module per page of the staff's application: the view, its input, nothing else."""

from regulars_web.pages import (
    account,
    arrange,
    audit,
    bulk,
    commands,
    customer,
    customers,
    duplicates,
    events,
    exports,
    filters,
    health,
    home,
    imports,
    jobs,
    merge,
    notices,
    plugins,
    privacy,
    profile,
    quick_edit,
    roles,
    search,
    settings,
    stores,
    till,
    timeline,
    trash,
    users,
)

PAGES = (
    *(home.pages, customer.pages, timeline.pages, imports.pages, exports.pages, search.pages, stores.pages, users.pages, roles.pages),
    *(duplicates.pages, merge.pages, trash.pages, privacy.pages, audit.pages),
    *(
        plugins.pages,
        settings.pages,
        jobs.pages,
        events.pages,
        notices.pages,
        profile.pages,
        till.pages,
        commands.pages,
        account.pages,
        arrange.pages,
        health.pages,
    ),
)
LISTS = (customers, filters, bulk, quick_edit)
"""Modules that add views to the blueprint of another."""
