"""Undoing the links of rows that do not exist: crash recovery and rewind are this one thing.

Every row holds what it takes to undo its links: an input the output it spends, an output the one that paid the same
script before. A link is touched only if it names the row at hand, so repeating the work, or meeting rows that were
never linked, does no harm.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cointrail.ledger.columns import ColumnSet
from cointrail.ledger.indexes import Run, keys_of
from cointrail.ledger.schema import NONE, Counts

REWOUND_FROM = (
    ("input", "output"),
    ("output", "script"),
    ("output", "previous_same_script"),
    ("transaction", "txid"),
)
"""The columns that must be on stable storage before a batch's links are written."""


def restore_links(columns: ColumnSet, txid_runs: Sequence[Run], wanted: Counts) -> None:
    """Undo the links written by rows beyond `wanted`.

    Args:
        columns: the writer's column files.
        txid_runs: the txid index, already cut at `wanted`.
        wanted: the counts that stay.

    Raises:
        Unavailable: the disk refuses; it has to be done again.
    """
    # Only these columns are sure to hold every row that wrote a link: others may be shorter after a power loss.
    places = [(table, columns[table, name].rows_on_disk()) for table, name in REWOUND_FROM]
    found = replace(wanted, **{table: min(rows for of, rows in places if of == table) for table, _ in places})
    if found.output > wanted.output:
        _restore_last_outputs(columns, wanted, found)
    if found.input > wanted.input:
        _restore_spenders(columns, wanted, found)
    if found.transaction > wanted.transaction:
        _restore_overwritten(columns, txid_runs, wanted, found)
    # Only these rows know how to undo their links: that must be safe on disk before a writer puts others there.
    for file in columns:
        if file.column.link:
            file.sync()


def _restore_last_outputs(columns: ColumnSet, wanted: Counts, found: Counts) -> None:
    last_output = columns["script", "last_output"]
    links = last_output.map(wanted.script)
    scripts = columns["output", "script"].map(found.output)[wanted.output :]
    before = columns["output", "previous_same_script"].map(found.output)[wanted.output :]
    # The first of these rows that pays a script remembers what the link was before all of them.
    touched, first = np.unique(scripts, return_index=True)
    touched, first = touched[touched < wanted.script], first[touched < wanted.script]
    restored = before[first]
    written = (links[touched] >= wanted.output) & (restored < wanted.output)
    links[touched[written]] = restored[written]
    last_output.dirty = True


def _restore_spenders(columns: ColumnSet, wanted: Counts, found: Counts) -> None:
    spender = columns["output", "spender"]
    links = spender.map(min(spender.rows_on_disk(), found.output))
    spent = columns["input", "output"].map(found.input)[wanted.input :]
    index = np.arange(wanted.input, found.input)
    inside = (spent >= 0) & (spent < len(links))
    spent, index = np.asarray(spent[inside]), index[inside]
    links[spent[links[spent] == index]] = NONE
    spender.dirty = True


def _restore_overwritten(columns: ColumnSet, txid_runs: Sequence[Run], wanted: Counts, found: Counts) -> None:
    """Undo the marks that BIP30 duplicates have left on outputs of earlier transactions of the same txid."""
    txids = columns["transaction", "txid"].map(found.transaction)
    first_output = columns["transaction", "first_output"].map(wanted.transaction)
    spender = columns["output", "spender"]
    links = spender.map(min(spender.rows_on_disk(), wanted.output))
    keys = keys_of(txids[wanted.transaction :])
    for run in txid_runs:
        at = np.minimum(np.searchsorted(run.keys, keys), len(run.keys) - 1)
        for position in np.flatnonzero(run.keys[at] == keys):
            tx_index = wanted.transaction + int(position)
            for earlier in run.find(int(keys[position])):
                if earlier >= wanted.transaction or bytes(txids[earlier]) != bytes(txids[tx_index]):
                    continue
                end = int(first_output[earlier + 1]) if earlier + 1 < wanted.transaction else wanted.output
                cells = links[int(first_output[earlier]) : end]
                cells[cells == -2 - tx_index] = NONE
                spender.dirty = True
