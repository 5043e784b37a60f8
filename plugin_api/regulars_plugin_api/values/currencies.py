"""ISO 4217: which currencies there are and how many decimals they have."""

from __future__ import annotations

from functools import lru_cache

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.problem import BadValue, required, shown

# Babel knows CLDR's habits of display (no decimals for RSD or ALL), not ISO's minor units, and receipts carry the latter.
_CODES_BY_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK
        DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP
        LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
        SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER
        ZAR ZMW ZWG"""
    # Left since 1999, and still on old receipts.
    """ ATS BEF BYR CUC CYP DEM EEK ESP FIM FRF GRD HRK IEP ITL LTL LUF LVL MRO MTL NLG PTE ROL SIT SKK SLL STD TRL VEF ZMK ZWL""",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DIGITS = {code: digits for digits, codes in _CODES_BY_DIGITS.items() for code in codes.split()}


def minor_digits(currency: str) -> int:
    """Decimals of a currency: 2 for SEK, 0 for JPY, 3 for KWD."""
    return _DIGITS.get(currency, 2)


@lru_cache(maxsize=1024)
def currency(raw: str) -> str:
    """A currency code of ISO 4217 in capitals. Raises ``unknown_currency``."""
    found = required(raw).upper()
    if found not in _DIGITS:
        raise BadValue("unknown_currency", _("“%(value)s” is no currency code of ISO 4217, such as SEK or EUR.", value=shown(raw)))
    return found
