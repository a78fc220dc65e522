"""One pass of inferences over L1 clusters under the guards, and the bridges that are taken back after it.

Edges of level L2 come first, so that level L3 can only join more: what L2 accepted is settled when the leads of L3 are
judged (METHODS.md 2.6, order). Within a level the order is that of the edges, so the result depends neither on batches
nor on how the edges were collected.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.level.edges import EdgeRule
from cointrail.cluster.level.guard import Guards

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

LEADS = (EdgeRule.CHANGE_MODEL, EdgeRule.CONTINUATION)
"""Rules of level L3 only."""

UNLIMITED = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Edges between numbered L1 clusters.

    Attributes:
        a, b: int64 (e,), ends; payee: int64 (e,), who is paid beside, -1 for nobody.
        tx_index: int64 (e,), -1 for none; rule: uint8 (e,).
        weight: int64 (n,), scripts of each node; actor: int64 (n,), known holder or NOBODY or SEVERAL of
            `kernels.cluster.level`.
    """

    a: I64
    b: I64
    payee: I64
    tx_index: I64
    rule: U8
    weight: I64
    actor: I64


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of each edge.

    Attributes:
        reason: uint8 (e,), 0 for an accepted edge, otherwise the guard, as `kernels.cluster.level` numbers them.
        size_a, size_b: int64 (e,), scripts on both sides of a held edge, 0 for others.
        component: int64 (n,), smallest node of each node's cluster.
    """

    reason: U8
    size_a: I64
    size_b: I64
    component: I64


def join_under_guards(graph: Graph, guards: Guards) -> Outcome:
    """Join what the edges join, but for those that a guard holds.

    Method: METHODS.md 2.6, rules 1 to 4.
    """
    from cointrail.kernels.cluster import level as kernel
    from cointrail.kernels.cluster.bridges import components

    edges = len(graph.a)
    sizes = np.zeros((2, edges), np.int64)
    found = Outcome(np.zeros(edges, np.uint8), sizes[0], sizes[1], np.empty(0, np.int64))
    trust = np.full(edges, kernel.JUDGED, np.uint8)
    trust[graph.rule == EdgeRule.BY_HAND] = kernel.REVIEWED
    lead = np.isin(graph.rule, [int(rule) for rule in LEADS])
    first = np.flatnonzero(~lead)
    _judge(graph, first, trust, guards, found)
    if lead.any():
        settled = first[found.reason[first] == kernel.ACCEPTED]
        trust[settled] = kernel.SETTLED
        _judge(graph, np.append(settled, np.flatnonzero(lead)), trust, guards, found)
    accepted = found.reason == kernel.ACCEPTED
    component = components(len(graph.weight), graph.a[accepted], graph.b[accepted])
    return Outcome(found.reason, found.size_a, found.size_b, component)


def _judge(graph: Graph, rows: I64, trust: U8, guards: Guards, found: Outcome) -> None:
    """Judge some edges, in the order of `rows`, and write into `found`."""
    from cointrail.kernels.cluster import level as kernel

    a, b, trusted = graph.a[rows], graph.b[rows], trust[rows]
    payee = graph.payee[rows] if guards.payee else np.full(len(rows), -1, np.int64)
    reason, sizes = np.zeros(len(rows), np.uint8), np.zeros((2, len(rows)), np.int64)
    most = UNLIMITED if guards.size is None else guards.size
    kernel.join(a, b, payee, trusted, graph.weight.copy(), graph.actor.copy(), most, reason, *sizes)
    if guards.bridge and guards.size is not None:
        kept = np.flatnonzero((reason == kernel.ACCEPTED) & (a != b))
        judged = trusted[kept] == kernel.JUDGED
        hold, size_a, size_b = _bridges(a[kept], b[kept], graph.tx_index[rows[kept]], judged, graph.weight, most)
        held = kept[hold]
        reason[held] = kernel.BRIDGE
        sizes[0, held], sizes[1, held] = size_a, size_b
    found.reason[rows], found.size_a[rows], found.size_b[rows] = reason, sizes[0], sizes[1]


def _bridges(a: I64, b: I64, tx_index: I64, judged: Mask, weight: I64, most: int) -> tuple[I64, I64, I64]:
    """Accepted edges of one transaction that alone hold together two parts with more than `most` scripts.

    Returns:
        (positions of the edges, scripts on the side of `a`, scripts on the side of `b`), int64.
    """
    from cointrail.kernels.cluster.bridges import components, cut_edges

    nodes = len(weight)
    component = components(nodes, a, b)
    total = np.zeros(nodes, np.int64)
    np.add.at(total, component, weight)
    total = total[component]
    large = np.flatnonzero(total[a] > 2 * most)  # in a smaller cluster no bridge can be held
    if not len(large):
        return large, large, large
    low, high = np.minimum(a, b)[large], np.maximum(a, b)[large]
    group = _same_transaction(tx_index[large], low, high)
    first = group == np.arange(len(group))
    one = np.flatnonzero(first)
    is_bridge, far = cut_edges(nodes, low[one], high[one], weight)
    near = total[low[one]] - far
    hold = is_bridge & (far > most) & (near > most)
    exempt = np.zeros(len(group), np.bool_)
    exempt[group[~judged[large]]] = True
    hold &= ~exempt[one]
    at = np.cumsum(first)[group] - 1
    chosen = np.flatnonzero(hold[at])
    edge, at = large[chosen], at[chosen]
    turned = a[edge] == high[chosen]
    return edge, np.where(turned, far[at], near[at]), np.where(turned, near[at], far[at])


def _same_transaction(tx_index: I64, low: I64, high: I64) -> I64:
    """For each edge the first edge between the same nodes that rests on the same transaction, int64 positions.

    Two rules, or two decisions about one transaction, are no two supports.
    """
    group = np.arange(len(low))
    named = tx_index >= 0
    several = named.copy()
    several[named] = np.bincount(tx_index[named])[tx_index[named]] > 1
    asked = np.flatnonzero(several)
    asked = asked[np.lexsort((asked, high[asked], low[asked], tx_index[asked]))]
    new = np.ones(len(asked), np.bool_)
    for column in (tx_index, low, high):
        new[1:] &= column[asked[1:]] == column[asked[:-1]]
    new[1:] = ~new[1:]
    group[asked] = asked[np.maximum.accumulate(np.where(new, np.arange(len(asked)), 0))]
    return group
