"""The platform's own resources."""

from regulars_web.rest.customers import customers

RESOURCES = [customers]
