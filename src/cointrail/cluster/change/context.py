"""A batch of transactions as a change rule sees it: features of its outputs, computed once and when first asked.

Each item has a horizon, the last transaction it may read; rows of later ones do not exist for it, so that an answer "as
of then" never knows the future (METHODS.md 1.2). Rules look at eligible items only (METHODS.md 2.2, 3.5): no coinbase,
no collaborative transaction, no input to which anybody could add others, 2 to 10 spendable outputs, no dust, no
OP_RETURN (`eligible`).
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.cluster.change.eligible import eligible_outputs
from cointrail.cluster.fingerprint import U64, words_of
from cointrail.cluster.spans import I64, Span, inputs_of_many, outputs_of_many
from cointrail.ledger.reader import Reader
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

Mask = npt.NDArray[np.bool_]
Clusters = Callable[[I64, I64], I64]

_OF_OUTPUTS = ("value", "script", "script_type", "fresh", "returned", "spending", "spender", "spent")
_OF_INPUTS = ("spends", "input_script", "input_type", "input_value")


class Context:
    """A batch of transactions.

    Args:
        rows: a reader of the ledger.
        tx_index: int64 (n,), the items; one may come again with another horizon.
        horizon: int64 (n,), the greatest tx_index each item may read, not below its own; None for all of the snapshot.
        clusters: (scripts, before) -> roots of the scripts over links made before the given tx_index, all int64 (m,).
            Without it C2 keeps nothing.
        change_position: int64 (n,), the vout at which the program that made the item puts its change, -1 where that is
            not known. Without it C21 keeps nothing.

    Attributes:
        rows, tx_index, horizon, clusters, change_position: as given.
    """

    def __init__(
        self,
        rows: Rows,
        tx_index: I64,
        horizon: I64 | None = None,
        clusters: Clusters | None = None,
        change_position: I64 | None = None,
    ) -> None:
        self.rows = rows
        self.tx_index = np.ascontiguousarray(tx_index, np.int64)
        last = np.full(len(tx_index), rows.counts.transaction - 1, np.int64)
        self.horizon = last if horizon is None else np.minimum(np.asarray(horizon, np.int64), last)
        self.clusters = clusters
        self.change_position = change_position

    def __len__(self) -> int:
        return len(self.tx_index)

    def part(self, start: int, end: int) -> "Context":
        """The context of consecutive items, with nothing computed yet."""
        position = None if self.change_position is None else self.change_position[start:end]
        return Context(self.rows, self.tx_index[start:end], self.horizon[start:end], self.clusters, position)

    def narrowed(self, items: I64) -> "Context":
        """The context of some items: positions, int64, ascending. What is computed already is taken over."""
        position = None if self.change_position is None else self.change_position[items]
        narrow = Context(self.rows, self.tx_index[items], self.horizon[items], self.clusters, position)
        total, more = self._eligible
        known: dict[str, Any] = {"_eligible": (total[items], more[items])}
        place = np.full(len(self), NONE, np.int64)
        place[items] = np.arange(len(items))
        for span, features in (("outputs", _OF_OUTPUTS), ("inputs", _OF_INPUTS)):
            if span in self.__dict__:
                owner, row = self.__dict__[span]
                owner = place[owner]
                kept = np.flatnonzero(owner != NONE)
                known[span] = Span(owner[kept], row[kept])
                known |= {name: self.__dict__[name][kept] for name in features if name in self.__dict__}
        narrow.__dict__.update(known)
        return narrow

    # Which items, which outputs.

    @cached_property
    def _eligible(self) -> tuple[I64, Mask]:
        """Spendable outputs of each item, 0 if it is not eligible; True where it has other outputs too."""
        return eligible_outputs(self.rows, self.tx_index)

    @property
    def eligible(self) -> Mask:
        """Items that rules look at, bool (n,)."""
        return np.asarray(self._eligible[0] > 0, np.bool_)

    @property
    def output_counts(self) -> I64:
        """Spendable outputs of each item, int64 (n,), 0 if it is not eligible."""
        return self._eligible[0]

    @cached_property
    def outputs(self) -> Span:
        """Spendable outputs of the eligible items; masks of rules lie over these rows."""
        asked = np.flatnonzero(self.eligible)
        owner, row = outputs_of_many(self.rows, self.tx_index[asked])
        owner = asked[owner]
        doubtful = np.flatnonzero(self._eligible[1][owner])
        lost = doubtful[self.rows.unspendable_scripts(self.rows.column("output", "script")[row[doubtful]])]
        return Span(np.delete(owner, lost), np.delete(row, lost)) if len(lost) else Span(owner, row)

    @cached_property
    def inputs(self) -> Span:
        """Inputs of the eligible items."""
        asked = np.flatnonzero(self.eligible)
        owner, row = inputs_of_many(self.rows, self.tx_index[asked])
        return Span(asked[owner], row)

    def count(self, mask: Mask) -> I64:
        """How many outputs of each item a mask keeps, int64 (n,)."""
        if 2 * len(self) == len(mask) == 2 * np.count_nonzero(self.output_counts == 2):  # as in every vote; far faster
            return mask[::2].astype(np.int64) + mask[1::2]
        return np.bincount(self.outputs.owner[mask], minlength=len(self)).astype(np.int64)

    @cached_property
    def input_counts(self) -> I64:
        """Inputs of each item, int64 (n,), 0 if it is not eligible."""
        return np.bincount(self.inputs.owner, minlength=len(self)).astype(np.int64)

    # Outputs.

    @cached_property
    def value(self) -> I64:
        """Value of each output in sat, int64."""
        return np.asarray(self.rows.column("output", "value_sat")[self.outputs.row], np.int64)

    @cached_property
    def script(self) -> I64:
        """Script of each output, int64."""
        return self.rows.column("output", "script")[self.outputs.row].astype(np.int64)

    @cached_property
    def script_type(self) -> I64:
        """Type of each output's script, int64."""
        return self.rows.column("script", "type")[self.script].astype(np.int64)

    @cached_property
    def fresh(self) -> Mask:
        """Outputs whose script first appears in their transaction, bool."""
        before = self.rows.column("output", "previous_same_script")
        first = self.rows.output_bounds(self.tx_index)[0][self.outputs.owner]
        at = np.asarray(before[self.outputs.row], np.int64)
        same = np.flatnonzero(at >= first)  # the transaction pays the script twice: look before that
        while len(same):
            at[same] = before[at[same]]
            same = same[at[same] >= first[same]]
        return np.asarray(at == NONE, np.bool_)

    def not_again(self, kept: Mask) -> Mask:
        """Those outputs of a mask whose script no later transaction pays, as far as the horizon, bool."""
        from cointrail.kernels.signs.change import paid_again

        rows, asked = self.rows, np.flatnonzero(kept)
        owner, again = self.outputs.owner[asked], np.zeros(len(asked), np.bool_)
        paid_again(
            self.outputs.row[asked],
            newest_outputs(rows, self.script[asked]),
            rows.output_bounds(self.tx_index[owner])[1],
            rows.output_bounds(self.horizon[owner])[1],
            rows.column("output", "previous_same_script"),
            again,
        )
        left = kept.copy()
        left[asked[again]] = False
        return left

    def among_inputs(self, figure: I64, of_inputs: I64) -> Mask:
        """Outputs whose figure is among the figures of their transaction's inputs, bool."""
        from cointrail.kernels.signs.change import found_in_item

        found = np.empty(len(figure), np.bool_)
        found_in_item(self.outputs.owner, figure, self.inputs.owner, of_inputs, found)
        return found

    @cached_property
    def returned(self) -> Mask:
        """Outputs whose script the same transaction spends, bool."""
        return self.among_inputs(self.script, self.input_script)

    # Spenders.

    @cached_property
    def spending(self) -> I64:
        """The input that spends each output, int64, -1 where none does up to the horizon."""
        from cointrail.kernels.signs.change import spending_inputs

        owner, row = self.outputs
        spending = np.empty(len(row), np.int64)
        spending_inputs(
            row,
            self.horizon[owner],
            self.rows.column("output", "spender"),
            self.rows.column("input", "output"),
            self.rows.column("transaction", "first_input"),
            spending,
        )
        return spending

    @cached_property
    def spent(self) -> Mask:
        """Outputs that are spent within the horizon, bool."""
        return np.asarray(self.spending != NONE, np.bool_)

    @cached_property
    def spender(self) -> I64:
        """The transaction that spends each output, int64, -1 where none does up to the horizon."""
        from cointrail.kernels.signs.change import transactions_between

        owner = self.outputs.owner
        spender = np.empty(len(owner), np.int64)
        first_input = self.rows.column("transaction", "first_input")
        transactions_between(self.spending, self.tx_index[owner], self.horizon[owner], first_input, spender)
        return spender

    @cached_property
    def _words(self) -> tuple[U64, I64]:
        """Words and fee rates of the items and then of the spenders: many a spender is an item too."""
        return words_of(self.rows, np.concatenate((self.tx_index, self.spender[self.spent])))

    @property
    def own(self) -> tuple[U64, I64]:
        """Fingerprint word, uint64, and fee rate, int64, of each item (n,)."""
        words, feerates = self._words
        return words[: len(self)], feerates[: len(self)]

    @cached_property
    def next(self) -> tuple[U64, I64]:
        """Fingerprint word and fee rate of each output's spender; 0 and -1 where there is none."""
        words, feerates = np.zeros(len(self.spender), np.uint64), np.full(len(self.spender), NONE, np.int64)
        words[self.spent], feerates[self.spent] = (each[len(self) :] for each in self._words)
        return words, feerates

    # Inputs.

    @cached_property
    def spends(self) -> I64:
        """The output that each input spends, int64."""
        return np.asarray(self.rows.column("input", "output")[self.inputs.row], np.int64)

    @cached_property
    def input_script(self) -> I64:
        """Script that each input spends, int64."""
        return self.rows.column("output", "script")[self.spends].astype(np.int64)

    @cached_property
    def input_type(self) -> I64:
        """Type of the script that each input spends, int64."""
        return self.rows.column("script", "type")[self.input_script].astype(np.int64)

    @cached_property
    def input_value(self) -> I64:
        """Value that each input spends, int64."""
        return np.asarray(self.rows.column("output", "value_sat")[self.spends], np.int64)

    @cached_property
    def _first_inputs(self) -> I64:
        """Where the inputs of each item begin in `inputs`."""
        owner = self.inputs.owner
        return np.flatnonzero(np.append(len(owner) > 0, owner[1:] != owner[:-1]))

    def least_of_inputs(self, figure: I64) -> I64:
        """The smallest figure among each item's inputs, int64 (n,); 0 if it is not eligible."""
        least = np.zeros(len(self), np.int64)
        starts = self._first_inputs
        if len(starts):
            least[self.inputs.owner[starts]] = np.minimum.reduceat(figure, starts)
        return least


def newest_outputs(rows: Rows, scripts: I64) -> I64:
    """The newest output of each script within the snapshot, int64."""
    newest = np.array(rows.column("script", "last_output")[scripts], np.int64)
    beyond = np.flatnonzero(newest >= rows.counts.output)
    if len(beyond) and isinstance(rows, Reader):
        newest[beyond] = [rows.newest_output_or_none(int(script)) for script in scripts[beyond]]
    return newest
