"""The importer of customers: its columns, and how a row of text becomes a value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from regulars_core.customers import applying, naming, search, undoing
from regulars_core.customers.aggregate import CustomerRow
from regulars_core.customers.drafting import LONGEST_LINE, LONGEST_NOTE
from regulars_core.customers.models import ConsentState, Kind, Status
from regulars_plugin_api import values
from regulars_plugin_api.exchange import Column, ColumnType, ImportContext, Importer, Outcome, Record, Rejected, parsed
from regulars_plugin_api.i18n import _

CONSENT_CHANNELS = ("email", "sms")
SEPARATOR = ";"
_NUMBERS = "kundnummer|kundnr|medlemsnr|номер клиента|شماره مشتری|客户编号|customer id|customer no|member number|member no|card number"
_KINDS = {"person": Kind.PERSON, "company": Kind.COMPANY, "foretag": Kind.COMPANY, "household": Kind.HOUSEHOLD, "hushall": Kind.HOUSEHOLD}
_STATUSES = {status.value: status for status in Status}


def _column(name: str, title: Any, *aliases: str, type: ColumnType = ColumnType.TEXT) -> Column:
    return Column(name, title, type, aliases=aliases)


class CustomerImporter(Importer):
    """Customers with their contacts, home store, tags and consents."""

    kind = "customer"
    title = _("Customers")
    permission = "customers.import"
    root = "customer"
    tables = ("customer_email", "customer_phone", "customer_address", "external_id", "customer_tag", "consent", "customer", "tag")
    columns = (
        _column("external_id", _("Customer number"), *_NUMBERS.split("|"), type=ColumnType.CODE),
        _column("kind", _("Kind"), "typ", "тип", "نوع", "类型"),
        _column("status", _("Status"), "статус", "وضعیت", "状态"),
        _column("first_name", _("First name"), "förnamn", "имя", "نام", "名", "given name"),
        _column("last_name", _("Last name"), "efternamn", "фамилия", "نام خانوادگی", "姓", "surname", "family name"),
        _column("display_name", _("Full name"), "namn", "полное имя", "نام کامل", "姓名", "name"),
        _column("email", _("E-mail"), "e-post", "e-postadress", "эл. почта", "ایمیل", "电子邮件", "mail", "e-mail address"),
        _column("phone", _("Phone"), "telefon", "mobil", "телефон", "تلفن", "电话", "mobile"),
        _column(
            "birthday", _("Birthday"), "född", "födelsedag", "дата рождения", "تاریخ تولد", "生日", "date of birth", type=ColumnType.DATE
        ),
        _column("gender", _("Gender"), "kön", "пол", "جنسیت", "性别"),
        _column("language", _("Language"), "språk", "язык", "زبان", "语言"),
        _column("street", _("Street"), "gata", "adress", "улица", "خیابان", "街道", "address"),
        _column("city", _("City"), "ort", "stad", "город", "شهر", "城市", "town"),
        _column("postal_code", _("Postal code"), "postnummer", "индекс", "کد پستی", "邮编", "zip", type=ColumnType.CODE),
        _column("region", _("Region"), "län", "регион", "استان", "省"),
        _column("country", _("Country"), "land", "страна", "کشور", "国家"),
        _column("store", _("Home store"), "butik", "магазин", "فروشگاه", "门店", "shop", type=ColumnType.CODE),
        _column("tags", _("Tags"), "taggar", "метки", "برچسب‌ها", "标签"),
        _column("notes", _("Notes"), "anteckningar", "anm", "заметки", "یادداشت", "备注"),
        _column("consent_email", _("Consent to e-mail"), "samtycke e-post", "согласие e-mail", "رضایت ایمیل", "同意电子邮件"),
        _column("consent_sms", _("Consent to SMS"), "samtycke sms", "согласие sms", "رضایت پیامک", "同意短信"),
        _column("consent_date", _("Date of consent"), "samtyckesdatum", "дата согласия", "تاریخ رضایت", "同意日期", type=ColumnType.DATE),
        _column("consent_source", _("Source of consent"), "samtyckeskälla", "источник согласия", "منبع رضایت", "同意来源"),
    )

    def parse(self, row: Mapping[str, str], context: ImportContext, number: int) -> CustomerRow:
        """Read one row. Raises ``Rejected``."""
        country = parsed(row, "country", values.country)
        store = self._store(row, context)
        fields: dict[str, Any] = {}
        for name, parse in _FIELDS:
            value = parsed(row, name, parse)
            if value is not None:
                fields[name] = value
        birthday = parsed(row, "birthday", values.date, context.date_order)
        if birthday is not None:
            fields["birthday"] = birthday
        if store is not None:
            fields["store_id"] = store.id
        address = tuple([parsed(row, name, _line) for name in _ADDRESS])
        emails = tuple(parsed(row, "email", _several, values.email) or ())
        phones = tuple(parsed(row, "phone", _several, values.phone, country or (store.country if store else None) or context.country) or ())
        external_id = parsed(row, "external_id", values.code)
        found = CustomerRow(
            external_id=external_id,
            fields=fields,
            emails=emails,
            phones=phones,
            address=(*address, country) if any(address) or country else None,
            tags=tuple(dict.fromkeys(parsed(row, "tags", _tags) or ())),
            consents=tuple(self._consents(row, context, fields.get("kind"))),
        )
        if naming.display_name(found.fields, emails, phones, external_id) is None:
            raise Rejected("display_name", "no_name", _("Give at least a name, an e-mail address, a phone number or a customer number."))
        return found

    def _store(self, row: Mapping[str, str], context: ImportContext) -> Any:
        code = parsed(row, "store", values.code)
        if code is None:
            return None
        store = context.stores.get(code)
        if store is None:
            raise Rejected("store", "unknown_store", _("There is no store with the code “%(code)s”. Import the stores first.", code=code))
        return store

    def _consents(
        self, row: Mapping[str, str], context: ImportContext, kind: Kind | None
    ) -> Iterator[tuple[str, ConsentState, dt.date | None, str | None]]:
        given_on = parsed(row, "consent_date", values.date, context.date_order)
        source = parsed(row, "consent_source", _line)
        for channel in CONSENT_CHANNELS:
            answer = parsed(row, f"consent_{channel}", values.yes_no)
            if answer is None:
                continue
            if kind is Kind.HOUSEHOLD:
                raise Rejected(f"consent_{channel}", "household_consent", _("A household can't consent; its persons can."))
            proven = given_on is not None and source is not None
            state = (ConsentState.GRANTED if proven else ConsentState.UNPROVEN) if answer else ConsentState.WITHDRAWN
            yield channel, state, given_on, source

    def apply(self, session: Session, batch: Sequence[Record], context: ImportContext) -> list[Outcome | Rejected]:
        """Match each row with a customer, or make one."""
        return applying.apply(session, batch, context)

    @contextmanager
    def undoing(self, session: Session, deleted: Mapping[str, Sequence[int]], restored: Mapping[str, Sequence[int]]) -> Iterator[None]:
        """Keep the search words in step."""
        touched = undoing.customers_of(session, {table: (*deleted.get(table, ()), *restored.get(table, ())) for table in self.tables})
        yield
        gone = set(deleted.get("customer", ()))
        search.forget(session, gone)
        undoing.refold(session, touched - gone)
        search.reindex(session, touched - gone)


_line = partial(values.text, max_length=LONGEST_LINE)


def _several(raw: str, parse: Any, *args: Any) -> list[Any]:
    if SEPARATOR not in raw:
        return [parse(raw, *args)]
    return [parse(part, *args) for part in raw.split(SEPARATOR) if part.strip()]


def _tags(raw: str) -> list[str]:
    return [_line(part.strip()) for part in raw.split(SEPARATOR) if part.strip()]


_FIELDS = (
    ("kind", lambda raw: values.choice(raw, _KINDS)),
    ("status", lambda raw: values.choice(raw, _STATUSES)),
    ("first_name", _line),
    ("last_name", _line),
    ("display_name", _line),
    ("gender", values.gender),
    ("language", values.language),
    ("notes", partial(values.text, max_length=LONGEST_NOTE)),
)
_ADDRESS = ("street", "city", "postal_code", "region")
