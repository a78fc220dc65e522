"""What a learned change model looks at: transactions of two outputs, two rows each, one an output.

A row holds the vote of every rule, how far the spender's form agrees, amounts and ages, of this output and of the
other. Left out is what would tell the label of METHODS.md 10.3 in other words: reuse (C1), cluster (C2) and how many
inputs the spender has; and C21, which no chain answers. A row reads up to the last spend of one of the two outputs, so
it stays the same until the other is spent too (METHODS.md 1.2, 2.4).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.cluster.change.amount import below_inputs
from cointrail.cluster.change.context import Context, Mask
from cointrail.cluster.change.rule import unique
from cointrail.cluster.change.rules import VOTING
from cointrail.cluster.fingerprint import U64
from cointrail.cluster.spans import I64, outputs_of_many
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

F32 = npt.NDArray[np.float32]

VERSION = 1
"""Raised whenever a feature means something else; a model names the version it was trained with."""

_RULES = tuple(rule for rule in VOTING if rule.id != "change.C21")
_FORMS: tuple[tuple[str, str, int, tuple[int, ...]], ...] = (
    ("version", "VERSION", 32, ()),
    ("lock_time", "LOCK_TIME", 2, ()),
    ("sequence", "REPLACEABLE", 1, ()),
    ("segwit", "SEGWIT", 1, ()),
    ("low_r", "LOW_R", 2, (0,)),
    ("bip69", "BIP69", 2, (0,)),
    ("key", "KEY", 2, (0, 3)),
    ("types", "TYPES", 12, ()),
)
"""Name, field of `kernels.fingerprint`, width in bits, values that say nothing."""

_BOTH = (
    *(f"form.{name}" for name, *_ in _FORMS),
    "type.of_inputs",
    "type.is",
    "fresh",
    "amount.zeros",
    "fee.ratio",
    "age.blocks",
)
_ONE = ("amount.log", "amount.share", "amount.below_inputs", "inputs.log")
NAMES: tuple[str, ...] = (
    *(f"vote.{rule.id.removeprefix('change.')}" for rule in _RULES),
    *(f"this.{name}" for name in _BOTH),
    *(f"other.{name}" for name in _BOTH),
    *_ONE,
)
"""The columns of `Pairs.values`."""

UNKNOWN = -1.0
_CHUNK = 1 << 16  # transactions at once
_MOST_ZEROS = 9


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Transactions of two outputs, one of them spent at least.

    Attributes:
        tx_index: int64 (n,), ascending.
        decided_at: int64 (n,), the last transaction that spends one of the outputs; nothing later was read.
        script_a: int64 (n,), the smallest script among the inputs.
        input_type: int64 (n,), script type of all inputs, -1 if they differ.
        output: int64 (n, 2), the outputs.
        script: int64 (n, 2), their scripts.
        spent: bool (n, 2), which of them are spent.
        values: float32 (2 n, features), rows of the first and second output of each transaction in turn.
    """

    tx_index: I64
    decided_at: I64
    script_a: I64
    input_type: I64
    output: I64
    script: I64
    spent: Mask
    values: F32

    def __len__(self) -> int:
        return len(self.tx_index)


def pairs_of(rows: Rows, first_tx: int = 0, end_tx: int | None = None) -> Iterator[Pairs]:
    """The transactions a model is asked about, piece by piece.

    They are those that change rules look at (docs/methods/change-vote.md), with exactly two spendable outputs, at least
    one of them spent, none of which pays a script that the transaction spends.

    Args:
        rows: a reader of the ledger.
        first_tx: tx_index of the first.
        end_tx: tx_index after the last; None for all of the snapshot.

    Method: METHODS.md 2.4.
    """
    end = rows.counts.transaction if end_tx is None else end_tx
    for start in range(first_tx, end, _CHUNK):
        asked = np.arange(start, min(start + _CHUNK, end), dtype=np.int64)
        last = last_spends(rows, asked)
        asked, last = asked[last != NONE], last[last != NONE]
        whole = Context(rows, asked, last)
        items = whole.output_counts == 2
        items[whole.outputs.owner[whole.returned]] = False
        context = whole.narrowed(np.flatnonzero(items))
        if len(context):
            yield _pairs(context)


