"""All sets of inputs and of outputs that differ in amounts, and which sets of outputs fit which inputs."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cointrail.trace.linkability.amounts import Amounts

I64 = npt.NDArray[np.int64]

MOST_SETS = 1 << 20
"""Most sets of inputs, and of outputs, that are made."""


@dataclass(frozen=True, slots=True, eq=False)
class Sets:
    """All sets of one side, by code: mixed radix, the first value the lowest digit.

    Attributes:
        digits: int32 (c, t), how many of each value; sums: int64 (c,), in sat.
        stride: int64 (t,), what one more of a value adds to the code.
    """

    digits: npt.NDArray[np.int32]
    sums: I64
    stride: I64


class Run(NamedTuple):
    """By code of the inputs, places `begin` to `end` in the outputs' order of sums; int64 (c,) each."""

    begin: I64
    end: I64

    @property
    def lengths(self) -> I64:
        """How many places."""
        return self.end - self.begin


def too_many(spent: Amounts, paid: Amounts) -> str:
    """Why the sets are not made, or nothing."""
    if max(spent.subsets, paid.subsets) <= MOST_SETS:
        return ""
    return (
        f"{spent.number:,} inputs of {len(spent.values):,} values and {paid.number:,} outputs of "
        f"{len(paid.values):,} make more than {MOST_SETS:,} different sets"
    )


def sets_of(side: Amounts) -> Sets:
    """Make all sets; at most `MOST_SETS` are asked for."""
    sums, strides = np.zeros(1, np.int64), []
    digits = np.zeros((1, 0), np.int32)
    for value, count in zip(side.values, side.counts, strict=True):
        strides.append(len(sums))
        numbers = np.repeat(np.arange(count + 1, dtype=np.int32), len(sums))
        digits = np.column_stack((np.tile(digits, (count + 1, 1)), numbers))
        sums = np.tile(sums, count + 1) + numbers.astype(np.int64) * value
    return Sets(digits, sums, np.array(strides, np.int64))


def fitting(inputs: Sets, paid_sums: I64, spent: Amounts, paid: Amounts, between_sat: int) -> tuple[Run, Run]:
    """Which outputs fit which inputs, as a group and as a state that may still be divided.

    A group has at least what it pays, less `between_sat`. A state of n inputs divides into at most n groups, and so
    does what is left beside it, which bounds both what the state may lack and what it may leave over.

    Args:
        inputs: their sets.
        paid_sums: int64, sums of the outputs' sets, ascending.
        spent: the inputs' amounts.
        paid: the outputs'; what is missing to the inputs is the fee.
        between_sat: what a group may pay beyond what it has.
    """
    fee = spent.total_sat - paid.total_sat
    number = inputs.digits.sum(axis=1, dtype=np.int64)
    least = inputs.sums - fee - (spent.number - number) * between_sat
    begin = np.searchsorted(paid_sums, least, "left").astype(np.int64)
    group = np.searchsorted(paid_sums, inputs.sums + between_sat, "right").astype(np.int64)
    state = np.searchsorted(paid_sums, inputs.sums + number * between_sat, "right").astype(np.int64)
    return Run(begin, np.maximum(begin, group)), Run(begin, np.maximum(begin, state))
