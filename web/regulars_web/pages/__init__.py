"""One module per page of the staff's application: the view, its input, nothing else."""

from regulars_web.pages import customer, customers, health, home, imports, profile, search, stores, timeline

PAGES = (home.pages, customer.pages, timeline.pages, imports.pages, search.pages, stores.pages, profile.pages, health.pages)
LISTS = (customers,)
"""Modules that add views to the blueprint of another."""
