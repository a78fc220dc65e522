"""What a trace found: the transactions it passed, the outputs at which it ended, and why it ended there.

All amounts are integer satoshi. The accounts balance exactly: what the seeds held lies on the endpoints or in fees.
"""

from dataclasses import dataclass
from enum import StrEnum

from cointrail.trace.limits import Limits

Segments = tuple[tuple[int, int], ...]
"""Parts of one output as (offset, length) in sat, ascending, neither empty nor touching one another."""

Amounts = tuple[tuple[int, int], ...]
"""(output_index, sat) of several outputs."""


class Direction(StrEnum):
    """Where to."""

    FORWARD = "forward"
    BACKWARD = "backward"


class Reason(StrEnum):
    """Why a trace ended at an output. The set is closed."""

    UNSPENT = "unspent"
    UNSPENDABLE = "unspendable"
    """OP_RETURN and the like: nobody can spend it."""
    OVERWRITTEN = "overwritten"
    """A later coinbase of the same txid destroyed it (BIP30)."""
    GENESIS = "genesis"
    """The genesis block's output, which nobody can spend."""
    COINBASE = "coinbase"
    """Backward: a coinbase made it, out of its subsidy and the fees of its block."""
    SEED = "reached another seed"
    HOPS = "hop limit"
    MINIMUM = "below minimum"
    COINJOIN = "coinjoin"
    """Forward: a collaborative transaction spends it. Backward: one made it."""
    SEARCH = "search limit"


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction that traced value passed.

    Attributes:
        tx_index: the transaction.
        traced_in_sat: traced part of its inputs.
        traced_out_sat: traced part of its outputs.
        fee_sat: traced part of its fee; 0 backward. Conserving policies: in = out + fee.
        inputs: (output_index spent, traced sat), in input order.
        outputs: (output_index made, traced sat), ascending.
    """

    tx_index: int
    traced_in_sat: int
    traced_out_sat: int
    fee_sat: int
    inputs: Amounts
    outputs: Amounts


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An output at which tracing ended.

    Attributes:
        output_index: the output.
        value_sat: all it holds.
        traced_sat: the part that belongs to the flow.
        reason: why it ended here.
        hops: transactions between the nearest seed and here.
        segments: which of its satoshis, for policies that know (FIFO); else empty.
    """

    output_index: int
    value_sat: int
    traced_sat: int
    reason: Reason
    hops: int
    segments: Segments = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """The result of a trace.

    Attributes:
        direction: forward or backward.
        policy, version: the rule that split each transaction.
        limits: what was asked for.
        gate: (rule, version) of what decides which transactions are collaborative; empty if none was asked.
        seeds: (output_index, value_sat), ascending.
        traced_sat: value of the seeds.
        steps: transactions in processing order: ascending forward, descending backward.
        endpoints: ascending by output_index, then reason; an output that is a seed itself can stand here twice, once
            as a seed that was reached and once with what became of it.
        fees_sat: traced part of all fees.
        complete: False if the search limit left something unfollowed.
    """

    direction: Direction
    policy: str
    version: int
    limits: Limits
    gate: tuple[tuple[str, int], ...]
    seeds: Amounts
    traced_sat: int
    steps: tuple[Step, ...]
    endpoints: tuple[Endpoint, ...]
    fees_sat: int
    complete: bool

    @property
    def conserved(self) -> bool:
        """True if every traced satoshi lies on an endpoint or in a fee, none twice."""
        return self.traced_sat == sum(endpoint.traced_sat for endpoint in self.endpoints) + self.fees_sat
