"""Shapes that every resource shares."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from regulars_plugin_api.db import customers
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import _

UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBER = re.compile(r"[0-9]{1,15}")
AMOUNT = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,9})?")


class RestSchema(ma.Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        """Nothing is dropped in silence."""

        unknown = ma.RAISE


class Amount(fields.Decimal):
    """Money, a price or a quantity: exact, so a text such as ``"12.50"``. Given out from a ``Decimal`` or such a text.

    Taken in as a ``Decimal`` of any precision: what fits its currency is for the service to say. A JSON number is refused.
    """

    def __init__(self, **options: Any) -> None:
        metadata = {"pattern": f"^{AMOUNT.pattern}$", "example": "12.50", **options.pop("metadata", {})}
        super().__init__(as_string=True, allow_nan=False, metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **about: Any) -> Decimal:
        if not isinstance(value, str) or not AMOUNT.fullmatch(value):
            raise ma.ValidationError(str(_("A text such as “12.50” is needed here.")))
        return Decimal(value)

    def _serialize(self, value: Decimal | str | None, attr: str | None, obj: Any, **about: Any) -> str | None:
        return None if value is None else f"{Decimal(value):f}"


class CustomerRef(fields.Raw):
    """How a request names a customer: by ``id`` (a whole number) or by ``uid``. ``customer_id_of`` follows it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.And(_is_reference), **options)


def _is_reference(value: Any) -> None:
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not is_number and not (isinstance(value, str) and (NUMBER.fullmatch(value) or UID.fullmatch(value))):
        raise ma.ValidationError(str(_("Give a customer's id or uid.")))


def customer_id_of(session: Session, reference: int | str, field: str = "customer") -> int:
    """The id of the customer that an id or uid means, followed to the one it was merged into. Raises ``InvalidInput`` under ``field``.

    Whether the viewer may see the customer is still to be asked: ``current_crm().customers.seen_by``.
    """
    text = str(reference)
    own = customers.c.id == int(text) if NUMBER.fullmatch(text) else customers.c.uid == text
    found = session.scalar(sa.select(sa.func.coalesce(customers.c.merged_into_id, customers.c.id)).where(own))
    if found is None:
        raise InvalidInput(None, **{field: _("There is no such customer.")})
    return int(found)
