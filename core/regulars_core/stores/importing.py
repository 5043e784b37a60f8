"""The importer of stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.stores.models import Region, Store
from regulars_plugin_api import values
from regulars_plugin_api.bulk import insert_rows, reserve_ids, staged, update_rows
from regulars_plugin_api.exchange import Column, ColumnType, ImportContext, Importer, Outcome, Record, Rejected, parsed
from regulars_plugin_api.i18n import _

FIELDS = ("name", "city", "region_id", "country", "timezone", "currency", "opened_on")


@dataclass(slots=True)
class StoreRow:
    """One store as a file has it; ``fields`` holds what the file says."""

    code: str
    region: str | None
    fields: dict[str, Any]


class StoreImporter(Importer):
    """Stores, matched by their code."""

    kind = "store"
    title = _("Stores")
    permission = "stores.edit"
    root = "store"
    tables = ("store", "region")
    columns = (
        Column(
            "code",
            _("Store code"),
            ColumnType.CODE,
            required=True,
            aliases=("butikskod", "butiksnr", "код", "کد", "代码", "store code", "store id"),
        ),
        Column("name", _("Name"), aliases=("namn", "название", "نام", "名称", "store name")),
        Column("city", _("City"), aliases=("ort", "stad", "город", "شهر", "城市", "town")),
        Column("region", _("Region"), aliases=("регион", "منطقه", "区域")),
        Column("country", _("Country"), aliases=("land", "страна", "کشور", "国家")),
        Column("timezone", _("Time zone"), ColumnType.CODE, aliases=("tidszon", "часовой пояс", "منطقه زمانی", "时区", "time zone")),
        Column("currency", _("Currency"), ColumnType.CODE, aliases=("valuta", "валюта", "ارز", "货币")),
        Column("opened_on", _("Opened on"), ColumnType.DATE, aliases=("öppnad", "открыт", "تاریخ افتتاح", "开业日期", "opened")),
    )

    def parse(self, row: Mapping[str, str], context: ImportContext, number: int) -> StoreRow:
        """Read one row. Raises ``Rejected``."""
        code = parsed(row, "code", values.code)
        if code is None:
            raise Rejected("code", "blank", _("A store needs its code."))
        timezone = parsed(row, "timezone", values.timezone)
        fields = {
            "name": parsed(row, "name", _line),
            "city": parsed(row, "city", _line),
            "country": parsed(row, "country", values.country),
            "timezone": timezone.key if timezone else None,
            "currency": parsed(row, "currency", values.currency),
            "opened_on": parsed(row, "opened_on", values.date, context.date_order),
        }
        region = parsed(row, "region", _line)
        return StoreRow(code, region, {name: value for name, value in fields.items() if value is not None})

    def apply(self, session: Session, batch: Sequence[Record], context: ImportContext) -> list[Outcome | Rejected]:
        """Create stores and change those that differ."""
        known = self._known(session, {record.value.code for record in batch})
        new: dict[str, dict[str, Any]] = {}
        changed: dict[int, dict[str, Any]] = {}
        outcomes: list[Outcome | Rejected] = []
        for record in batch:
            row: StoreRow = record.value
            wanted = row.fields | ({"region": row.region} if row.region else {})
            store = known.get(row.code)
            if store is None:
                outcomes.append(self._added(new, row, wanted, context))
                continue
            again = not context.seen.first_time("store", store.id)
            if context.mode == "create" and not again:
                outcomes.append(Rejected("code", "already_exists", _("This store is already here.")))
                continue
            now = _fields(store) | changed.get(store.id, {})
            differing = {name: value for name, value in wanted.items() if now[name] != value}
            if differing:
                changed.setdefault(store.id, {}).update(differing)
            outcomes.append(Outcome.MERGED if again else Outcome.UPDATED if differing else Outcome.UNCHANGED)
        self._write(session, new, changed, {store.id: store for store in known.values()}, context)
        return outcomes

    def _added(self, new: dict[str, dict[str, Any]], row: StoreRow, wanted: dict[str, Any], context: ImportContext) -> Outcome | Rejected:
        if row.code in new:
            new[row.code].update(wanted)
            return Outcome.MERGED
        if context.mode == "update":
            return Rejected("code", "not_found", _("There is no such store to update."))
        defaults = {"name": row.code, "timezone": context.chain_timezone.key, "currency": context.chain_currency}
        new[row.code] = dict.fromkeys((*FIELDS, "region")) | defaults | wanted
        return Outcome.CREATED

    def _known(self, session: Session, codes: set[str]) -> dict[str, Store]:
        with staged(session, {"code": Store.code.type}, ((code,) for code in sorted(codes))) as stage:
            return {store.code: store for store in session.scalars(sa.select(Store).where(Store.code.in_(sa.select(stage.c.code))))}

    def _region_ids(self, session: Session, names: set[str], context: ImportContext) -> dict[str, int]:
        known = dict(session.execute(sa.select(Region.name, Region.id).where(Region.name.in_(sorted(names)))).all())
        missing = sorted(names - known.keys())
        fresh = dict(zip(missing, reserve_ids(session, Region.__table__, len(missing)), strict=True))
        insert_rows(session, Region.__table__, ("name", "id"), fresh.items())
        context.journal.created("region", fresh.values())
        return known | fresh

    def _write(
        self,
        session: Session,
        new: dict[str, dict[str, Any]],
        changed: dict[int, dict[str, Any]],
        known: dict[int, Store],
        context: ImportContext,
    ) -> None:
        taken = [*new.values(), *changed.values()]
        regions = self._region_ids(session, {fields["region"] for fields in taken if fields.get("region")}, context)
        for fields in taken:
            if region := fields.pop("region", None):
                fields["region_id"] = regions[region]
        ids = reserve_ids(session, Store.__table__, len(new))
        rows = [(number, code, *(fields[name] for name in FIELDS)) for number, (code, fields) in zip(ids, new.items(), strict=True)]
        insert_rows(session, Store.__table__, ("id", "code", *FIELDS), rows)
        context.journal.created("store", ids)
        for number in ids:
            context.seen.first_time("store", number)
        for number, fields in changed.items():
            update_rows(session, Store.__table__, list(fields), [(number, *fields.values())])
        changes = ((number, name, value) for number, fields in changed.items() for name, value in fields.items())
        context.journal.updated("store", ((number, name, getattr(known[number], name), value) for number, name, value in changes))


def _fields(store: Store) -> dict[str, Any]:
    return {name: getattr(store, name) for name in FIELDS} | {"region": store.region.name if store.region else None}


_line = partial(values.text, max_length=400)
