"""Taint policies: conventions about who bears a transaction's mixture, by the names of METHODS.md 4.1.

A policy is not a finding: print its name, and others beside it. How each divides a transaction stands in one place,
`kernels.trace.split`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cointrail.errors import UsageError


@dataclass(frozen=True, slots=True)
class Policy:
    """One convention.

    Attributes:
        name: stable.
        rule: its number in `kernels.trace.split`.
        text: what it does, in one sentence.
        version: raised when a result could differ.
        conserves: False if it marks outputs and what it says is reach, not an amount.
        positions: True if it knows which satoshis of an output are traced.
        backward: True if it can be read the other way.
    """

    name: str
    rule: int
    text: str
    version: int = 1
    conserves: bool = True
    positions: bool = False
    backward: bool = False


POISON: Final = Policy(
    "poison", 0, "every output of a transaction that spends a traced one, whole: reach", conserves=False, backward=True
)
HAIRCUT: Final = Policy("haircut", 1, "pro rata over all outputs and the fee", backward=True)
FIFO: Final = Policy("fifo", 2, "first in, first out, satoshi by satoshi; the fee last", positions=True, backward=True)
LIFO: Final = Policy("lifo", 3, "last in, first out, satoshi by satoshi; the fee last", positions=True, backward=True)
TIHO: Final = Policy("tiho", 4, "into the highest output first; the fee last")
SENIORITY: Final = Policy("seniority", 5, "into the first output first; the fee last")
PURITY: Final = Policy("purity", 6, "into the fee first, then into the last output first")

POLICIES: Final[Mapping[str, Policy]] = {
    policy.name: policy for policy in (FIFO, HAIRCUT, LIFO, TIHO, SENIORITY, PURITY, POISON)
}


def named(names: Iterable[str], *, backward: bool = False) -> tuple[Policy, ...]:
    """The policies of these names, each once.

    Raises:
        UsageError: there is no such policy, or it cannot be read backward.
    """
    found = []
    for name in dict.fromkeys(names):
        policy = POLICIES.get(name)
        if policy is None:
            raise UsageError(f"there is no policy {name!r}", hint=f"choose among {', '.join(POLICIES)}")
        if backward and not policy.backward:
            readable = ", ".join(each.name for each in POLICIES.values() if each.backward)
            raise UsageError(
                f"policy {name} cannot be read backward: it forgets which input an output came from",
                hint=f"choose among {readable}",
            )
        found.append(policy)
    return tuple(found)
