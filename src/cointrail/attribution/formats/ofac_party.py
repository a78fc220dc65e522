"""A party on OFAC's list, and what a shape of the list must tell about its parties."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

CURRENCY: Final = "Digital Currency Address - "
BITCOIN: Final = "XBT"

MOST_SMALL: Final = 10_000
"""Values of a reference list, parts of a party's name, programmes of a party: more is no such list."""

MOST_ADDRESSES: Final = 1_000_000


class TooMany(Exception):
    """A list inside a file is longer than any such list."""


@dataclass(slots=True)
class Party:
    """A listed party.

    Attributes:
        id: OFAC's number.
        name: of its primary alias.
        programmes: under which it is listed.
        listed: ISO day of its listing; empty if the list does not say.
        stated: ISO day of the statement, where that is another one; or empty.
        addresses: Bitcoin addresses, each with the line on which its element begins.
    """

    id: str
    name: str = ""
    programmes: list[str] = field(default_factory=list)
    listed: str = ""
    stated: str = ""
    addresses: dict[str, int] = field(default_factory=dict)


class Listed:
    """What is kept of a file: parties with Bitcoin addresses, and how many addresses of other currencies.

    Attributes:
        parties: in the order of the file.
        skipped: addresses left out, by reason.
        issued: ISO day of the list; empty if it does not say.
    """

    def __init__(self) -> None:
        self.parties: list[Party] = []
        self.skipped: dict[str, int] = {}
        self.issued = ""
        self._addresses = 0

    def add(self, party: Party, currency: str, address: str, line: int) -> None:
        """Note an address of a party; the same twice is one."""
        reason = "" if currency == BITCOIN else f"address in {currency[:20]}"
        if not address:
            reason = "address without text"
        if reason:
            self.skipped[reason] = self.skipped.get(reason, 0) + 1
        elif address not in party.addresses:
            party.addresses[address] = line
            self._addresses += 1
        if self._addresses > MOST_ADDRESSES or len(self.skipped) > MOST_SMALL:
            raise TooMany

    def keep(self, party: Party) -> bool:
        """Keep a party if it has an address."""
        if party.addresses:
            self.parties.append(party)
        return bool(party.addresses)


class Shape(Protocol):
    """What a reader of elements tells, and what is known at the end of the file."""

    listed: Listed

    def opened(self, path: list[str], attributes: Mapping[str, str], line: int) -> bool:
        """An element begins, the last of the path from the root; whether its text is wanted."""
        ...

    def closed(self, path: list[str], text: str) -> None:
        """It ends; its text is stripped, and empty if it was not wanted."""
        ...

    def missing(self) -> str:
        """What the file should have had, asked at its end; empty if it is complete."""
        ...


def iso_day(year: str, month: str, day: str) -> str:
    """ISO day of three numbers, or an empty text if they are none."""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""
