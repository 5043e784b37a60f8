"""E-mail addresses: kept as typed, matched by a key."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import idna

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.cards import refuse_card_number
from regulars_plugin_api.values.problem import BadValue, required, shown

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ASCII = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+(?:[A-Za-z]{{2,63}}|[Xx][Nn]--[A-Za-z0-9-]{{1,59}})")
_LOCAL_ANY = re.compile(
    r"[^\s\x00-\x20\x7f-\x9f\"(),:;<>@\[\\\].\ud800-\udfff]+(?:\.[^\s\x00-\x20\x7f-\x9f\"(),:;<>@\[\\\].\ud800-\udfff]+)*"
)
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})")


class EmailValue(NamedTuple):
    """An address as it was typed, and the key that equal mailboxes share: lower case, domain in its ASCII form."""

    as_typed: str
    match: str


def email(raw: str) -> EmailValue:
    """One address, blanks around it taken off. Raises ``bad_email`` and ``card_number``."""
    typed = raw.strip()
    refuse_card_number(typed)
    if len(typed) <= 254 and _ASCII.fullmatch(typed) and typed.index("@") <= 64 and "xn--" not in (match := typed.lower()):
        return EmailValue(typed, match)
    return _international(required(raw))


@lru_cache(maxsize=1 << 12)
def _international(typed: str) -> EmailValue:
    local, at, domain = typed.rpartition("@")
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode("ascii").lower() if at and len(typed) <= 254 else ""
    except (idna.IDNAError, UnicodeError):
        ascii_domain = ""
    if not _DOMAIN.fullmatch(ascii_domain) or len(local.encode("utf-8", "replace")) > 64 or not _LOCAL_ANY.fullmatch(local):
        raise BadValue("bad_email", _("“%(value)s” is not an e-mail address such as anna@example.com.", value=shown(typed)))
    return EmailValue(typed, f"{unicodedata.normalize('NFC', local).lower()}@{ascii_domain}")
