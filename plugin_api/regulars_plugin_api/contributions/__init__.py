"""What hooks return: plain frozen records, grouped by subject. What is shown to somebody is loaded with ``(session, …, viewer)``."""

from regulars_plugin_api.contributions.access import Permission, Role, SignInProvider
from regulars_plugin_api.contributions.customers import (
    CustomerColumn,
    DataSection,
    ErasureNote,
    Problem,
    TimelineEntry,
    TimelineSource,
)
from regulars_plugin_api.contributions.data import FieldType, FilterField, Report, ReportColumn, Table
from regulars_plugin_api.contributions.messaging import Message, MessageChannel, Topic, Veto
from regulars_plugin_api.contributions.web import Action, NavItem, Panel, Place, SearchHit, SearchSource, Widget
from regulars_plugin_api.contributions.work import EventHandler, Executor, HealthCheck, Job, JobRun, LeasedBatch, Progress

__all__ = [
    "Action",
    "CustomerColumn",
    "DataSection",
    "ErasureNote",
    "EventHandler",
    "Executor",
    "FieldType",
    "FilterField",
    "HealthCheck",
    "Job",
    "JobRun",
    "LeasedBatch",
    "Message",
    "MessageChannel",
    "NavItem",
    "Panel",
    "Permission",
    "Place",
    "Problem",
    "Progress",
    "Report",
    "ReportColumn",
    "Role",
    "SearchHit",
    "SearchSource",
    "SignInProvider",
    "Table",
    "TimelineEntry",
    "TimelineSource",
    "Topic",
    "Veto",
    "Widget",
]
