"""Guards against collapse: what an inference may not join, and the inferences that are held for review instead.

One wrong change output joins two whole clusters, and a few wrong ones join everything. A guard never removes evidence:
a held edge stays listed with its reason and the sizes of both sides, and is released only by hand. L1 is never guarded
and takes no tags (METHODS.md 2.6; docs/methods/collapse-guard.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import overload

import numpy as np
import numpy.typing as npt

from cointrail.cluster.level.edges import EdgeRule, Edges
from cointrail.errors import UsageError

I64 = npt.NDArray[np.int64]

MOST_SCRIPTS = 1_000
"""Two clusters that both have more scripts than this are not joined by an inference (METHODS.md 2.6)."""


class Reason(StrEnum):
    """Which guard holds an edge, in the order of the kernel's codes."""

    SIZE = "size"
    BRIDGE = "bridge"
    PAYEE = "payee"
    CANNOT_LINK = "cannot_link"


REASONS = tuple(Reason)


@dataclass(frozen=True, slots=True)
class CannotLink:
    """Scripts that different actors are known to hold: plain arrays, since methods take no tags.

    Attributes:
        script_id: int64 (k,).
        actor: int64 (k,), a number for each actor, 0 or more.
        digest: of where they come from, hex; part of a view's provenance.
    """

    script_id: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    actor: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    digest: str = ""

    def __post_init__(self) -> None:
        if self.script_id.shape != self.actor.shape or self.script_id.ndim != 1:
            raise UsageError(
                f"cannot-link arrays of shapes {self.script_id.shape} and {self.actor.shape} do not fit together",
                hint="give one actor number for each script_id",
            )
        if len(self.actor) and int(self.actor.min()) < 0:
            raise UsageError(f"actor {int(self.actor.min())} is below zero", hint="number the actors from 0")
        if len(self.actor) and not self.digest:
            raise UsageError(
                "cannot-link arrays without a digest", hint="give the digest of the tags they were made from"
            )


@dataclass(frozen=True, slots=True)
class Guards:
    """Parameters of the guards.

    Attributes:
        size: two clusters with more scripts than this are not joined; None switches size and bridge guard off.
        bridge: hold a single transaction that alone holds together two parts with more scripts than `size`.
        payee: keep the clusters of who pays and of who is paid apart.
        cannot_link: scripts of known different actors.
    """

    size: int | None = MOST_SCRIPTS
    bridge: bool = True
    payee: bool = True
    cannot_link: CannotLink = field(default_factory=CannotLink)

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise UsageError(f"a size guard of {self.size} scripts would hold everything", hint="give 1 or more")

    def parameters(self) -> dict[str, int | bool | str | None]:
        """What a view depends on beside snapshot and edges, for provenance."""
        digest = self.cannot_link.digest
        return {"size": self.size, "bridge": self.bridge, "payee": self.payee, "cannot_link": digest}


OFF = Guards(size=None, bridge=False, payee=False)
"""No guard at all, to show what they prevent."""


@dataclass(frozen=True, slots=True)
class Held:
    """An edge that a guard holds for review.

    Attributes:
        edge: its row in the view's edges.
        decided_at, tx_index, script_a, script_b, rule: of the edge.
        reason: the guard.
        root_a, root_b: level roots of both sides in the finished view; the same if other edges joined them after all.
        size_a, size_b: scripts on both sides when it was held; for a bridge, of the parts it alone holds together.
    """

    edge: int
    decided_at: int
    tx_index: int
    script_a: int
    script_b: int
    rule: str
    reason: Reason
    root_a: int
    root_b: int
    size_a: int
    size_b: int

    @property
    def joined_otherwise(self) -> bool:
        """True if both sides came together by other edges."""
        return self.root_a == self.root_b


class HeldEdges(Sequence[Held]):
    """All held edges of a view in the order of its edges; each is made when it is asked for.

    Args:
        edges: of the view.
        row: int64 (h,), the held ones.
        reason: uint8 (h,), the kernel's codes.
        roots: int64 (2, h); sizes: int64 (2, h), of both sides.
    """

    def __init__(self, edges: Edges, row: I64, reason: npt.NDArray[np.uint8], roots: I64, sizes: I64) -> None:
        self.edges, self.row, self.reason, self.roots, self.sizes = edges, row, reason, roots, sizes

    def __len__(self) -> int:
        return len(self.row)

    @overload
    def __getitem__(self, at: int) -> Held: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Held, ...]: ...

    def __getitem__(self, at: int | slice) -> Held | tuple[Held, ...]:
        if isinstance(at, slice):
            return tuple(self._held(k) for k in range(*at.indices(len(self))))
        return self._held(range(len(self))[at])

    def _held(self, k: int) -> Held:
        edge, edges = int(self.row[k]), self.edges
        root_a, root_b = self.roots[:, k].tolist()
        size_a, size_b = self.sizes[:, k].tolist()
        return Held(
            edge=edge,
            decided_at=int(edges.decided_at[edge]),
            tx_index=int(edges.tx_index[edge]),
            script_a=int(edges.script_a[edge]),
            script_b=int(edges.script_b[edge]),
            rule=EdgeRule(int(edges.rule[edge])).rule,
            reason=REASONS[int(self.reason[k]) - 1],
            root_a=root_a,
            root_b=root_b,
            size_a=size_a,
            size_b=size_b,
        )

    def counts(self) -> dict[Reason, int]:
        """How many edges each guard holds."""
        found = np.bincount(self.reason, minlength=len(REASONS) + 1).tolist()
        return dict(zip(REASONS, found[1:], strict=True))
