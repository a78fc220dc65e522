"""A snapshot is a number: a height and the row counts that go with it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cointrail.ledger.columns import Array
from cointrail.ledger.schema import DERIVED, EMPTY, Counts


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an answer is bound to.

    Attributes:
        network: network name.
        height, block_hash: of its last block, the hash as displayed.
        digest: canonical digest of everything up to that height, hex.
        counts: rows of each table; nothing beyond them exists.
    """

    network: str
    height: int
    block_hash: str
    digest: str
    counts: Counts


class HasColumns(Protocol):
    """Anything that gives the cells of a column up to its own counts."""

    counts: Counts

    def column(self, table: str, name: str) -> Array:
        """The cells of a column."""
        ...


def counts_at(columns: HasColumns, height: int) -> Counts:
    """Row counts of the snapshot at `height`; -1 is the empty chain."""
    if height < 0:
        return EMPTY
    if height + 1 >= columns.counts.block:
        return columns.counts
    first_transaction = int(columns.column("block", "first_transaction")[height + 1])
    return Counts(
        block=height + 1,
        transaction=first_transaction,
        input=int(columns.column("transaction", "first_input")[first_transaction]),
        output=int(columns.column("transaction", "first_output")[first_transaction]),
        script=int(columns.column("block", "first_script")[height + 1]),
        script_byte=int(columns.column("block", "first_script_byte")[height + 1]),
        **{
            table.name: int(np.searchsorted(columns.column(table.name, table.ordered_by), np.uint32(first_transaction)))
            for table in DERIVED
            if table.ordered_by
        },
    )
