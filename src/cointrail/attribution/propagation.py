"""From an address to its cluster: when a tag speaks for both, and what happens when tags disagree.

A tag of an address holds for its L1 cluster only if it defines clusters and its confidence is at least `service_data`.
If such tags of one cluster name different actors, the cluster is mixed and inherits nothing: it may be two services, or
one under two names, and neither is decided here. What is inherited is an inference that rests on an assertion.

Method: METHODS.md 7.4; docs/methods/attribution.md.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.attribution.claims import Stated
from cointrail.attribution.confidence import SPEAKS_FOR_CLUSTERS

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

RULE: Final = ("tag_propagation", 2)


def speaks_for_cluster(stated: Stated) -> bool:
    """Whether a statement about an address holds for its L1 cluster; the asker's own does unless it says otherwise."""
    definer = stated.statement.is_cluster_definer
    if stated.own:
        return definer is not False
    return definer is True and stated.level >= SPEAKS_FOR_CLUSTERS


def inherited(roots: I64, actors: I64) -> tuple[I64, I64, I64]:
    """What clusters inherit from tags that speak for them.

    Args:
        roots: int64 (n,), cluster of each tag.
        actors: int64 (n,), number of whom it names.

    Returns:
        (roots, their actor, mixed roots), int64, roots ascending and each once.
    """
    pairs = np.unique(np.stack([roots, actors]), axis=1)
    distinct, counts = np.unique(pairs[0], return_counts=True)
    clear = np.isin(pairs[0], distinct[counts == 1])
    return pairs[0][clear], pairs[1][clear], distinct[counts > 1]
