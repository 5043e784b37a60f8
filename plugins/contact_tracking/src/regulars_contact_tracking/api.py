"""What other plugins may use, after naming ``contact_tracking`` in their manifest's ``requires``."""

from regulars_contact_tracking.events import FollowUpAdded, FollowUpAssigned, FollowUpClosed, InteractionLogged, InteractionsImported
from regulars_contact_tracking.follow_ups import add as add_follow_up
from regulars_contact_tracking.follow_ups import open_of as open_follow_ups_of
from regulars_contact_tracking.models import Channel, Direction
from regulars_contact_tracking.records import Draft, FollowUpView, InteractionView, NextStep
from regulars_contact_tracking.service import Query, interactions_by_id, listed, log

__all__ = [
    "Channel",
    "Direction",
    "Draft",
    "FollowUpAdded",
    "FollowUpAssigned",
    "FollowUpClosed",
    "FollowUpView",
    "InteractionLogged",
    "InteractionView",
    "InteractionsImported",
    "NextStep",
    "Query",
    "add_follow_up",
    "interactions_by_id",
    "listed",
    "log",
    "open_follow_ups_of",
]
