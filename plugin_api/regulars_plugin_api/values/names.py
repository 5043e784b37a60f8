"""Values out of closed lists: countries, languages, time zones, gender, yes and no."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, TypeVar

from babel import Locale

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.folding import fold
from regulars_plugin_api.values.problem import BadValue, required, shown

Gender = Literal["female", "male", "other"]
T = TypeVar("T")

_COUNTRIES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI
    CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR
    GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU
    LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL
    PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
# English, Swedish, Russian, Persian, Chinese.
_GENDER_WORDS: Mapping[str, Gender] = {
    "female f woman w kvinna k kvinnlig женский жен жен. женщина ж زن خانم مونث 女 女性 女士": "female",
    "male m man manlig мужской муж муж. мужчина м مرد آقا مذکر 男 男性 先生": "male",
    "other x nonbinary non-binary diverse annat annan övrigt другой другое иной иное دیگر سایر 其他 其它": "other",
}
_ANSWER_WORDS = {
    "yes y true t 1 on ja j sant да д истина بله بلی آری درست 是 对 對": True,
    "no n false f 0 off nej falskt нет н ложь خیر نه نادرست 否 不 不是 错 錯": False,
}


def _by_word(listed: Mapping[str, T]) -> dict[str, T]:
    return {fold(word): value for words, value in listed.items() for word in words.split()}


_COUNTRY_CODES = frozenset(_COUNTRIES.split())
_GENDERS = _by_word(_GENDER_WORDS)
_ANSWERS = _by_word(_ANSWER_WORDS)


@lru_cache(maxsize=1024)
def country(raw: str) -> str:
    """A two-letter country code of ISO 3166 in capitals. Raises ``unknown_country``."""
    found = required(raw).upper()
    if found not in _COUNTRY_CODES:
        raise BadValue("unknown_country", _("“%(value)s” is no two-letter country code of ISO 3166, such as SE or IR.", value=shown(raw)))
    return found


@lru_cache(maxsize=1024)
def language(raw: str) -> str:
    """A language tag in its usual spelling: ``sv``, ``pt-BR``, ``zh-Hans``. Raises ``unknown_language``."""
    parts = required(raw).replace("_", "-").split("-")
    english = Locale("en")
    tag = [parts[0].lower()]
    known = tag[0] in english.languages and 2 <= len(tag[0]) <= 3
    for part in parts[1:]:
        tag.append(part.title() if len(part) == 4 else part.upper())
        known = known and (tag[-1] in english.scripts if len(part) == 4 else tag[-1] in english.territories)
    if not known or len(parts) > 3:
        raise BadValue("unknown_language", _("“%(value)s” is no language code such as sv, fa or zh-Hans.", value=shown(raw)))
    return "-".join(tag)


@lru_cache(maxsize=1024)
def timezone(raw: str) -> zoneinfo.ZoneInfo:
    """A zone of the IANA database by its name. Raises ``unknown_timezone``."""
    name = required(raw)
    if name not in _zones():
        raise BadValue("unknown_timezone", _("“%(value)s” is no time zone such as Europe/Stockholm.", value=shown(raw)))
    return zoneinfo.ZoneInfo(name)


@lru_cache(maxsize=1024)
def gender(raw: str) -> Gender:
    """``female``, ``male`` or ``other``, from its word or first letter in five languages. Raises ``unknown_choice``."""
    return choice(raw, _GENDERS)


@lru_cache(maxsize=1024)
def yes_no(raw: str) -> bool:
    """Yes or no, from its word or first letter in five languages, or 1 and 0. Raises ``unknown_choice``."""
    found = _ANSWERS.get(fold(required(raw)))
    if found is None:
        raise BadValue("unknown_choice", _("“%(value)s” is neither yes nor no.", value=shown(raw)))
    return found


def choice(raw: str, options: Mapping[str, T]) -> T:
    """What ``raw`` stands for in ``options``, whose keys are folded words. Raises ``unknown_choice``."""
    found = options.get(fold(required(raw)))
    if found is None:
        known = ", ".join(sorted({str(getattr(value, "value", value)) for value in options.values()}))
        raise BadValue("unknown_choice", _("“%(value)s” is none of: %(known)s.", value=shown(raw), known=known))
    return found


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
