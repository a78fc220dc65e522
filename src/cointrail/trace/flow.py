"""What a trace found, as columns: the transactions it passed, the traced part of every output, and why each ended.

All amounts are integer satoshi. Under a policy that conserves, what the seeds held lies on the parts that ended, fees
included, none twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cointrail.trace.fees import Fees
from cointrail.trace.limits import Limits
from cointrail.trace.policy import Policy
from cointrail.trace.reason import BUDGETS, REASONS, Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U8 = npt.NDArray[np.uint8]


class Direction(StrEnum):
    """Where to."""

    FORWARD = "forward"
    BACKWARD = "backward"


@dataclass(frozen=True, slots=True)
class Asked:
    """The question: all that decides the answer, besides the ledger and its snapshot.

    Attributes:
        direction, policy, limits, fees: see there.
        services: where it stops because somebody else's money begins.
        targets: int64, output_index, ascending: it ends there, and says how much arrived.
        gate: (rule, version) of what decides which transactions are collaborative; empty if none was asked.
    """

    direction: Direction
    policy: Policy
    limits: Limits
    fees: Fees
    services: Services
    targets: I64
    gate: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """The result of a trace.

    Parts, in the order in which they were made, the seeds first; a part is the traced piece of an output:

    Attributes:
        asked: the question.
        seeds: where it began.
        seed_sat: int64 (s,), what each seed holds.
        output: int64 (p,), output_index; negative for a virtual one (`payer_of`).
        sat: int64 (p,), traced satoshis.
        hops: uint32 (p,), fewest transactions between a seed and here.
        reason: uint8 (p,), 0 if it was followed, else why it ended (`REASONS`).
        detail: uint32 (p,), number of the service it ended at, or the gate's signs.
        next_step: int64 (p,), the step that consumed it, -1 if it ended.
        first_piece: int64 (p + 1,), where its pieces begin.
        label, offset, length: (pieces,), uint32 and int64: whose satoshis, where in the output if the policy knows.
        tx: int64 (steps,), tx_index of the transactions passed, in order of work.
        first_part: int64 (steps + 1,), the parts each made.
        coalesced: parts with so many pieces that only the amounts by label were kept.
        complete: False if a budget left something unfollowed.
    """

    asked: Asked
    seeds: Seeds
    seed_sat: I64
    output: I64
    sat: I64
    hops: U32
    reason: U8
    detail: U32
    next_step: I64
    first_piece: I64
    label: U32
    offset: I64
    length: I64
    tx: I64
    first_part: I64
    coalesced: int

    @property
    def traced_sat(self) -> int:
        """What the seeds hold."""
        return int(self.seed_sat.sum())

    @property
    def ended(self) -> I64:
        """Numbers of the parts that ended, real outputs before virtual ones, then by output and reason; int64."""
        rows = np.flatnonzero(self.reason)
        virtual = self.output[rows] < 0
        ordered: I64 = rows[np.lexsort((self.reason[rows], np.abs(self.output[rows]), virtual))]
        return ordered

    @property
    def complete(self) -> bool:
        """False if a budget left something unfollowed."""
        return not np.isin(self.reason, [each.code for each in BUDGETS]).any()

    @property
    def conserved(self) -> bool:
        """True if every traced satoshi lies on a part that ended, none twice; under poison never asked."""
        return self.traced_sat == int(self.sat[self.reason > 0].sum())

    @property
    def ended_sat(self) -> dict[Reason, int]:
        """Satoshis by the reason why they ended."""
        found = {}
        for code, reason in enumerate(REASONS):
            rows = self.reason == code
            if reason is not None and rows.any():
                found[reason] = int(self.sat[rows].sum())
        return found

    @property
    def by_label(self) -> I64:
        """Satoshis that ended, of each label, int64 (labels,)."""
        sums = np.zeros(len(self.seeds.names), np.int64)
        np.add.at(sums, self.label, np.where(np.repeat(self.reason > 0, np.diff(self.first_piece)), self.length, 0))
        return sums

    def pieces(self, part: int) -> Iterator[tuple[int, int, int]]:
        """(label, offset, satoshis) inside one part."""
        rows = slice(int(self.first_piece[part]), int(self.first_piece[part + 1]))
        return zip(self.label[rows].tolist(), self.offset[rows].tolist(), self.length[rows].tolist(), strict=True)

    @property
    def maker(self) -> I64:
        """The step that made each part, int64 (p,), -1 for seeds."""
        seeds = int(self.first_part[0])
        made = np.repeat(np.arange(len(self.tx)), np.diff(self.first_part))
        return np.concatenate([np.full(seeds, -1, np.int64), made])


def payer_of(virtual: I64) -> I64:
    """The transaction whose fee, unclaimed reward or subsidy a virtual output is."""
    return (-2 - virtual) // 2
