"""Times of the store: when something is written, and what a person means by a day."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from cointrail.attribution.dates import normal_date, seconds_within
from cointrail.attribution.store.tables import IMPORT, RETRACTION
from cointrail.errors import UsageError

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now."""
    return datetime.now(UTC)


def next_time(connection: Connection, clock: Clock) -> str:
    """When a change is made: now, but never before a change that was made already; clocks of two machines differ."""
    now = normal_date(clock())
    columns = (IMPORT.c.imported_utc, RETRACTION.c.retracted_utc, RETRACTION.c.lifted_utc)
    return max(now, *(connection.execute(select(func.max(column))).scalar() or "" for column in columns))


def known_at(text: str) -> str:
    """The last second that a person means: a day up to its end, a time as it is; in UTC unless it says otherwise.

    Raises:
        UsageError: it is neither.
    """
    return seconds_within(asked_date(text))[1]


def asked_date(text: str) -> str:
    """A day or time that a person asks with, as the dates of statements are spelled.

    Raises:
        UsageError: it is neither.
    """
    try:
        return normal_date(text)
    except ValueError:
        hint = "give a day such as 2024-05-01, or a time such as 2024-05-01T12:00:00Z"
        raise UsageError(f"{text!r} is no day or time", hint=hint) from None
