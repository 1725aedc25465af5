"""ISO 4217 currencies: which codes there are, how many decimals they have, and the symbols that stand for them."""

from __future__ import annotations

from wa_products.exports.names import words

CODES = frozenset(
    words(
        """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
    CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK
    LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
    OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF
    XPF YER ZAR ZMW ZWG
    """
    )
)
REPLACED = {
    "RUR": "RUB",
    "BYR": "BYN",
    "HRK": "EUR",
    "VEF": "VES",
    "VEB": "VES",
    "MRO": "MRU",
    "STD": "STN",
    "SLL": "SLE",
    "ZWL": "ZWG",
    "ANG": "XCG",
    "TRL": "TRY",
    "DEM": "EUR",
    "FRF": "EUR",
    "ESP": "EUR",
    "ITL": "EUR",
}
_NO_DECIMALS = frozenset(
    words(
        """
    BIF CLP DJF GNF IDR ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF
    """
    )
)
_THREE_DECIMALS = frozenset(
    words(
        """
    BHD IQD JOD KWD LYD OMR TND
    """
    )
)
_TWO = 2

SYMBOLS = {
    "€": "EUR",
    "₹": "INR",
    "₽": "RUB",
    "\u0440\u0443\u0431": "RUB",
    "\u0440\u0443\u0431.": "RUB",
    "₺": "TRY",
    "tl": "TRY",
    "₪": "ILS",
    "₦": "NGN",
    "₫": "VND",
    "฿": "THB",
    "₴": "UAH",
    "₸": "KZT",
    "₱": "PHP",
    "₩": "KRW",
    "৳": "BDT",
    "₾": "GEL",
    "₼": "AZN",
    "₡": "CRC",
    "₲": "PYG",
    "₵": "GHS",
    "r$": "BRL",
    "us$": "USD",
    "a$": "AUD",
    "au$": "AUD",
    "c$": "CAD",
    "ca$": "CAD",
    "nz$": "NZD",
    "hk$": "HKD",
    "nt$": "TWD",
    "s$": "SGD",
    "mx$": "MXN",
    "s/": "PEN",
    "s/.": "PEN",
    "zł": "PLN",
    "kč": "CZK",
    "ft": "HUF",
    "rm": "MYR",
    "rp": "IDR",
    "ksh": "KES",
    "د.إ": "AED",
    "ر.س": "SAR",
    "ر.ع.": "OMR",
    "د.ك": "KWD",
    "د.ت": "TND",
    "ج.م": "EGP",
}
_KRONER = frozenset({"SEK", "NOK", "DKK", "ISK"})
_RUPEES = frozenset({"INR", "PKR", "LKR", "NPR", "MUR", "SCR"})
SHARED = {
    "$": frozenset(
        words(
            """
    USD AUD CAD NZD HKD SGD MXN ARS CLP COP UYU DOP TWD JMD TTD BBD BSD NAD FJD LRD XCD
    """
        )
    ),
    "£": frozenset(
        words(
            """
    GBP EGP LBP GIP FKP SHP SYP
    """
        )
    ),
    "¥": frozenset(["JPY", "CNY"]),
    "kr": _KRONER,
    "kr.": _KRONER,
    "rs": _RUPEES,
    "rs.": _RUPEES,
    "r": frozenset({"ZAR"}),
    "lei": frozenset({"RON", "MDL"}),
}


def exponent_of(currency: str) -> int:
    """
    Return how many decimals amounts in `currency` have; 2 where it is not known.

    >>> exponent_of("KWD"), exponent_of("JPY"), exponent_of("USD")
    (3, 0, 2)
    """
    return 3 if currency in _THREE_DECIMALS else 0 if currency in _NO_DECIMALS else _TWO


def named_currency(token: str, default: str) -> tuple[str, str]:
    """
    Return the currency that a code or symbol names and ``""``, or ``""`` and what is wrong with the token.

    A symbol that several currencies share means `default`, the shop's own, where that is one of them.
    """
    upper, lower = token.upper(), token.casefold()
    if not token:
        return default, "" if default else "currency_missing"
    if upper in CODES:
        return upper, ""
    if upper in REPLACED:
        return "", "currency_dead"
    if lower in SYMBOLS:
        return SYMBOLS[lower], ""
    if lower in SHARED:
        return (default, "") if default in SHARED[lower] else ("", "currency_shared")
    return "", "currency_unknown"
