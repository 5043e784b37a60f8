"""Every table of core in one place, so that ``Base.metadata`` is whole wherever this is imported."""

from regulars_core.audit.models import AuditBlock, Change
from regulars_core.bus.models import Delivery, Event, Subscription
from regulars_core.customers.merges import CustomerDistinct, CustomerMerge
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
from regulars_core.exchange.models import ExportRun, ImportBatch, ImportReject, ImportRun
from regulars_core.idempotency import IdempotencyKey
from regulars_core.jobs.models import JobSlot, WorkerBeat
from regulars_core.plugins.models import PluginRow, PluginTrouble
from regulars_core.privacy.models import Erasure
from regulars_core.settings.models import Setting
from regulars_core.stores.models import Region, Store
from regulars_core.users.models import Notice, Role, RolePermission, SavedView, User, UserRegion, UserRole, UserSession, UserStore
from regulars_core.users.tokens import ApiToken

__all__ = [
    "ApiToken",
    "AuditBlock",
    "Change",
    "Consent",
    "Customer",
    "CustomerAddress",
    "CustomerDistinct",
    "CustomerEmail",
    "CustomerLink",
    "CustomerMerge",
    "CustomerPhone",
    "CustomerTag",
    "Delivery",
    "Erasure",
    "Event",
    "ExportRun",
    "ExternalId",
    "IdempotencyKey",
    "ImportBatch",
    "ImportReject",
    "ImportRun",
    "JobSlot",
    "Notice",
    "PluginRow",
    "PluginTrouble",
    "Region",
    "Role",
    "RolePermission",
    "SavedView",
    "Setting",
    "Store",
    "Subscription",
    "Tag",
    "User",
    "UserRegion",
    "UserRole",
    "UserSession",
    "UserStore",
    "WorkerBeat",
    "customer_search",
]
