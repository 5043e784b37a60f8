"""The platform's own resources."""

from regulars_web.rest import customer_parts
from regulars_web.rest.customers import customers
from regulars_web.rest.events import events
from regulars_web.rest.exports import exports
from regulars_web.rest.imports import imports
from regulars_web.rest.plugins import plugins
from regulars_web.rest.reports import reports
from regulars_web.rest.stores import stores
from regulars_web.rest.users import users

RESOURCES = [customers, stores, users, imports, exports, events, plugins, reports]
PARTS = (customer_parts,)
"""Modules that add views to the resource of another."""
