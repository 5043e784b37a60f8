"""The columns of contacts, with the headings they are known by in Swedish, Russian, Persian, Chinese and English."""

from __future__ import annotations

from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel, Direction
from regulars_plugin_api.exchange import Column, ColumnType
from regulars_plugin_api.i18n import Text

CODE, DATE, DATETIME, TEXT = ColumnType.CODE, ColumnType.DATE, ColumnType.DATETIME, ColumnType.TEXT
_CUSTOMER = "kundnummer|kundnr|medlemsnr|номер клиента|شماره مشتری|客户编号|customer id|customer no|member number|member no"
_TIME = "tidpunkt|datum|дата|время|زمان|تاریخ|时间|日期|date|time|timestamp"
_SPOKEN = {
    Channel.PHONE: "call|telefon|samtal|звонок|телефон|تلفن|تماس|电话",
    Channel.EMAIL: "e-mail|mail|e-post|mejl|эл. почта|письмо|ایمیل|电子邮件|邮件",
    Channel.VISIT: "meeting|store|besok|визит|встреча|بازدید|到访|拜访",
    Channel.CHAT: "chatt|чат|گفتگو|聊天",
    Channel.SOCIAL: "social media|sociala medier|соцсети|شبکه اجتماعی|社交媒体",
    Channel.LETTER: "post|brev|почта|نامه|信件",
}
CHANNELS = {word: channel for channel, words in _SPOKEN.items() for word in (channel.value, *words.split("|"))}
DIRECTIONS = dict.fromkeys(("in", "inbound", "incoming", "inkommande", "входящий", "ورودی", "呼入"), Direction.IN) | dict.fromkeys(
    ("out", "outbound", "outgoing", "utgaende", "исходящий", "خروجی", "呼出"), Direction.OUT
)


def _column(name: str, title: Text, aliases: str, type: ColumnType = TEXT, required: bool = False) -> Column:
    return Column(name, title, type, required, tuple(aliases.split("|")))


COLUMNS = (
    _column("external_id", _("Number of the contact"), "kontaktnummer|ärendenr|номер контакта|شماره تماس|联系编号|contact id|id", CODE),
    _column("customer_external_id", _("Customer number"), _CUSTOMER, CODE),
    _column("customer_email", _("Customer's e-mail"), "e-post|эл. почта|ایمیل|电子邮件|email|e-mail"),
    _column("customer_phone", _("Customer's phone"), "telefon|телефон|تلفن|电话|phone|mobile"),
    _column("channel", _("Channel"), "kanal|канал|کانال|渠道|type", required=True),
    _column("direction", _("Direction"), "riktning|направление|جهت|方向"),
    _column("at", _("Time"), _TIME, DATETIME, required=True),
    _column("store", _("Store"), "butik|butikskod|магазин|فروشگاه|门店|store code|shop", CODE),
    _column("person", _("Member of staff"), "medarbetare|säljare|сотрудник|کارمند|员工|staff|associate|agent"),
    _column("subject", _("Subject"), "ämne|rubrik|тема|موضوع|主题|title"),
    _column("text", _("What was said"), "anteckning|text|заметка|текст|یادداشت|متن|内容|备注|note|notes|comment"),
    _column("outcome", _("What came of it"), "resultat|utfall|результат|نتیجه|结果|result"),
    _column("next_step", _("Next step"), "nästa steg|следующий шаг|گام بعدی|下一步|follow up|follow-up"),
    _column("due_on", _("By"), "senast|förfaller|срок|سررسید|截止日期|due date|due", DATE),
    _column("done_at", _("Done"), "klart|klar|выполнено|انجام شد|完成时间|completed at", DATETIME),
)
