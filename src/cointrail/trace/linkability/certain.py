"""Deterministic links without a count: pairs that no interpretation can part.

An interpretation that parts an input from an output can be coarsened to two groups, the input's and all others
together. So a link is deterministic if no group with the input and without the output fits; with fees between
participants the converse need not hold, and some deterministic links may be missed. What needs too many sets is
answered by one comparison, which misses more.
"""

from typing import NamedTuple

import numpy as np

from cointrail.trace.linkability.amounts import Amounts
from cointrail.trace.linkability.sets import fitting, sets_of, too_many

Pairs = tuple[tuple[int, int], ...]
"""(number of an input value, number of an output value), ascending."""


class Certain(NamedTuple):
    """Deterministic links by value, and whether there can be no others."""

    pairs: Pairs
    are_all: bool


def certain_links(spent: Amounts, paid: Amounts, between_sat: int) -> Certain:
    """Find deterministic links by what can be afforded.

    Args:
        spent: the inputs.
        paid: the outputs, together at most the inputs; neither side is empty.
        between_sat: what a group may pay beyond what it has.

    Method: METHODS.md 6.4 ("first look for deterministic links").
    """
    if too_many(spent, paid):
        return Certain(_by_size(spent, paid, between_sat), are_all=False)
    return Certain(_by_search(spent, paid, between_sat), are_all=between_sat == 0)


def _by_size(spent: Amounts, paid: Amounts, between_sat: int) -> Pairs:
    """Pairs of which the output is more than all other inputs together can pay."""
    found = []
    for i, value in enumerate(spent.values):
        others = spent.total_sat - value + between_sat
        if others >= paid.values[0]:
            break  # both sides begin with the largest
        found += [(i, o) for o, each in enumerate(paid.values) if each > others]
    return tuple(sorted(found))


def _by_search(spent: Amounts, paid: Amounts, between_sat: int) -> Pairs:
    """Pairs that no fitting group parts: all sets are tried."""
    inputs, outputs = sets_of(spent), sets_of(paid)
    place = np.argsort(outputs.sums, kind="stable")
    group, _ = fitting(inputs, outputs.sums[place], spent, paid, between_sat)
    parted = np.zeros((len(spent.values), len(paid.values)), np.bool_)
    for o, count in enumerate(paid.counts):
        lacking = np.concatenate((np.zeros(1, np.int64), np.cumsum(outputs.digits[place, o] < count)))
        fits = lacking[group.end] > lacking[group.begin]
        for i in range(len(spent.values)):
            parted[i, o] = bool((fits & (inputs.digits[:, i] > 0)).any())
    return tuple((int(i), int(o)) for i, o in np.argwhere(~parted))
