"""Which customer a receipt belongs to, by what the till knew of them."""

from regulars_plugin_api.matching import CustomerRef, Resolved, resolve

__all__ = ["CustomerRef", "Resolved", "resolve"]
