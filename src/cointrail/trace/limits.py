"""How far a trace goes before it stops by request: thresholds of METHODS.md 6.3, and budgets.

Every stop is a recorded reason of the endpoint it leaves behind. Limits are part of the answer. A trace that ends at a
budget of transactions is the same on every machine; one that ends at a budget of time or memory is not.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from cointrail.errors import UsageError

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop; None switches a limit off.

    Attributes:
        hops: transactions between a seed and the farthest output. An output at that distance is not followed.
        min_sat: an output with a smaller traced part is not followed.
        min_share_ppm: the same for a part smaller than this many millionths of what a seed holds on average, so that a
            question about a million addresses is not answered with nothing.
        outputs: forward, a transaction with more outputs is not crossed.
        inputs: backward, a transaction with more inputs is not crossed.
        cluster: an output of an L1 cluster with more scripts is not followed, if it belongs to no service. Seeds are,
            in whatever cluster they lie.
        from_height, to_height: outputs made in blocks before or after are not followed.
        through_coinjoins: False to stop before a collaborative transaction (any veto sign of `cluster.gate`).
        transactions: most to pass, in chain order; nothing is sampled.
        seconds: most time to take.
        megabytes: most memory for what is found.

    Raises:
        UsageError: a limit is negative.
    """

    hops: int | None = None
    min_sat: int = 0
    min_share_ppm: int = 0
    outputs: int | None = None
    inputs: int | None = None
    cluster: int | None = None
    from_height: int | None = None
    to_height: int | None = None
    through_coinjoins: bool = False
    transactions: int | None = 1_000_000
    seconds: int | None = None
    megabytes: int | None = 4_096

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value < 0:
                raise UsageError(f"{field.name} = {value}: a limit cannot be negative", hint="give 0 or more")
        if self.min_share_ppm > MILLION:
            raise UsageError(
                f"min_share_ppm = {self.min_share_ppm}: nothing holds more than all", hint=f"give 0 to {MILLION}"
            )


COURT: Final = Limits(
    hops=20, min_sat=10_000, min_share_ppm=1_000, outputs=100, inputs=None, cluster=10_000, transactions=50_000
)
"""METHODS.md 6.3 and 9: what can be shown to a court step by step."""

LEAD: Final = replace(COURT, hops=100)
"""The same for leads."""

OPEN: Final = Limits()
"""No threshold; CoinJoins and budgets still stop."""

PRESETS: Final = {"court": COURT, "lead": LEAD, "open": OPEN}


def chosen(preset: str, **changes: int | bool | None) -> Limits:
    """A preset with those of its limits changed that are given: None leaves a limit as the preset has it.

    Raises:
        UsageError: there is no such preset, or a limit is negative.
    """
    if preset not in PRESETS:
        raise UsageError(f"there are no limits {preset!r}", hint=f"choose among {', '.join(PRESETS)}")
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return replace(PRESETS[preset], **given)
