"""Times of the store: when something is written, and what a person means by a day."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, select

from cointrail.attribution.store.tables import IMPORT, RETRACTION
from cointrail.errors import UsageError

Clock = Callable[[], datetime]

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


def system_clock() -> datetime:
    """Now."""
    return datetime.now(UTC)


def next_time(connection: Connection, clock: Clock) -> str:
    """When a change is made: now, but never before a change that was made already; clocks of two machines differ."""
    now = clock().astimezone(UTC).strftime(_FORMAT)
    columns = (IMPORT.c.imported_utc, RETRACTION.c.retracted_utc, RETRACTION.c.lifted_utc)
    return max(now, *(connection.execute(select(func.max(column))).scalar() or "" for column in columns))


def known_at(text: str) -> str:
    """The last second that a person means: a day up to its end, a time as it is; in UTC unless it says otherwise.

    Raises:
        UsageError: it is neither.
    """
    moment = _parsed(text)
    if len(text) == len("2024-05-01"):
        return f"{text}T23:59:59Z"
    return moment.astimezone(UTC).strftime(_FORMAT)


def valid_on(text: str) -> str:
    """A day as it is, a time in UTC; as validity dates are compared.

    Raises:
        UsageError: it is neither.
    """
    moment = _parsed(text)
    return text if len(text) == len("2024-05-01") else moment.astimezone(UTC).strftime(_FORMAT)


def _parsed(text: str) -> datetime:
    hint = "give a day such as 2024-05-01, or a time such as 2024-05-01T12:00:00Z"
    if not _TIME.fullmatch(text):
        raise UsageError(f"{text!r} is no day or time", hint=hint)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is no day or time: {error}", hint=hint) from None
