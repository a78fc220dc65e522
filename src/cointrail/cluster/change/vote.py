"""The vote of the families: a change output on which two independent kinds of signs agree and none contradicts.

Rule `change_vote`, version 1, level L2 (METHODS.md 2.3; docs/methods/change-vote.md). It reads the spenders of outputs,
so a decision names the last transaction it read, and a snapshot ignores decisions beyond it. Size and cannot-link
guards (2.6) are applied where clusters are merged. A change output whose script is spent by the same transaction is
certain and merges nothing; it is no decision.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.change.context import Clusters, Context, Mask
from cointrail.cluster.change.rules import BY_ID, VOTING
from cointrail.cluster.change.tally import LEAST_FAMILIES, Tally, tally
from cointrail.cluster.change.verdict import RULE, VERSION, ChangeVerdict, name_change
from cointrail.cluster.spans import I64
from cointrail.ledger.rows import Rows

__all__ = ["RULE", "VERSION", "ChangeVerdict", "Decisions", "decide", "decisions_of_batch", "name_change"]

_CHUNK = 1 << 16  # transactions at once
_MOST_ITEMS = 1 << 18  # items at once, so that their features fit the caches
_LATE = BY_ID["change.C3"]  # says nothing that C7 does not say before, so it decides nothing; asked for its bit only
_STATIC = tuple(rule for rule in VOTING if rule.static)
_LATER = tuple(rule for rule in VOTING if not rule.static and rule is not _LATE)


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Accepted change outputs, by (decided_at, tx_index).

    Attributes:
        tx_index: int64 (m,), the transactions.
        decided_at: int64 (m,), the greatest tx_index that was read.
        output: int64 (m,), the change outputs.
        script_a: int64 (m,), the smallest script_id among the inputs' scripts.
        script_b: int64 (m,), the script of the change output.
        votes: uint32 (m,), bits of the rules that fired for the output.
        families: uint8 (m,), bits of the families that voted for it, in the order of `tally.FAMILIES`.
    """

    tx_index: I64
    decided_at: I64
    output: I64
    script_a: I64
    script_b: I64
    votes: npt.NDArray[np.uint32]
    families: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.tx_index)


def decide(context: Context) -> Decisions:
    """Decide a batch of transactions, each as of its horizon.

    Static rules vote first, since nothing is accepted without one of them; only what they leave open is looked at in
    full.

    Args:
        context: the batch.

    Method: METHODS.md 2.3.
    """
    if len(context) > _MOST_ITEMS:
        starts = range(0, len(context), _MOST_ITEMS)
        return _joined([decide(context.part(start, start + _MOST_ITEMS)) for start in starts])
    pairs = context.narrowed(np.flatnonzero(context.output_counts == 2))
    static = tally(pairs, _STATIC)
    open_ = _open(pairs, static)
    left = pairs.narrowed(np.flatnonzero(open_))
    full = static.of(np.repeat(open_, 2)) | tally(left, _LATER)
    certain = np.repeat(left.returned[::2] | left.returned[1::2], 2)
    accepted = np.flatnonzero(full.agreed(left) & left.spent & ~certain)
    items = left.outputs.owner[accepted]
    final = left.narrowed(items)
    late = tally(final, (_LATE,)).votes
    votes = full.votes[accepted]
    votes |= late.reshape(-1, 2).max(axis=1, initial=0)
    return Decisions(
        tx_index=final.tx_index,
        decided_at=final.horizon,
        output=left.outputs.row[accepted],
        script_a=final.least_of_inputs(final.input_script),
        script_b=left.script[accepted],
        votes=votes,
        families=full.families[accepted],
    )


def _open(pairs: Context, static: Tally) -> Mask:
    """Items that later rules can lead to a decision, bool (n,), by what static rules say of their two outputs.

    Static rules must have chosen one spent output and not the other: what two of them dispute is lost already. And
    since no rule that reads spenders can rule out what is not spent, such rules cannot speak for the only output that
    is: static rules of two families must have done so.
    """
    one, two = static.static[::2], static.static[1::2]
    spent_one, spent_two = pairs.spent[::2], pairs.spent[1::2]
    families = np.bitwise_count(np.maximum(static.families[::2], static.families[1::2]))
    enough = (spent_one & spent_two) | (families >= LEAST_FAMILIES)
    return np.asarray((one ^ two) & ((one & spent_one) | (two & spent_two)) & enough, np.bool_)


def decisions_of_batch(rows: Rows, first_tx: int, end_tx: int, clusters: Clusters | None = None) -> Decisions:
    """All decisions that the transactions of a batch bring about.

    A transaction is decided anew each time one of its outputs is spent, as of that spend, so the answer does not depend
    on how the chain is cut into batches, and reads nothing later.

    Args:
        rows: a reader of the ledger that holds at least the batch.
        first_tx: the batch's first transaction.
        end_tx: the one after its last.
        clusters: as in `Context`; no voting rule asks for it.

    Returns:
        Rows by (decided_at, tx_index); decided_at lies in the batch.

    Method: METHODS.md 1.2, 2.3.
    """
    bounds = [(first, min(first + _CHUNK, end_tx)) for first in range(first_tx, end_tx, _CHUNK)]
    return _joined([decide(Context(rows, *_spent_from(rows, *each), clusters)) for each in bounds])


def _spent_from(rows: Rows, first_tx: int, end_tx: int) -> tuple[I64, I64]:
    """Distinct (transaction, one of the batch that spends from it), by the second and then the first."""
    from cointrail.kernels.signs.change import funders

    first_input = rows.column("transaction", "first_input")
    end = int(first_input[end_tx]) if end_tx < rows.counts.transaction else rows.counts.input
    begins = first_input[first_tx:end_tx]
    pairs = np.empty((2, end - int(begins[0]) if len(begins) else 0), np.int64)
    spent, first_output = rows.column("input", "output"), rows.column("transaction", "first_output")
    count = funders(first_tx, begins, end, spent, first_output, pairs[0], pairs[1])
    return pairs[0, :count], pairs[1, :count]


def _joined(parts: list[Decisions]) -> Decisions:
    empty = np.empty(0, np.int64)
    none = Decisions(empty, empty, empty, empty, empty, empty.astype(np.uint32), empty.astype(np.uint8))
    names = Decisions.__dataclass_fields__
    return Decisions(**{name: np.concatenate([getattr(part, name) for part in [none, *parts]]) for name in names})
