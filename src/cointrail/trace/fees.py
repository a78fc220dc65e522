"""What becomes of traced value that goes into a fee: parameters, never habits (METHODS.md 4.4)."""

from dataclasses import dataclass
from enum import StrEnum


class FeeMode(StrEnum):
    """Where traced fees go."""

    ACCOUNT = "account"
    """Each ends where it is paid, and is booked there."""
    PROPAGATE = "propagate"
    """Into the coinbase of the block, by the same policy, and on from there."""


class CoinbaseOrder(StrEnum):
    """In which order a coinbase takes its money; matters to FIFO and LIFO."""

    SUBSIDY_FIRST = "subsidy_first"
    """The subsidy, then the fees in the order of the transactions (BlockSci)."""
    FEES_FIRST = "fees_first"
    """The fees in the order of the transactions, then the subsidy (RustyTaintChain)."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What becomes of fees."""

    mode: FeeMode = FeeMode.ACCOUNT
    coinbase_order: CoinbaseOrder = CoinbaseOrder.SUBSIDY_FIRST


ACCOUNT = Fees()
