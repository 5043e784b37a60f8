"""What channels, directions and the like are called, and their pictures."""

from __future__ import annotations

from collections.abc import Mapping

from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel, DetailKind, Direction, Every
from regulars_plugin_api.i18n import Text

CHANNELS: Mapping[Channel, Text] = {
    Channel.PHONE: _("Call"),
    Channel.EMAIL: _("E-mail"),
    Channel.VISIT: _("Visit"),
    Channel.CHAT: _("Chat"),
    Channel.SOCIAL: _("Social media"),
    Channel.LETTER: _("Letter"),
}
ICONS: Mapping[Channel, str] = {
    Channel.PHONE: "phone",
    Channel.EMAIL: "mail",
    Channel.VISIT: "walk",
    Channel.CHAT: "message",
    Channel.SOCIAL: "speakerphone",
    Channel.LETTER: "send",
}
DIRECTIONS: Mapping[Direction, Text] = {Direction.OUT: _("We were in touch"), Direction.IN: _("The customer was in touch")}
HAPPENED: Mapping[tuple[Channel, Direction], Text] = {
    (Channel.PHONE, Direction.OUT): _("Called the customer"),
    (Channel.PHONE, Direction.IN): _("The customer called"),
    (Channel.EMAIL, Direction.OUT): _("Wrote an e-mail"),
    (Channel.EMAIL, Direction.IN): _("The customer wrote an e-mail"),
    (Channel.VISIT, Direction.OUT): _("Visited the customer"),
    (Channel.VISIT, Direction.IN): _("The customer came by"),
    (Channel.CHAT, Direction.OUT): _("Wrote in the chat"),
    (Channel.CHAT, Direction.IN): _("The customer wrote in the chat"),
    (Channel.SOCIAL, Direction.OUT): _("Wrote on social media"),
    (Channel.SOCIAL, Direction.IN): _("The customer wrote on social media"),
    (Channel.LETTER, Direction.OUT): _("Sent a letter"),
    (Channel.LETTER, Direction.IN): _("The customer sent a letter"),
}
DETAILS: Mapping[DetailKind, Text] = {DetailKind.SIZE: _("Size"), DetailKind.WISH: _("Wish"), DetailKind.DAY: _("Key date")}
UNITS: Mapping[Every, Text] = {Every.WEEKS: _("weeks"), Every.MONTHS: _("months")}
