"""The cells of a table of prices: times to UTC seconds, closes to integers. Nothing is guessed, no float appears."""

import re
from datetime import UTC, datetime
from typing import Final

from cointrail.errors import InputRefused
from cointrail.ingest.prices.rule import PRICE_UNIT

_TIME: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<clock>\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?\s?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_DECIMAL: Final = re.compile(r"(\d{1,18})(?:\.(\d{1,60}))?", re.ASCII)
_DIGITS: Final = re.compile(r"\d{1,18}", re.ASCII)

_EARLIEST: Final = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp())
_LATEST: Final = (1 << 32) - 1  # block times are 32 bits
_MOST_E8: Final = (1 << 63) - 1
_PLACES: Final = 8


def shown(text: str) -> str:
    """A cell as messages repeat it."""
    return ascii(text) if len(text) <= 40 else f"{text[:20]!a}... ({len(text):,} characters)"


def seconds_of_time(text: str) -> tuple[int, bool]:
    """Read a day or a time in ISO 8601.

    Args:
        text: `2014-07-24`, `2014-07-24T13:02:11Z`, with a blank for the T, with an offset; no offset means UTC.

    Returns:
        Seconds since 1970 UTC, parts of a second dropped, and whether only a day was given.

    Raises:
        InputRefused: no such time, or one before Bitcoin.
    """
    match = _TIME.fullmatch(text)
    if not match:
        number = _DIGITS.fullmatch(text)
        hint = "map the column as unix or unix_ms" if number else "write 2014-07-24 or 2014-07-24T13:02:11Z"
        raise InputRefused(f"{shown(text)} is no date or time", hint=hint)
    zone = (match["zone"] or "Z").replace("UTC", "Z")
    try:
        moment = datetime.fromisoformat(f"{match['day']}T{match['clock'] or '00:00:00'}{zone}")
        seconds = int(moment.timestamp())
    except (ValueError, OverflowError) as error:
        raise InputRefused(f"{shown(text)} is no date or time", hint="there is no such day, hour or offset") from error
    return _within(seconds, text), match["clock"] is None


def seconds_of_unix(text: str, *, milliseconds: bool = False) -> int:
    """Read seconds or milliseconds since 1970; parts of a second are dropped.

    Raises:
        InputRefused: no whole number, or a time before Bitcoin.
    """
    if not _DIGITS.fullmatch(text):
        raise InputRefused(f"{shown(text)} is no whole number of {'milli' * milliseconds}seconds since 1970")
    return _within(int(text) // (1_000 if milliseconds else 1), text)


def _within(seconds: int, text: str) -> int:
    if not _EARLIEST <= seconds <= _LATEST:
        raise InputRefused(
            f"{shown(text)} lies outside the years 2009 to 2106",
            hint="milliseconds are mapped as unix_ms, seconds as unix",
        )
    return seconds


def price_of_decimal(text: str) -> tuple[int, bool]:
    """Read the price of one bitcoin.

    Args:
        text: digits with a decimal point, or without.

    Returns:
        The price in 10^-8 of the currency's unit, and whether decimals beyond the eighth were rounded, half to even.

    Raises:
        InputRefused: no such number, zero, or too large for 64 bits.
    """
    match = _DECIMAL.fullmatch(text)
    if not match:
        raise InputRefused(
            f"{shown(text)} is no price",
            hint="write digits with a decimal point: no sign, no thousands separator, no exponent, no currency",
        )
    whole, decimals = match[1], match[2] or ""
    kept, beyond = decimals[:_PLACES].ljust(_PLACES, "0"), decimals[_PLACES:].rstrip("0")
    price = int(whole + kept)
    if beyond:
        half = beyond[0] == "5" and len(beyond) == 1
        price += price & 1 if half else beyond[0] >= "5"
    return _possible(price, text), bool(beyond)


def price_of_minor(text: str, exponent: int) -> int:
    """Read the price of one bitcoin in whole minor units, such as cents.

    Raises:
        InputRefused: no whole number, zero, or too large for 64 bits.
    """
    if not _DIGITS.fullmatch(text):
        raise InputRefused(f"{shown(text)} is no price in whole minor units", hint="write digits only")
    return _possible(int(text) * PRICE_UNIT // 10**exponent, text)


def _possible(price_e8: int, text: str) -> int:
    if not 0 < price_e8 <= _MOST_E8:
        raise InputRefused(f"{shown(text)} is no price: it is {'too large' if price_e8 else 'zero'}")
    return price_e8
