"""Inputs and outputs of many transactions side by side, without a loop over them.

A batch of transactions becomes two flat arrays: the rows, and for each row the position in the batch of the
transaction it belongs to. Rows of a transaction are adjacent and in chain order.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cointrail.ledger.rows import Rows

I64 = npt.NDArray[np.int64]


class Span(NamedTuple):
    """Rows of a batch of transactions.

    Attributes:
        owner: int64 (m,), ascending: which transaction of the batch, 0 .. n - 1.
        row: int64 (m,), input_index or output_index.
    """

    owner: I64
    row: I64


def input_counts(rows: Rows, tx_index: I64) -> I64:
    """How many inputs each transaction has, int64, same shape."""
    first, end = _input_bounds(rows, tx_index)
    return end - first


def output_counts(rows: Rows, tx_index: I64) -> I64:
    """How many outputs each transaction has, int64, same shape."""
    first, end = rows.output_bounds(tx_index)
    return end - first


def inputs_of_many(rows: Rows, tx_index: I64) -> Span:
    """All inputs of a batch of transactions, int64 (n,)."""
    return _span(*_input_bounds(rows, tx_index))


def outputs_of_many(rows: Rows, tx_index: I64) -> Span:
    """All outputs of a batch of transactions, int64 (n,)."""
    return _span(*rows.output_bounds(tx_index))


def _input_bounds(rows: Rows, tx_index: I64) -> tuple[I64, I64]:
    first = rows.column("transaction", "first_input")
    following = np.minimum(tx_index + 1, rows.counts.transaction - 1)
    end = np.where(tx_index + 1 < rows.counts.transaction, first[following], rows.counts.input)
    return np.asarray(first[tx_index], np.int64), end.astype(np.int64)


def _span(first: I64, end: I64) -> Span:
    counts = end - first
    owner = np.repeat(np.arange(len(first)), counts)
    before = np.cumsum(counts) - counts
    return Span(owner, np.arange(len(owner)) - before[owner] + first[owner])
