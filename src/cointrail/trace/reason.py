"""Why a trace ended at an output. The set is closed, in the order of `kernels.trace.stops`."""

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a part of the money goes no further."""

    SEED = "reached another seed"
    TARGET = "target"
    SERVICE = "service"
    """It arrives at a service (forward) or comes from one (backward)."""
    UNSPENT = "unspent"
    COINBASE = "coinbase"
    """Backward: a coinbase made it, out of its subsidy and the fees of its block."""
    COINJOIN = "coinjoin"
    """Forward: a collaborative transaction spends it. Backward: one made it."""
    LARGE_CLUSTER = "large cluster"
    """Of nobody known, but too large for a person's wallet."""
    MANY_OUTPUTS = "too many outputs"
    MANY_INPUTS = "too many inputs"
    HOPS = "hop limit"
    MINIMUM = "below minimum"
    SHARE = "below minimum share"
    TIME = "outside the time window"
    FEE = "fee"
    UNCLAIMED = "unclaimed reward"
    SUBSIDY = "subsidy"
    """Backward, with fees propagated: new money."""
    TRANSACTIONS = "transaction budget"
    DURATION = "time budget"
    MEMORY = "memory budget"
    CANCELLED = "cancelled"
    UNSPENDABLE = "unspendable"
    """OP_RETURN and the like: nobody can spend it."""
    OVERWRITTEN = "overwritten"
    """A later coinbase of the same txid destroyed it (BIP30)."""
    GENESIS = "genesis"
    """The genesis block's output, which nobody can spend."""

    @property
    def code(self) -> int:
        """Its number in the kernels."""
        return _CODES[self]


REASONS: Final = (None, *Reason)
"""Reasons by their number; a part that goes on has none."""

_CODES: Final = {reason: code for code, reason in enumerate(REASONS) if reason is not None}

BUDGETS: Final = (Reason.TRANSACTIONS, Reason.DURATION, Reason.MEMORY, Reason.CANCELLED)
"""Reasons that leave something unfollowed: the trace is not complete."""

ACCOUNTS: Final = (Reason.FEE, Reason.UNCLAIMED, Reason.SUBSIDY)
"""Reasons of virtual outputs."""
