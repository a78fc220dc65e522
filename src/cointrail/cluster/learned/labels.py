"""Labels that a chain gives of itself: an output that a later transaction ties to the inputs' cluster was change.

A transaction of two outputs is labelled if exactly one of their scripts lies in the inputs' L1 cluster at the snapshot
and neither did when the transaction was made: so another transaction, a later one, proved it (METHODS.md 10.3). Wallets
that never spend change together with other coins are never labelled, so self-labels are not a fair sample.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.learned.features import Pairs

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SelfLabels:
    """Labels of some pairs.

    Attributes:
        labelled: bool (n,), transactions that have a label.
        change: bool (n, 2), the output that was tied to the inputs; False where there is no label.
        entity: int64 (n,), root of the inputs' cluster at the snapshot: who pays, as far as the chain tells.
    """

    labelled: npt.NDArray[np.bool_]
    change: npt.NDArray[np.bool_]
    entity: I64


def self_labels(forest: Forest, pairs: Pairs) -> SelfLabels:
    """Label transactions by what became of their outputs.

    Args:
        forest: L1 at the snapshot.
        pairs: transactions of two outputs, inside the snapshot, none of which pays a script it spends.

    Method: METHODS.md 10.3, after Moeser and Narayanan 2022.
    """
    after = np.repeat(pairs.tx_index + 1, 2)
    scripts = pairs.script.reshape(-1)
    then = forest.roots(scripts, after).reshape(-1, 2) == forest.roots(pairs.script_a, pairs.tx_index + 1)[:, None]
    entity = forest.roots(pairs.script_a)
    now = forest.roots(scripts).reshape(-1, 2) == entity[:, None]
    labelled = (now.sum(axis=1) == 1) & ~then.any(axis=1)
    return SelfLabels(np.asarray(labelled, np.bool_), now & labelled[:, None], entity)
