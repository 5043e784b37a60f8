"""Whether and how a customer may be written to, as the customer's page says it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_plugin_api.contributions import MessageChannel
from regulars_plugin_api.hookspecs import messaging as hooks
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.messaging import contactable, topics
from regulars_plugin_api.views import CustomerView

PURPOSE = "marketing"
NO_ADDRESS: Text = _("No address")
BROKEN: Text = _("Could not be asked")


@dataclass(frozen=True)
class Way:
    """A channel; ``refusal`` says why the customer may not be written to there now."""

    title: Text
    refusal: Text | None


def ways(crm: Crm, session: Session, customer: CustomerView) -> list[Way]:
    """Each channel of the plugins that are on; no statement where there is none."""
    return [_way(crm, session, plugin, one, customer) for plugin, found in crm.bus.each(hooks.message_channels) for one in found]


def topic_titles(crm: Crm) -> list[Text]:
    """What the customer may opt into."""
    return [topic.title for topic in topics(crm)]


def _way(crm: Crm, session: Session, plugin: str, channel: MessageChannel, customer: CustomerView) -> Way:
    answer = crm.bus.guarded(plugin, f"channel {channel.name}", lambda: (channel.address(customer),))
    if answer.value is None or not isinstance(answer.value[0], str | None):
        return Way(channel.title, BROKEN)
    if not answer.value[0]:
        return Way(channel.title, NO_ADDRESS)
    return Way(channel.title, contactable(crm, session, [customer.id], channel.name, PURPOSE).refused.get(customer.id))
