"""Inferences that join two L1 clusters: parallel arrays in the order in which they could first be made.

An edge says that two scripts are under common control, and names the transaction it is about, the last transaction it
read and the rule. Edges are evidence, not links: what they join is decided by `cluster.level.view` under guards.
Assumes rows that lie inside the snapshot (METHODS.md 1.2).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.script import ScriptType
from cointrail.ledger.rows import PAYLOAD_TYPES, Rows

I64 = npt.NDArray[np.int64]


class EdgeRule(IntEnum):
    """What an edge rests on, as stored in `Edges.rule`."""

    CHANGE_VOTE = 1
    CHANGE_MODEL = 2
    CONTINUATION = 3
    BY_HAND = 9

    @property
    def rule(self) -> str:
        """Name of the rule."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Inferences between scripts, all arrays (e,), by (decided_at, tx_index, rule, script_a, script_b).

    Attributes:
        decided_at: int64, greatest tx_index that was read; 0 for an assertion by hand that holds at every snapshot.
        tx_index: int64, the transaction it is about; -1 if it is about none.
        script_a: int64, for a change the smallest script among the inputs.
        script_b: int64, for a change the script of the change output.
        rule: uint8, `EdgeRule`.
        detail: uint32, the bits of the rules that voted, or basis points of probability.
    """

    decided_at: I64
    tx_index: I64
    script_a: I64
    script_b: I64
    rule: npt.NDArray[np.uint8]
    detail: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.tx_index)

    @classmethod
    def of(
        cls,
        decided_at: npt.ArrayLike,
        tx_index: npt.ArrayLike,
        script_a: npt.ArrayLike,
        script_b: npt.ArrayLike,
        rule: npt.ArrayLike,
        detail: npt.ArrayLike = 0,
    ) -> Self:
        """Edges of columns in any order; a single number stands for all rows."""
        columns = [np.asarray(each, np.int64) for each in (decided_at, tx_index, script_a, script_b)]
        columns += [np.asarray(rule, np.uint8), np.asarray(detail, np.uint32)]
        decided, about, one, two, code, more = (np.atleast_1d(each) for each in np.broadcast_arrays(*columns))
        keys = (decided, about, code, one, two, more)
        if not _ascending(decided, about, code):
            order = np.lexsort(keys[::-1])
            decided, about, code, one, two, more = (each[order] for each in keys)
        ordered: list[Any] = [np.ascontiguousarray(each) for each in (decided, about, one, two, code, more)]
        return cls(*ordered)

    @classmethod
    def together(cls, parts: "Iterable[Edges]") -> Self:
        """The edges of several sources in one order."""
        listed = list(parts)
        names = ("decided_at", "tx_index", "script_a", "script_b", "rule", "detail")
        if not listed:
            return cls.of([], [], [], [], [])
        decided, about, one, two, code, more = (
            np.concatenate([getattr(part, name) for part in listed]) for name in names
        )
        return cls.of(decided, about, one, two, code, more)

    def where(self, chosen: npt.NDArray[Any]) -> "Edges":
        """Some of the edges: a mask, or positions in ascending order."""
        decided, about, one, two = (
            each[chosen] for each in (self.decided_at, self.tx_index, self.script_a, self.script_b)
        )
        return Edges(decided, about, one, two, self.rule[chosen], self.detail[chosen])


def _ascending(decided_at: I64, tx_index: I64, rule: npt.NDArray[np.uint8]) -> bool:
    """True if no two neighbours are out of order or alike in what orders them first."""
    if len(decided_at) < 2:
        return True
    later = decided_at[1:] > decided_at[:-1]
    same = decided_at[1:] == decided_at[:-1]
    later |= same & (tx_index[1:] > tx_index[:-1])
    same &= tx_index[1:] == tx_index[:-1]
    later |= same & (rule[1:] > rule[:-1])
    return bool(later.all())


def stored_changes(rows: Rows) -> Edges:
    """The change outputs that the vote of the families accepted, as far as the snapshot reads.

    Method: METHODS.md 2.3; docs/methods/change-vote.md.
    """
    names = ("decided_at", "tx_index", "script_a", "script_b", "votes")
    decided, about, one, two, votes = (rows.column("change", name) for name in names)
    return Edges.of(decided, about, one, two, EdgeRule.CHANGE_VOTE, votes)


def payees_of(rows: Rows, edges: Edges) -> I64:
    """The script that the other output of each edge's transaction pays, int64 (e,).

    -1 where that does not say who was paid: the transaction has not exactly two spendable outputs, none of them pays
    `script_b`, or both do.

    Method: METHODS.md 2.6, cannot-link.
    """
    from cointrail.kernels.cluster import level as kernel

    if not len(edges):
        return np.empty(0, np.int64)
    first = np.append(rows.column("transaction", "first_output"), rows.counts.output).astype(np.int64)
    found: I64 = kernel.payees(
        edges.tx_index, edges.script_b, first, rows.column("output", "script"), _unspendable(rows)
    )
    return found


def _unspendable(rows: Rows) -> npt.NDArray[np.bool_]:
    """Scripts that can never be spent, by script_id; payloads are read only of those that may be."""
    types = rows.column("script", "type")
    unspendable = types == ScriptType.OP_RETURN
    scarce = np.ones(256, np.bool_)
    scarce[[int(each) for each in (*PAYLOAD_TYPES, ScriptType.OP_RETURN)]] = False
    asked = np.flatnonzero(scarce[types])
    unspendable[asked] = rows.unspendable_scripts(asked)
    return np.asarray(unspendable, np.bool_)
