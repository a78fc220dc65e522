"""Family F3, freshness: wallets make a new script for change, payees often give one that was used before.

Rules C1 to C3, C7 and C19 of METHODS.md 2.2; C1 is certain and C2 belongs to no family. "First appears" looks at all
earlier transactions, so it is static; only C3 waits whether the script is paid again.
Page: docs/methods/change-freshness.md.
"""

import numpy as np

from cointrail.cluster.change.context import Context, Mask


def returned(context: Context) -> Mask:
    """C1: the transaction spends the same script."""
    return context.returned


def same_cluster(context: Context) -> Mask:
    """C2: it lies in the cluster of an input, over links made up to the horizon."""
    if context.clusters is None:
        return np.zeros(len(context.outputs.row), np.bool_)
    before = context.horizon + 1
    outputs = context.clusters(context.script, before[context.outputs.owner])
    inputs = context.clusters(context.input_script, before[context.inputs.owner])
    return context.among_inputs(outputs, inputs)


def fresh(context: Context) -> Mask:
    """C7: its script first appears in this transaction."""
    return context.fresh


def one_time(context: Context) -> Mask:
    """C3: fresh and not paid again, every other output was seen before, and none returns to an input's script."""
    known = context.output_counts - context.count(context.fresh)
    alone = (known == context.output_counts - 1) & (context.count(context.returned) == 0)
    return context.not_again(context.fresh & alone[context.outputs.owner])


def shadow(context: Context) -> Mask:
    """C19: of two outputs the fresh one, the other having been seen before."""
    pair = (context.output_counts == 2) & (context.count(context.fresh) == 1)
    return np.asarray(context.fresh & pair[context.outputs.owner], np.bool_)
