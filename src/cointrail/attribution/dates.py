"""Days and times of statements: ISO 8601 in UTC and in one spelling, so that their texts compare as times do."""

import re
from datetime import UTC, date, datetime
from typing import Final

_DAY: Final = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)", re.ASCII)
_DAY_LENGTH: Final = len("2024-05-01")


def normal_date(said: str | date) -> str:
    """A day or a time in the one spelling: `2024-05-01`, or `2024-05-01T12:00:00Z`.

    Args:
        said: ISO 8601 in any of its forms, a day also without leading zeros; or a day or time of Python's. A time that
            says no zone is one in UTC; parts of a second are dropped.

    Raises:
        ValueError: it is neither, or lies outside the years 1 to 9999 in UTC.
    """
    moment = _parsed(said.strip()) if isinstance(said, str) else said
    if not isinstance(moment, datetime):
        return moment.isoformat()
    try:
        in_utc = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("it lies outside the years 1 to 9999 in UTC") from error
    return in_utc.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def seconds_within(normal: str) -> tuple[str, str]:
    """The first and the last second of a day or time in the one spelling, as times."""
    return (f"{normal}T00:00:00Z", f"{normal}T23:59:59Z") if len(normal) == _DAY_LENGTH else (normal, normal)


def _parsed(text: str) -> date:
    if found := _DAY.fullmatch(text):
        return date(*map(int, found.groups()))
    try:
        return date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)
