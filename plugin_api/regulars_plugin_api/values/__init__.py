"""Parsers of single values, for files, forms and the API alike: text in, an exact value out, or ``BadValue`` in words.

Each takes the raw text and raises nothing but ``BadValue``; only blanks is ``BadValue("blank")``, save for ``text``, where it is "".
Digits of every script are read. What repeats is cached, so that a million rows cost little more than their different values.
"""

from regulars_plugin_api.values.cards import card_number_in, masked, refuse_card_number
from regulars_plugin_api.values.currencies import currency, minor_digits
from regulars_plugin_api.values.dates import DateOrder, Instant, date, instant
from regulars_plugin_api.values.emails import EmailValue, email
from regulars_plugin_api.values.folding import fold, western_digits
from regulars_plugin_api.values.names import Gender, choice, country, gender, language, timezone, yes_no
from regulars_plugin_api.values.numbers import DecimalMark, decimal_readings, money, quantity, unit_price, whole_number
from regulars_plugin_api.values.phones import PhoneValue, phone
from regulars_plugin_api.values.problem import BadValue
from regulars_plugin_api.values.text import code, text

__all__ = [
    "BadValue",
    "DateOrder",
    "DecimalMark",
    "EmailValue",
    "Gender",
    "Instant",
    "PhoneValue",
    "card_number_in",
    "choice",
    "code",
    "country",
    "currency",
    "date",
    "decimal_readings",
    "email",
    "fold",
    "gender",
    "instant",
    "language",
    "masked",
    "minor_digits",
    "money",
    "phone",
    "quantity",
    "refuse_card_number",
    "text",
    "timezone",
    "unit_price",
    "western_digits",
    "whole_number",
    "yes_no",
]
