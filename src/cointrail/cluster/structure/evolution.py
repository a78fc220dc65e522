"""How a cluster grew: every transaction that joined several clusters into one, and the cluster_ids that ended there.

A cluster_id is the smallest script_id inside, so a merge keeps the older one and ends all others; what is bound to an
ended id can be found again through the transaction that ended it. Read from the merge log, at level L1.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Evolution:
    """The steps in which one cluster came together.

    Attributes:
        tx_index: int64 (s,), the transaction of each step, ascending.
        kept: int64 (s,), the cluster_id that goes on, a script_id.
        before, after: int64 (s,), scripts of the cluster that goes on, before and after.
        parts: int64 (s,), clusters that were joined, the one that goes on among them.
        largest: int64 (s,), scripts of the largest part that did not give its id.
        ended: int64 (e,), cluster_ids that ended; ended_size, ended_step: their scripts, and the step that ended each.
    """

    tx_index: I64
    kept: I64
    before: I64
    after: I64
    parts: I64
    largest: I64
    ended: I64
    ended_size: I64
    ended_step: I64

    def line(self, cluster_id: int) -> I64:
        """The steps of the cluster with one id, in order of time: its size after each is its size before the next."""
        return np.flatnonzero(self.kept == cluster_id)

    def aliases(self) -> I64:
        """Places in `ended` of the ids of clusters of two scripts and more, largest first, then oldest."""
        several = np.flatnonzero(self.ended_size > 1)
        return several[np.lexsort((self.ended[several], -self.ended_size[several]))]


def evolution(forest: Forest, scripts: I64, hung_by: I64) -> Evolution:
    """Read the steps of a cluster from the merge log.

    Args:
        forest: of the snapshot.
        scripts: int64 (n,), all its members, ascending.
        hung_by: int64, the merges that hung them, in any order, -1 for the root; as `Forest.members` gives them.

    Method: METHODS.md 1.2; a stable id as in the glossary.
    """
    from cointrail.kernels.cluster.absorption import steps_of_merges

    merges = np.sort(hung_by[hung_by >= 0])
    cells = {name: forest.reader.column("merge", name)[merges].astype(np.int64) for name in _COLUMNS}
    child, parent = (np.searchsorted(scripts, cells[name]) for name in ("child", "parent"))
    step_tx, step, oldest, size = steps_of_merges(
        cells["tx_index"], child, parent, cells["child_size"], cells["parent_size"], len(scripts)
    )
    order = np.lexsort((oldest, step))
    step, oldest, size = step[order], oldest[order], size[order]
    first = np.searchsorted(step, np.arange(len(step_tx)))
    goes_on = np.zeros(len(step), np.bool_)
    goes_on[first] = True
    largest = np.zeros(len(step_tx), np.int64)
    np.maximum.at(largest, step[~goes_on], size[~goes_on])
    return Evolution(
        tx_index=step_tx,
        kept=scripts[oldest[first]],
        before=size[first],
        after=np.bincount(step, weights=size, minlength=len(step_tx)).astype(np.int64),
        parts=np.bincount(step, minlength=len(step_tx)),
        largest=largest,
        ended=scripts[oldest[~goes_on]],
        ended_size=size[~goes_on],
        ended_step=step[~goes_on],
    )


_COLUMNS = ("tx_index", "child", "parent", "child_size", "parent_size")
