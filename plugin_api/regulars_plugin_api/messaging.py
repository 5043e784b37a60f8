"""Who may be written to, and how: what a plugin that sends asks before it does.

Consent is the platform's, vetoes are the plugins'. Both are asked when an audience is frozen and again right before sending.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import MessageChannel, Topic
from regulars_plugin_api.errors import PluginFailed
from regulars_plugin_api.hookspecs import messaging as hooks
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.services import Crm

BATCH = 500
NO_CONSENT: Text = _("No consent")


@dataclass(frozen=True)
class Contactable:
    """Which customers may be written to now, and why each of the others may not."""

    allowed: frozenset[int]
    refused: Mapping[int, Text] = field(default_factory=dict)


def channels(crm: Crm) -> dict[str, MessageChannel]:
    """The ways to reach customers, by name; of two of a name the first."""
    found: dict[str, MessageChannel] = {}
    for channel in crm.hooks.collect(hooks.message_channels):
        found.setdefault(channel.name, channel)
    return found


def topics(crm: Crm) -> list[Topic]:
    """What a customer may opt into."""
    return crm.hooks.collect(hooks.preference_topics)


def contactable(crm: Crm, session: Session, customer_ids: Sequence[int], channel: str, purpose: str) -> Contactable:
    """Who of ``customer_ids`` may be written to on ``channel`` now: those who consented, less those whom a plugin vetoes.

    ``purpose`` is what the message is for, such as ``marketing`` or ``service``; the plugins that veto are told. Where one of them can't
    be asked, nobody of the batch is written to. A fixed number of statements per batch of 500.
    """
    allowed: set[int] = set()
    refused: dict[int, Text] = {}
    rest = iter(dict.fromkeys(customer_ids))
    while batch := list(islice(rest, BATCH)):
        permitted = crm.consents.permitting(session, batch, channel)
        vetoed = _vetoed(crm, session, [one for one in batch if one in permitted], channel, purpose)
        refused |= {one: NO_CONSENT for one in batch if one not in permitted} | vetoed
        allowed |= permitted - vetoed.keys()
    return Contactable(frozenset(allowed), refused)


def _vetoed(crm: Crm, session: Session, customer_ids: Sequence[int], channel: str, purpose: str) -> dict[int, Text]:
    if not customer_ids:
        return {}
    try:
        # A statement of a plugin that fails would otherwise end the caller's transaction on PostgreSQL.
        with session.begin_nested():
            vetoes = crm.hooks.collect(hooks.contact_vetoes, session, customer_ids, channel, purpose)
    except PluginFailed as failure:
        return dict.fromkeys(customer_ids, failure.message)
    now = crm.clock.now()
    return {veto.customer_id: veto.reason for veto in vetoes if veto.until is None or veto.until > now}
