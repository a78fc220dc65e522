"""The clusters of level L1 grow with the ledger: one pass in chain order, whatever the batches.

Order of METHODS.md 2.6: the gate, then same-key facts, then co-spends of inputs that pass the owner filter. Self-change
(change.C1) joins a script with itself and so needs no link. The result is a function of the chain, the rules and the
lists alone: union by size with the older root on top between equals decides every link.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster import disputes
from cointrail.cluster.change import vote
from cointrail.cluster.gate.gate import signs_of
from cointrail.cluster.gate.kinds import INFORMATIVE, VETO, Sign
from cointrail.cluster.gate.kinds import RULES as GATE_RULES
from cointrail.cluster.gate.lists import TransactionList
from cointrail.ledger.manifest import ListName
from cointrail.ledger.merges import forest_of
from cointrail.ledger.rows import Rows
from cointrail.ledger.writer import Writer

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]

SAME_KEY = ("same_key", 1)
CO_SPEND = ("cospend", 1)
RULES = (SAME_KEY, CO_SPEND, *GATE_RULES, (vote.RULE, vote.VERSION), disputes.LIGHTNING)

_TRANSACTIONS = 1 << 19  # at once
_PUBLISH = 1 << 23  # transactions after which a long catching-up is published

Groups = tuple[I64, I64, U32]
Cells = Mapping[str, npt.NDArray[Any]]
Measure = Callable[[str], AbstractContextManager[object]]


def bring_up(
    writer: Writer,
    lists: tuple[TransactionList, ...] = (),
    *,
    watch: Callable[[int], None] = lambda _: None,
    measure: Measure = lambda _: nullcontext(),
) -> None:
    """Extend the clusters to the writer's last block; begin anew if they were built by other rules or lists.

    Args:
        writer: of the ledger; publishing is left to the caller, but for a long way to catch up.
        lists: transactions whose co-spend is not believed.
        watch: called with the height that is done.
        measure: gives the clock of a named stage.

    Raises:
        Unavailable: the disk refuses.

    Method: METHODS.md 2.1, 2.6.
    """
    names = tuple(ListName(each.name, each.sha256) for each in lists)
    wanted = replace(writer.clustering, rules=RULES, lists=names)
    if writer.clustering != wanted:
        if writer.clustering.blocks:
            writer.forget_clusters()
        wanted = replace(wanted, blocks=0, builds=writer.clustering.builds)
    unpublished = 0
    for blocks, first, end in chunks(writer, wanted.blocks):
        extend(writer, first, end, lists, measure)
        writer.clustering = replace(wanted, blocks=blocks)
        unpublished += end - first
        watch(blocks - 1)
        if unpublished >= _PUBLISH:
            writer.publish()
            unpublished = 0


def chunks(rows: Rows, blocks: int) -> Iterator[tuple[int, int, int]]:
    """(block after the last, first transaction, transaction after the last) of pieces that end with a block."""
    starts = rows.column("block", "first_transaction").astype(np.int64)
    while blocks < rows.counts.block:
        first = int(starts[blocks])
        following = max(int(np.searchsorted(starts, first + _TRANSACTIONS)), blocks + 1)
        end = int(starts[following]) if following < rows.counts.block else rows.counts.transaction
        yield following, first, end
        blocks = following


def extend(
    writer: Writer, first: int, end: int, lists: tuple[TransactionList, ...], measure: Measure = lambda _: nullcontext()
) -> None:
    """Take transactions first .. end - 1 into the clusters, which hold all before them."""
    with measure("cluster"):
        merges, collaborative = joining(writer, first, end, lists, writer.counts.merge)
        writer.merge(merges)
        writer.extend("collaborative", collaborative)
    with measure("change"):
        for table, cells in later_signs(writer, first, end, lists).items():
            writer.extend(table, cells)


def joining(rows: Rows, first: int, end: int, lists: tuple[TransactionList, ...], next_merge: int) -> tuple[U32, Cells]:
    """What transactions first .. end - 1 add to clusters that hold all before them.

    Args:
        rows: the ledger; its forest holds the transactions below `first`, its other rows may reach beyond `end`.
        first: tx_index.
        end: tx_index, not included.
        lists: transactions whose co-spend is not believed.
        next_merge: number of the next merge.

    Returns:
        (merges, uint32 (6, m) in the order of `ledger.merges.FIELDS`; rows of `collaborative`).
    """
    transactions = np.arange(first, end, dtype=np.int64)
    signs = signs_of(rows, transactions, off=INFORMATIVE)
    for each in lists:
        signs[each.contains(rows.column("transaction", "txid")[first:end])] |= np.uint32(Sign.LISTED)
    merges = find_merges(rows, link_groups(rows, first, signs), next_merge)
    suppressed = np.flatnonzero(signs & np.uint32(VETO))
    return merges, {"tx_index": transactions[suppressed], "signs": signs[suppressed]}


def later_signs(rows: Rows, first: int, end: int, lists: tuple[TransactionList, ...]) -> dict[str, Cells]:
    """Rows of `change` and `dispute` that transactions first .. end - 1 decide, by table; none about listed ones."""
    found = vote.decisions_of_batch(rows, first, end)
    changes: dict[str, npt.NDArray[Any]] = {
        "decided_at": found.decided_at,
        "tx_index": found.tx_index,
        "output": found.output,
        "script_a": found.script_a,
        "script_b": found.script_b,
        "votes": found.votes,
    }
    tables: dict[str, Cells] = {"change": changes, "dispute": disputes.rows_of(rows, first, end)}
    txids = rows.column("transaction", "txid")
    for table, cells in tables.items() if lists else ():
        listed = np.zeros(len(cells["tx_index"]), np.bool_)
        for each in lists:
            listed |= each.contains(txids[cells["tx_index"]])
        tables[table] = {name: values[~listed] for name, values in cells.items()}
    return tables


def link_groups(rows: Rows, first: int, signs: U32) -> Groups:
    """The scripts that each transaction links, from transaction `first` on.

    Args:
        rows: the ledger.
        first: tx_index.
        signs: uint32 (t,), what the gate saw in each.

    Returns:
        (members, where each group begins and the last ends, transaction of each group).
    """
    from cointrail.kernels.cluster import co_spend as kernel

    end = first + len(signs)
    starts = rows.column("transaction", "first_input")[first : end + 1].astype(np.int64)
    if end == rows.counts.transaction:
        starts = np.append(starts, rows.counts.input)
    same = slice(*np.searchsorted(rows.column("same_key", "tx_index"), np.array([first, end], np.uint32)).tolist())
    same_tx, same_a, same_b = (rows.column("same_key", name)[same] for name in ("tx_index", "script_a", "script_b"))
    veto = np.uint32(VETO)
    most = int(kernel.count_co_spent(starts, signs, veto)) + 2 * len(same_tx)
    members, begins, times = np.empty(most, np.int64), np.empty(most // 2 + 1, np.int64), np.empty(most // 2, np.uint32)
    groups, used = kernel.link_groups(
        starts,
        rows.column("input", "output"),
        rows.column("input", "flags"),
        rows.column("output", "script"),
        np.uint16(InputFlag.ANYONECANPAY),
        signs,
        veto,
        first,
        same_tx,
        same_a,
        same_b,
        members,
        begins,
        times,
    )
    return members[:used], begins[: groups + 1], times[:groups]


def find_merges(rows: Rows, groups: Groups, next_merge: int) -> U32:
    """The links that groups add to the forest, uint32 (6, m), in the order of `ledger.merges.FIELDS`."""
    from cointrail.kernels.cluster import union_find

    members, first, times = groups
    merges = np.empty((6, len(members)), np.uint32)
    forest = forest_of(rows.column("cluster", "link"))
    count = union_find.find_merges(*forest, members, first, times, next_merge, merges)
    return np.ascontiguousarray(merges[:, :count])
