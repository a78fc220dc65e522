"""A peel chain: its steps, each with what decided it and what it left behind, and why it ended.

Steps keep everything that the other answer to a decision would need: the outputs that were not followed, with their
values and whether they are spent, and the inputs that came in beside (METHODS.md 6.1; FEATURES.md 29).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from cointrail.cluster.change.rules import RULES
from cointrail.cluster.change.tally import FAMILIES
from cointrail.trace.peel.question import PeelLimits, Undecided

RULE: Final = "peel_chain"
VERSION: Final = 1


class Direction(StrEnum):
    """Ahead to where the rest went, or back to where it came from."""

    FORWARD = "forward"
    BACKWARD = "backward"


class Decision(StrEnum):
    """Why an output is taken for the rest of a chain."""

    CERTAIN = "certain"
    """It pays a script that its transaction spends (change.C1, level L1)."""
    ACCEPTED = "accepted"
    """Two families of signs agree and none contradicts (`change_vote`, level L2)."""
    LARGER = "larger"
    """Nothing is decided; it is worth most. A lead."""
    BRANCH = "branch"
    """Nothing is decided; every way is followed. A lead."""
    SEED = "seed"
    """It is the payment that a way back begins at; nothing was decided about it."""

    @property
    def is_lead(self) -> bool:
        """Whether nothing but a policy speaks for it."""
        return self in (Decision.LARGER, Decision.BRANCH)


class Reason(StrEnum):
    """Why a chain goes no further."""

    UNSPENT = "unspent"
    UNSPENDABLE = "unspendable"
    SERVICE = "service"
    COINJOIN = "coinjoin"
    """A collaborative transaction, any class of the gate."""
    COINBASE = "coinbase"
    MANY_OUTPUTS = "too many outputs"
    LARGE_CLUSTER = "large cluster"
    HOPS = "hop limit"
    MINIMUM = "below minimum"
    MERGE = "merge"
    """Inputs that do not all lie in one L1 cluster."""
    PROTOCOL = "protocol outputs"
    """OP_RETURN, or 294, 330 or 546 sat: no peel step (METHODS.md 3.5)."""
    UNDECIDED = "undecided"
    """The vote names no change."""
    NOT_CHANGE = "not change"
    """Back: its maker has another output that is change, so this one was paid to whoever began the chain."""
    SEVERAL = "several remainders"
    """Back: more than one input is change of its maker, so several chains come together."""
    JOINED = "joined another branch"
    BUDGET = "transaction budget"


class Coin(NamedTuple):
    """An output as a chain sees it.

    Attributes:
        output: output_index; value_sat; script: script_id.
        service: number of the service that the script is attributed to, -1 for none.
        cluster_size: scripts in its L1 cluster.
        maker: the transaction that made it; spender: the one that spends it in the snapshot, or -1.
        spendable: False if nobody can ever spend it.
    """

    output: int
    value_sat: int
    script: int
    service: int
    cluster_size: int
    maker: int
    spender: int
    spendable: bool

    @property
    def spent(self) -> bool:
        """Whether it is spent in the snapshot."""
        return self.spender >= 0


@dataclass(frozen=True, slots=True)
class Step:
    """A transaction of a chain. Inputs: `came` and `others`; outputs: `followed` and `peels`.

    Attributes:
        tx_index, height: which transaction; seconds: time of its block, since 1970 UTC.
        previous: the step that led here, by number; -1 for the first.
        hop: how many steps led here, this one included; back: how many lie between it and the payment.
        decision: why `followed` is taken for the rest.
        votes: bits of the rules that voted for it (`change.Cn` is bit n); families: of the families, as in
            `cluster.change.tally.FAMILIES`.
        came: the inputs that carry the chain: one; back none where it begins, and several only where it branches.
        others: inputs beside it.
        followed: the outputs that carry the chain: one, several only where it branches.
        peels: the outputs that were not followed: the payments, and the other answer to the decision.
        fee_sat: its fee.
        joined_here: its inputs lie in one L1 cluster only because it spends them together.
        waited_seconds: time between its block and the one in which what came was made; back of a beginning, None.
    """

    tx_index: int
    height: int
    seconds: int
    previous: int
    hop: int
    decision: Decision
    votes: int
    families: int
    came: tuple[Coin, ...]
    others: tuple[Coin, ...]
    followed: tuple[Coin, ...]
    peels: tuple[Coin, ...]
    fee_sat: int
    joined_here: bool
    waited_seconds: int | None

    @property
    def peeled_sat(self) -> int:
        """Value of what was not followed."""
        return sum(coin.value_sat for coin in self.peels)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that voted."""
        return tuple(rule.id for rule in RULES if self.votes & rule.bit)

    @property
    def voting_families(self) -> tuple[str, ...]:
        """The families that voted."""
        return tuple(str(family) for bit, family in enumerate(FAMILIES) if self.families >> bit & 1)


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain, or a branch of it, goes no further.

    Attributes:
        step: the last step before it, by number; -1 where there is none.
        coins: forward the output that is not followed; back the inputs of its first transaction, which funded it.
        reason: why.
        detail: more of it in words: name of a service, class of a mix, what the vote said; may be empty.
        tx_index: forward the transaction that was not crossed, -1 if none stood in the way; back the chain's first.
    """

    step: int
    coins: tuple[Coin, ...]
    reason: Reason
    detail: str = ""
    tx_index: int = -1


@dataclass(frozen=True, slots=True)
class PeelChain:
    """A chain, or a tree of branches.

    Attributes:
        direction, undecided, limits: what was asked.
        seed: the output it begins at.
        steps: forward in chain order; back in the order of the way back, the payment's transaction first.
        ends: why each branch ends; one if there is one way.
        rule, version: which rule.
    """

    direction: Direction
    undecided: Undecided
    limits: PeelLimits
    seed: Coin
    steps: tuple[Step, ...]
    ends: tuple[End, ...]
    rule: str = RULE
    version: int = VERSION

    @property
    def hops(self) -> int:
        """Transactions at which the rest of the chain was told from a payment."""
        return sum(step.decision is not Decision.SEED for step in self.steps)

    @property
    def is_lead(self) -> bool:
        """Whether a step rests on a policy alone."""
        return any(step.decision.is_lead for step in self.steps)

    @property
    def complete(self) -> bool:
        """Whether no budget cut it off."""
        return all(end.reason is not Reason.BUDGET for end in self.ends)
