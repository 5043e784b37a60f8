"""Every table of core in one place, so that ``Base.metadata`` is whole wherever this is imported."""

from regulars_core.audit.models import Change
from regulars_core.bus.models import Delivery, Event, Subscription
from regulars_core.customers.models import (
    Consent,
    Customer,
    CustomerAddress,
    CustomerEmail,
    CustomerLink,
    CustomerPhone,
    CustomerTag,
    ExternalId,
    Tag,
    customer_search,
)
from regulars_core.exchange.models import ImportBatch, ImportReject, ImportRun
from regulars_core.jobs.models import JobSlot
from regulars_core.plugins.models import PluginRow
from regulars_core.settings.models import Setting
from regulars_core.stores.models import Region, Store
from regulars_core.users.models import Role, RolePermission, User, UserRegion, UserRole, UserSession, UserStore

__all__ = [
    "Change",
    "Consent",
    "Customer",
    "CustomerAddress",
    "CustomerEmail",
    "CustomerLink",
    "CustomerPhone",
    "CustomerTag",
    "Delivery",
    "Event",
    "ExternalId",
    "ImportBatch",
    "ImportReject",
    "ImportRun",
    "JobSlot",
    "PluginRow",
    "Region",
    "Role",
    "RolePermission",
    "Setting",
    "Store",
    "Subscription",
    "Tag",
    "User",
    "UserRegion",
    "UserRole",
    "UserSession",
    "UserStore",
    "customer_search",
]
