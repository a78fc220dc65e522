"""Every L1 cluster of a snapshot that behaves like a service, by the score of `service_like`.

Whoever did too little to be asked about is told by counts, before anything is scored; the rest are scored some at a
time, since each is judged by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.spans import inputs_of_many, output_counts
from cointrail.errors import Interrupted
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.profile.roles.behaviour import behaviour
from cointrail.profile.roles.service_like import (
    LEAST_PAYEES,
    LEAST_TRANSACTIONS,
    Likeness,
    ServiceModel,
    is_enough,
    judge,
)
from cointrail.trace.walk import Watch

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

MOST_SCRIPTS: Final = 1 << 18
"""Scripts that are scored at once, but for a single cluster of more."""

_PORTION: Final = 1 << 20  # transactions or outputs that are counted at once


@dataclass(frozen=True, slots=True, eq=False)
class ServiceClusters:
    """Clusters that behave like services.

    Attributes:
        asked: how many clusters did enough to be asked about.
        roots: int64 (n,), ascending.
        firsts: int64 (n,), the smallest script_id of each.
        probability_ppm: int64 (n,), millionths.
    """

    asked: int
    roots: I64
    firsts: I64
    probability_ppm: I64


def service_clusters(
    reader: Reader,
    forest: Forest,
    model: ServiceModel | None = None,
    *,
    watch: Watch = lambda _scored, _waiting: False,
) -> ServiceClusters:
    """Find them. Holds twelve bytes for each script of the snapshot.

    Args:
        reader: the ledger at a snapshot.
        forest: its clusters.
        model: weights; those of the package if not given.
        watch: told how many clusters were scored and how many wait; may stop it.

    Raises:
        Interrupted: it was stopped; half of the services would be no answer.
        Unavailable: the ledger is damaged.

    Method: METHODS.md 6.3, 7.2; docs/methods/service-like.md.
    """
    roots = forest.all_roots()
    busy = busy_clusters(reader, roots)
    inside = np.zeros(len(roots), np.bool_)
    inside[busy] = True
    scripts = np.flatnonzero(inside[roots])
    scripts = scripts[np.argsort(roots[scripts], kind="stable")]
    asked, scored = 0, 0
    empty = np.empty(0, np.int64)
    found = [(empty, empty)]
    for part in _parts(roots[scripts]):
        if watch(scored, len(busy) - scored):
            raise Interrupted(
                "stopped while clusters were scored", hint="run it again, or leave out --service-like; nothing is kept"
            )
        said = judge(behaviour(reader, np.sort(scripts[part]), forest.roots), model)
        asked, scored = asked + int(is_enough(said.behaviour).sum()), scored + len(said.behaviour)
        like = said.likeness == list(Likeness).index(Likeness.LIKE)
        found.append((said.behaviour.units[like], said.probability_ppm[like]))
    found_roots, probability = (np.concatenate(columns) for columns in zip(*found, strict=True))
    firsts = scripts[np.searchsorted(roots[scripts], found_roots)]
    return ServiceClusters(asked, found_roots, firsts, probability)


def busy_clusters(reader: Reader, roots: U32) -> I64:
    """Roots of clusters that may have done enough to be asked about: none that did is missing. int64, ascending.

    A cluster is in no more transactions than it received outputs and was spent by transactions, and pays no more
    payees than these have outputs.

    Args:
        reader: the ledger at a snapshot.
        roots: uint32 (scripts,), the root of each script.
    """
    script = reader.column("output", "script")
    transactions, payees = (np.zeros(len(roots), np.uint32) for _ in range(2))
    for first in range(0, reader.counts.output, _PORTION):
        np.add.at(transactions, roots[script[first : first + _PORTION]].astype(np.int64), np.uint32(1))
    for first in range(0, reader.counts.transaction, _PORTION):
        spends = np.arange(first, min(first + _PORTION, reader.counts.transaction))
        owner, row = inputs_of_many(reader, spends)
        spent = np.asarray(reader.column("input", "output")[row], np.int64)
        real = spent != NONE
        owner, root = owner[real], roots[script[spent[real]]].astype(np.int64)
        # Inputs of one transaction that follow each other in one cluster count once.
        new = np.append(True, (owner[1:] != owner[:-1]) | (root[1:] != root[:-1]))[: len(owner)]
        np.add.at(transactions, root[new], np.uint32(1))
        np.add.at(payees, root[new], output_counts(reader, spends)[owner[new]].astype(np.uint32))
    return np.flatnonzero((transactions >= LEAST_TRANSACTIONS) & (payees >= LEAST_PAYEES))


def _parts(roots: U32) -> Iterator[slice]:
    """Whole clusters, `MOST_SCRIPTS` scripts at a time, given the root of each script, ascending."""
    begins = np.flatnonzero(np.append(True, roots[1:] != roots[:-1])[: len(roots)])
    ends = np.append(begins[1:], len(roots))
    first = 0
    while first < len(begins):
        after = max(int(np.searchsorted(ends, begins[first] + MOST_SCRIPTS, "right")), first + 1)
        yield slice(int(begins[first]), int(ends[after - 1]))
        first = after