def last_spends(rows: Rows, tx_index: I64) -> I64:
    """The last transaction of the snapshot that spends an output of each transaction, int64 (n,), -1 if none does."""
    owner, row = outputs_of_many(rows, tx_index)
    inputs = rows.spenders(row)
    spent = inputs != NONE
    found = np.full(len(tx_index), NONE, np.int64)
    np.maximum.at(found, owner[spent], rows.transaction_of_inputs(inputs[spent]))
    return found


def _pairs(context: Context) -> Pairs:
    least, most = context.least_of_inputs(context.input_type), -context.least_of_inputs(-context.input_type)
    return Pairs(
        tx_index=context.tx_index,
        decided_at=context.horizon,
        script_a=context.least_of_inputs(context.input_script),
        input_type=np.where(least == most, least, NONE),
        output=context.outputs.row.reshape(-1, 2),
        script=context.script.reshape(-1, 2),
        spent=context.spent.reshape(-1, 2),
        values=_values(context),
    )


def _values(context: Context) -> F32:
    """The features, float32 (2 n, features)."""
    columns: list[npt.NDArray[Any]] = []
    for rule in _RULES:
        fired = unique(context, rule.keep(context)).astype(np.int8)
        columns.append(fired - _other(fired))
    of_this = [*_forms(context), *_of_scripts(context), *_of_spend(context)]
    columns += of_this
    columns += [_other(column) for column in of_this]
    value = context.value.astype(np.float64)
    columns += [
        np.log10(np.maximum(value, 1)),
        value / np.maximum(value + _other(value), 1),
        below_inputs(context),
        np.log10(context.input_counts[context.outputs.owner]),
    ]
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


def _other(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same of the other output of each transaction."""
    return column.reshape(-1, 2)[:, ::-1].reshape(-1)


def _forms(context: Context) -> list[npt.NDArray[Any]]:
    """Whether the spender's form agrees with the transaction's: 1, 0, or -1 where one side does not show it."""
    owner = context.outputs.owner
    found: list[npt.NDArray[Any]] = []
    for _, field, width, silent in _FORMS:
        mine, theirs = _field(context.own[0], field, width)[owner], _field(context.next[0], field, width)
        said = context.spent.copy()
        for value in silent:
            said &= (mine != value) & (theirs != value)
        found.append(np.where(said, mine == theirs, UNKNOWN))
    return found


def _field(words: U64, name: str, width: int) -> U64:
    from cointrail.kernels.signs import fingerprint

    shift = 0 if name == "VERSION" else int(getattr(fingerprint, name))
    return np.asarray((words >> np.uint64(shift)) & np.uint64((1 << width) - 1), np.uint64)


def _of_scripts(context: Context) -> list[npt.NDArray[Any]]:
    """Script type among those of the inputs, the type itself, first appearance, decimal zeros at the amount's end."""
    zeros = np.zeros(len(context.value), np.int8)
    for digits in range(1, _MOST_ZEROS + 1):
        zeros += context.value % 10**digits == 0
    of_inputs = context.among_inputs(context.script_type, context.input_type)
    return [of_inputs, context.script_type, context.fresh, zeros]


def _of_spend(context: Context) -> list[npt.NDArray[Any]]:
    """How far the spender's fee rate is from the transaction's, and blocks until the spend, as logarithms."""
    mine, theirs = context.own[1][context.outputs.owner], context.next[1]
    ratio = np.abs(np.log10(np.maximum(theirs, 1)) - np.log10(np.maximum(mine, 1)))
    heights = [
        context.rows.height_of_transactions(each)
        for each in (context.tx_index[context.outputs.owner], np.maximum(context.spender, 0))
    ]
    blocks = np.log10(1 + np.maximum(heights[1] - heights[0], 0))
    return [np.where(context.spent, ratio, UNKNOWN), np.where(context.spent, blocks, UNKNOWN)]
