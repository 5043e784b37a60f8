"""What a customer is called when nobody typed a full name, and the folded forms that lists and search use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from regulars_plugin_api.values import fold

# Scripts that write the family name first and without a space between.
_FAMILY_FIRST = re.compile(r"^[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+$")


def full_name(first: str | None, last: str | None) -> str | None:
    """``Åsa`` and ``Holm`` -> ``Åsa Holm``; ``秀英`` and ``李`` -> ``李秀英``."""
    if not (first and last):
        return first or last
    return f"{last}{first}" if _FAMILY_FIRST.match(first + last) else f"{first} {last}"


def display_name(fields: Mapping[str, Any], emails: Sequence[Any], phones: Sequence[Any], external_id: str | None) -> str | None:
    """The name to show: as typed, else made of the parts, else the first contact, else the number; None if there is nothing."""
    if typed := fields.get("display_name") or full_name(fields.get("first_name"), fields.get("last_name")):
        return str(typed)
    if emails:
        return str(emails[0].as_typed)
    return str(phones[0].as_typed) if phones else external_id


def folded(display: str, first: str | None, last: str | None) -> tuple[str, str | None, str | None]:
    """``fold_name, fold_first, fold_last`` of a customer."""
    return fold(display), fold(first) if first else None, fold(last) if last else None
