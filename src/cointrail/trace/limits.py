"""How far a trace goes before it stops by request.

Every such stop is a recorded reason of the endpoint it leaves behind (METHODS.md 6.3). Limits are part of the answer.
"""

from dataclasses import dataclass

from cointrail.errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop.

    Attributes:
        hops: transactions between a seed and the farthest output, or None. An output at that distance is not followed.
        min_sat: an output with a smaller traced part is not followed; the traced part stays on it.
        transactions: most transactions to process, in chain order; nothing is sampled. What is left then ends with
            "search limit", and the flow is not complete.
        through_coinjoins: False to stop before a collaborative transaction (any veto sign of `cluster.gate`).

    Raises:
        UsageError: a limit is negative.
    """

    hops: int | None
    min_sat: int
    transactions: int = 100_000
    through_coinjoins: bool = False

    def __post_init__(self) -> None:
        for name, value in (("hops", self.hops), ("min_sat", self.min_sat), ("transactions", self.transactions)):
            if value is not None and value < 0:
                raise UsageError(f"{name} = {value}: a limit cannot be negative", hint="give 0 or more")
