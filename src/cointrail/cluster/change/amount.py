"""Family F2, amounts: what a payer chooses is round, what is left over is not, and no input is there for nothing.

Rules C5, C6 and C20 of METHODS.md 2.2. All are static. C6 and C20 contradict each other by design: a wallet that
combines small outputs leaves little change, one that pays out of a large output leaves much. The fiat variant of C5 is
not built: it needs a price table whose digest would enter the provenance. Page: docs/methods/change-amount.md.
"""

import numpy as np

from cointrail.cluster.change.context import Context, Mask
from cointrail.cluster.change.rule import Keep, unique

ROUND_DIGITS = 6
"""0.01 BTC (BlockSci); GraphSense takes 3."""

LEAST_RATIO = 100


def not_round(digits: int = ROUND_DIGITS) -> Keep:
    """C5: the value is no multiple of 10^digits sat, and it is the only such value.

    Args:
        digits: trailing zeros of a round amount in sat.
    """
    unit = 10**digits

    def keep(context: Context) -> Mask:
        return unique(context, np.asarray(context.value % unit != 0, np.bool_))

    return keep


def below_inputs(context: Context) -> Mask:
    """Less than every input: with the output's value less on both sides, an input could have stayed at home."""
    least = context.least_of_inputs(context.input_value)
    return np.asarray(context.value < least[context.outputs.owner], np.bool_)


def optimal(context: Context) -> Mask:
    """C6: less than every input of at least two."""
    several = context.input_counts >= 2
    return below_inputs(context) & several[context.outputs.owner]


def larger(context: Context) -> Mask:
    """C20: of two outputs, the one worth at least a hundred times the other."""
    kept = np.zeros(len(context.value), np.bool_)
    first = np.flatnonzero(context.output_counts[context.outputs.owner] == 2)[::2]
    one, two = context.value[first], context.value[first + 1]
    kept[first] = (two > 0) & (one >= LEAST_RATIO * two)
    kept[first + 1] = (one > 0) & (two >= LEAST_RATIO * one)
    return kept
