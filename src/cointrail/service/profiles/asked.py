"""Who is asked about, and which of their transactions count, in people's words."""

import re
from calendar import timegm
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from cointrail.cluster.forest.view import Forest
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.profile.window import Window, window
from cointrail.service.answers import ListUsed, Rule
from cointrail.service.clustering.levels import lists_used
from cointrail.service.tracing.found import Wallet
from cointrail.service.tracing.seeds import CLUSTER

_HEIGHT: Final = re.compile(r"[0-9]{1,9}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HINT: Final = "give a height such as 170, a day such as 2014-07-24, or a time such as 2014-07-24T13:02:11Z; all UTC"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which transactions count, as a person says it.

    Attributes:
        begin, end: a height, or a day or time in UTC (ISO 8601), both inside; None for all there is. Times go by the
            median time of blocks.
        min_sat, max_sat: how much a transaction changed what the wallet holds, both inside.
    """

    begin: str | int | None = None
    end: str | int | None = None
    min_sat: int | None = None
    max_sat: int | None = None

    def window(self, reader: Reader) -> Window:
        """The same at a snapshot.

        Raises:
            InputRefused: neither a height nor a time.
            NotFound: a height is not in the snapshot.
            UsageError: the range ends before it begins, or an amount is negative.
        """
        first, from_time = _place(self.begin, latest=False)
        last, to_time = _place(self.end, latest=True)
        return window(
            reader,
            first=first,
            last=last,
            from_time=from_time,
            to_time=to_time,
            least_sat=self.min_sat,
            most_sat=self.max_sat,
        )


EVERYTHING: Final = Asked()


def _place(text: str | int | None, *, latest: bool) -> tuple[int | None, int | None]:
    """(height, None) or (None, seconds since 1970); of a day its first second, or its last."""
    if text is None or isinstance(text, int):
        return text, None
    stated = text.strip()
    if _HEIGHT.fullmatch(stated):
        return int(stated), None
    try:
        when = datetime.fromisoformat(stated)
    except ValueError:
        raise InputRefused(f"{text!r} is neither a height nor a time", hint=_HINT) from None
    if latest and _DAY.fullmatch(stated):
        when = datetime.combine(when, time(23, 59, 59))
    try:
        return None, timegm(when.utctimetuple())
    except OverflowError:
        raise InputRefused(f"{text!r} is out of the range of times", hint=_HINT) from None


@dataclass(frozen=True, slots=True)
class FilterAnswer:
    """Which transactions counted: heights, both inside, and how much one changed the balance. None: any amount."""

    first_height: int
    last_height: int
    min_sat: int | None
    max_sat: int | None


def filter_answer(asked: Window) -> FilterAnswer:
    """A filter as answers name it."""
    return FilterAnswer(asked.first, asked.last, asked.least_sat, asked.most_sat)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the choice of scripts rests on: nothing but the address, or rules and corrections."""

    rules: tuple[Rule, ...]
    lists: tuple[ListUsed, ...]
    overlay: str | None


def standing_of(reader: Reader, text: str, wallet: Wallet) -> Standing:
    """What makes these scripts one wallet."""
    if not text.startswith(CLUSTER):
        return Standing((), (), None)
    forest = Forest(reader)
    return Standing(tuple(Rule(*rule) for rule in forest.rules), lists_used(forest), wallet.overlay)
