"""Currencies of ISO 4217: which codes exist, and how many decimals their smallest unit has."""

from typing import Final

from cointrail.errors import InputRefused

_DECIMALS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
    "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS "
    "INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN "
    "NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP "
    "STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_EXPONENTS: Final = {code: decimals for decimals, codes in _DECIMALS.items() for code in codes.split()}


def exponent_of(currency: str) -> int:
    """Decimals of a currency's minor unit: 2 for USD, whose minor unit is the cent.

    Raises:
        InputRefused: no code of ISO 4217.
    """
    exponent = _EXPONENTS.get(currency)
    if exponent is None:
        shown = ascii(currency) if len(currency) <= 20 else f"a text of {len(currency)} characters"
        raise InputRefused(
            f"{shown} is no currency of ISO 4217",
            hint="give three capital letters, such as USD or EUR; a token such as USDT is no currency",
        )
    return exponent
