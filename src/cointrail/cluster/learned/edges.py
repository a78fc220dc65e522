"""The outputs that a learned model names as change, as edges of level L3.

An edge names the likelier output of a transaction if it is spent and its probability reaches the threshold.
Collaborative transactions name none, listed ones included. These are leads: the model was trained on an imitation, or
on labels that the chain gave of itself (METHODS.md 2.4; docs/methods/change-model.md).
"""

import numpy as np

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.kinds import VETO
from cointrail.cluster.learned.features import Pairs, pairs_of
from cointrail.cluster.learned.model import Model, named_from
from cointrail.cluster.level.edges import EdgeRule, Edges
from cointrail.ledger.reader import Reader

BASIS_POINTS = 10_000


def model_edges(reader: Reader, forest: Forest, model: Model, tau: float | None = None) -> Edges:
    """Ask a model about every transaction of a snapshot.

    Args:
        reader: the ledger at a snapshot.
        forest: L1 at the same snapshot.
        model: the model.
        tau: least probability; the model's own if not given.

    Returns:
        Edges of rule `change_model`; `detail` is the probability in basis points, rounded down.

    Method: METHODS.md 2.4.
    """
    least = model.tau if tau is None else tau
    return Edges.together(_edges(forest, pairs, model, least) for pairs in pairs_of(reader))


def _edges(forest: Forest, pairs: Pairs, model: Model, least: float) -> Edges:
    free = forest.signs(pairs.tx_index) & np.uint32(VETO) == 0
    named = named_from(model.predict(pairs.values)).reshape(-1, 2)
    item, which = np.nonzero((named >= least) & (named > 0) & pairs.spent & free[:, None])
    return Edges.of(
        pairs.decided_at[item],
        pairs.tx_index[item],
        pairs.script_a[item],
        pairs.script[item, which],
        EdgeRule.CHANGE_MODEL,
        np.floor(named[item, which] * BASIS_POINTS),
    )
