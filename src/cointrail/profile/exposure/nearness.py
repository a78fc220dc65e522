"""What of a flow's endings is direct: came by a transaction that takes the wallet's own outputs, and because it does.

A transaction may take an output of the wallet and, beside it, money that left the wallet before (sent), or pay the
wallet and somebody who pays it later (received). What it gives is taken from all that arrived in proportion, one group
of endings after the other out of what is left, by largest remainder; the wallet's outputs are the direct part.
Method: docs/methods/exposure.md; O(parts), and O(arriving x groups) in such transactions.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.trace.flow import Flow

I64 = npt.NDArray[np.int64]

DIRECT_HOPS: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class Nearness:
    """Of some endings.

    Attributes:
        direct_sat: int64 (n,), what of each is direct.
        far_hops: int64 (n,), fewest transactions between the wallet and the rest of it.
    """

    direct_sat: I64
    far_hops: I64


def nearness(flow: Flow, part: I64, group: I64) -> Nearness:
    """What is direct.

    Args:
        flow: a walk by haircut.
        part: int64 (n,), parts that ended, and were made by a step.
        group: int64 (n,), of each; groups are served in ascending order, within one the parts in the order given.
    """
    step, steps, seeds = flow.maker[part], len(flow.tx), int(flow.first_part[0])
    taken = flow.next_step >= 0
    own = np.arange(len(flow.sat)) < seeds
    of_wallet = np.bincount(flow.next_step[taken & own], minlength=steps) > 0
    hops = np.full(steps, np.iinfo(np.int64).max // 2)
    others = taken & ~own
    np.minimum.at(hops, flow.next_step[others], flow.hops[others].astype(np.int64))
    of_others = np.bincount(flow.next_step[others], minlength=steps) > 0
    direct = np.where(of_wallet[step], flow.sat[part], 0)
    mixed = np.flatnonzero((of_wallet & of_others)[step])
    if len(mixed):
        _tell_apart(flow, step, mixed, group, direct)
    return Nearness(direct, hops[step] + 1)


def _tell_apart(flow: Flow, step: I64, mixed: I64, group: I64, direct: I64) -> None:
    """Write the direct satoshis of endings of steps that took both."""
    from cointrail.kernels.profile.nearness import tell_apart

    arrived = np.argsort(flow.next_step, kind="stable")
    begins = np.searchsorted(flow.next_step[arrived], np.arange(len(flow.tx) + 1))
    endings = mixed[np.lexsort((mixed, group[mixed], step[mixed]))]
    tell_apart(endings, step, group, arrived, begins, flow.sat, int(flow.first_part[0]), direct)
