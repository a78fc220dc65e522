"""Several policies over one question, side by side: how far the answer depends on the convention."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.trace.flow import Flow

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Outputs at which at least one of the flows ended.

    Attributes:
        output: int64 (n,), by the most that any flow says, greatest first, then ascending.
        part: int64 (flows, n), number of the part that ended there in each flow, -1 where it did not arrive.
        sat: int64 (flows, n), traced satoshis; a seed that is reached again counts with both its parts.
        spread: int64 (n,), greatest minus least of the flows that conserve.
    """

    output: I64
    part: I64
    sat: I64
    spread: I64


def side_by_side(flows: Sequence[Flow]) -> Table:
    """Put the endpoints of flows of the same seeds into one table; virtual outputs are left to the sums."""
    ended = [flow.ended[flow.output[flow.ended] >= 0] for flow in flows]
    output = np.unique(np.concatenate([flow.output[rows] for flow, rows in zip(flows, ended, strict=True)]))
    part = np.full((len(flows), len(output)), -1, np.int64)
    sat = np.zeros((len(flows), len(output)), np.int64)
    for number, (flow, rows) in enumerate(zip(flows, ended, strict=True)):
        at = np.searchsorted(output, flow.output[rows])
        part[number, at[::-1]] = rows[::-1]
        np.add.at(sat[number], at, flow.sat[rows])
    counted = sat[[flow.asked.policy.conserves for flow in flows]]
    spread = counted.max(axis=0) - counted.min(axis=0) if len(counted) else np.zeros(len(output), np.int64)
    order = np.lexsort((output, -sat.max(axis=0)))
    return Table(output[order], part[:, order], sat[:, order], spread[order])
