"""What stands beside amounts in answers if somebody asked for money: values, totals, and the prices they rest on.

Plain values that import nothing, so answers about facts can name them; `beside` makes them. A price is its source's
statement, so all of this is an assertion, whatever the answer around it is.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FiatChoice:
    """In which money amounts are wanted.

    Attributes:
        currency: ISO 4217.
        database: where the imported prices are.
        source: whose; that of the newest import if None.
    """

    currency: str
    database: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class FiatValue:
    """What an amount was worth at its block's miner-declared time.

    `minor` is in minor units (cents), of which `exponent` decimals make the currency's unit; None on a gap, and `gap`
    says why. `rule` chose the price of the step that begins at `price_time_utc`, from the import with the digest
    `series`.
    """

    minor: int | None
    currency: str
    exponent: int
    source: str
    rule: str
    price_time_utc: str | None
    gap: str | None
    series: str
    basis: Literal["assertion"] = "assertion"


@dataclass(frozen=True, slots=True)
class FiatTotal:
    """The sum of amounts other than zero, each at its own time.

    `minor` is the sum of those that have a price, None if none of them has. `missing` of the `amounts` have none,
    together `missing_sat`: the sum is without them.
    """

    minor: int | None
    currency: str
    exponent: int
    amounts: int
    missing: int
    missing_sat: int
    basis: Literal["assertion"] = "assertion"


@dataclass(frozen=True, slots=True)
class FiatImport:
    """One import of prices; `digest` is the SHA-256 of the prices, `sha256` that of the file."""

    digest: str
    file_name: str
    sha256: str
    imported_utc: str
    first_utc: str
    last_utc: str


@dataclass(frozen=True, slots=True)
class FiatPrices:
    """The prices behind an answer's amounts in money.

    `digest` is that of the import, or of several SHA-256 over theirs, newest first, a line each; `imports` are newest
    first. `chosen` says why this source: `named`, `only`, or `newest of N sources`.
    """

    currency: str
    exponent: int
    source: str
    step_seconds: int
    rule: str
    digest: str
    imports: tuple[FiatImport, ...]
    chosen: str
    basis: Literal["assertion"] = "assertion"
