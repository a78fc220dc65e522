"""What is asked of a peel chain: when to stop, what to do where nothing is decided, and whose wallets are not crossed.

Every limit that ends a chain is named at its end (METHODS.md 6.1, 6.3).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cointrail.errors import UsageError

I64 = npt.NDArray[np.int64]
NO_SERVICE: Final = -1
_FAR: Final = 1 << 40

ServiceOf = Callable[[I64], I64]
"""Script_ids, int64 (n,), to the number of the service that each is attributed to, `NO_SERVICE` for none."""


class Undecided(StrEnum):
    """What to do where the vote names no change."""

    STOP = "stop"
    """End there: what a court can be shown."""
    LARGER = "larger"
    """Go on with the larger output, the first of equals: a lead."""
    BRANCH = "branch"
    """Go on with every output that can be spent: leads."""


@dataclass(frozen=True, slots=True)
class PeelLimits:
    """When to stop; None switches a limit off.

    Attributes:
        hops: transactions between the seed and the farthest output, which is not followed.
        min_sat: an output of less is not followed.
        outputs: a transaction with more outputs is not crossed.
        cluster: an output of an L1 cluster with more scripts, of nobody known, is not followed; the first one is.
        transactions: most to pass in all, branches together.

    Raises:
        UsageError: a limit is negative.
    """

    hops: int | None = 20
    min_sat: int = 10_000
    outputs: int | None = 100
    cluster: int | None = 10_000
    transactions: int | None = 50_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value < 0:
                raise UsageError(f"{field.name} = {value}: a limit cannot be negative", hint="give 0 or more")

    @property
    def most_hops(self) -> int:
        """Hops, as a number in any case."""
        return _FAR if self.hops is None else self.hops


COURT: Final = PeelLimits()
"""METHODS.md 6.3: what can be shown to a court step by step."""

LEAD: Final = replace(COURT, hops=100)
"""The same for leads."""


class ServiceScripts(NamedTuple):
    """Who is known to keep other people's money.

    Attributes:
        of: finds the service of each script.
        names: of the services, by number.
        digest: SHA-256 of what says so, in hex; empty if nothing does.
    """

    of: ServiceOf
    names: tuple[str, ...] = ()
    digest: str = ""


def services_by_script(
    scripts: npt.ArrayLike, numbers: npt.ArrayLike, names: Sequence[str], digest: str = ""
) -> ServiceScripts:
    """Services of single scripts.

    Args:
        scripts: script_ids, int64 (n,), ascending.
        numbers: int64 (n,), the service of each.
        names: of the services.
        digest: of what says so.
    """
    keys, values = np.asarray(scripts, np.int64).reshape(-1), np.asarray(numbers, np.int64).reshape(-1)

    def of(asked: I64) -> I64:
        found = np.full(len(asked), NO_SERVICE, np.int64)
        if len(keys):
            at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
            known = keys[at] == asked
            found[known] = values[at[known]]
        return found

    return ServiceScripts(of, tuple(names), digest)


NOBODY: Final = services_by_script((), (), ())
"""No service is known."""
