"""Where a trace begins: outputs with a label each, so that several sources can be told apart to the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from cointrail.errors import NotFound, UsageError
from cointrail.ledger.rows import Rows

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]


class Collision(StrEnum):
    """What holds when an output is given with two labels: coins reported stolen twice (METHODS.md 4.4)."""

    FIRST = "first"
    """The label that was given first."""
    BOTH = "both"
    """A label of its own that names both."""


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """Outputs to trace.

    Attributes:
        outputs: int64 (s,), output_index, ascending, each once.
        labels: uint32 (s,), number of each one's label.
        names: of the labels.
    """

    outputs: I64
    labels: U32
    names: tuple[str, ...]

    @classmethod
    def of(cls, outputs: npt.ArrayLike, name: str = "") -> Self:
        """Outputs under one label; repeated ones count once."""
        distinct = np.unique(np.asarray(outputs, np.int64))
        return cls(distinct, np.zeros(len(distinct), np.uint32), (name,))

    @classmethod
    def labelled(
        cls,
        outputs: npt.ArrayLike,
        labels: npt.ArrayLike,
        names: Sequence[str],
        collision: Collision = Collision.FIRST,
    ) -> Self:
        """Outputs with the number of a label each, in the order in which they were given."""
        given, numbers = np.asarray(outputs, np.int64), np.asarray(labels, np.uint32)
        if collision is Collision.FIRST:
            distinct, first = np.unique(given, return_index=True)
            return cls(distinct, numbers[first], tuple(names))
        order = np.lexsort((numbers, given))
        pairs = np.stack([given[order], numbers[order].astype(np.int64)])
        kept = np.ones(len(order), np.bool_)
        kept[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
        pairs = pairs[:, kept]
        distinct, first, counts = np.unique(pairs[0], return_index=True, return_counts=True)
        chosen, all_names = pairs[1][first].astype(np.uint32), list(names)
        known: dict[tuple[int, ...], int] = {}
        for place in np.flatnonzero(counts > 1).tolist():
            several = tuple(pairs[1][first[place] : first[place] + counts[place]].tolist())
            if several not in known:
                known[several] = len(all_names)
                all_names.append(" + ".join(names[number] for number in several))
            chosen[place] = known[several]
        return cls(distinct, chosen, tuple(all_names))

    @classmethod
    def by_name(cls, given: Mapping[str, npt.ArrayLike], collision: Collision = Collision.FIRST) -> Self:
        """Outputs by the name of their label."""
        arrays = [np.asarray(each, np.int64).reshape(-1) for each in given.values()]
        numbers = np.repeat(np.arange(len(arrays)), [len(each) for each in arrays])
        joined = np.concatenate(arrays) if arrays else np.empty(0, np.int64)
        return cls.labelled(joined, numbers, tuple(given), collision)

    def values(self, rows: Rows) -> I64:
        """What each holds in satoshi, int64 (s,).

        Raises:
            NotFound: one is not in the snapshot.
            UsageError: there is none.
        """
        if not len(self.outputs):
            raise UsageError("there is nothing to trace", hint="give at least one output, transaction or address")
        outside = self.outputs[(self.outputs < 0) | (self.outputs >= rows.counts.output)]
        if len(outside):
            raise NotFound(
                f"output {outside[0]} is not in this snapshot", hint=f"it holds {rows.counts.output} outputs"
            )
        values: I64 = np.asarray(rows.column("output", "value_sat")[self.outputs], np.int64)
        return values
