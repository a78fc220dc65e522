"""Co-spend: scripts that are spent together in one transaction are under common control.

Rule `cospend` (H1), version 1 (METHODS.md 2.1; docs/methods/co-spend.md), outside collaborative transactions and
without inputs signed ANYONECANPAY, to which anybody could add the others (METHODS.md 3.5). An inference, not a fact.
The cluster of one script is found by a local search and needs no forest; `cluster.forest` gives all at once, and both
agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster import coinjoin
from cointrail.cluster.spans import I64, Span, inputs_of_many
from cointrail.errors import NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

RULE = "cospend"
VERSION = 1
LEVEL = "L1"
RULES = ((RULE, VERSION), (coinjoin.RULE, coinjoin.VERSION))


@dataclass(frozen=True, slots=True)
class Cluster:
    """Scripts under common control, as far as the rules see: a lower bound.

    Attributes:
        scripts: script_ids, ascending, the asked one among them.
        level: which view (METHODS.md 0); L1 takes no tags and no later rows.
        rules: (rule, version) of what was applied.
        transactions: co-spends that hold it together.
        suppressed: transactions that spend several scripts, one of them of this cluster, and were not believed
            because they are collaborative.
        complete: False if the limit cut the search; scripts are missing then.
    """

    scripts: tuple[int, ...]
    level: str
    rules: tuple[tuple[str, int], ...]
    transactions: int
    suppressed: int
    complete: bool

    @property
    def cluster_id(self) -> int:
        """The smallest script_id, so that a merge keeps the older id."""
        return self.scripts[0]


@dataclass(frozen=True, slots=True, eq=False)
class CoSpends:
    """The transactions of a batch that spend several scripts and pass the owner filter.

    Attributes:
        tx_index: int64 (n,), those the rule believes, in the order of the batch.
        scripts: owner indexes `tx_index`; row is a script_id, ascending and distinct in each transaction.
        suppressed: how many more are collaborative.
    """

    tx_index: I64
    scripts: Span
    suppressed: int


def co_spends(rows: Rows, tx_index: I64) -> CoSpends:
    """Apply the rule to a batch of transactions.

    Args:
        rows: a reader of the ledger.
        tx_index: int64 (n,), distinct.

    Method: METHODS.md 2.1 (Nick 2015; Harrigan and Fretter 2016).
    """
    scripts = coinjoin.distinct_scripts(rows, _owned_inputs(rows, tx_index))
    several = np.bincount(scripts.owner, minlength=len(tx_index)) > 1
    suppressed = np.zeros(len(tx_index), np.bool_)
    suppressed[several] = coinjoin.collaborative_mask(rows, tx_index[several])
    believed = several & ~suppressed
    kept = believed[scripts.owner]
    position = np.cumsum(believed) - 1
    return CoSpends(
        tx_index[believed],
        Span(position[scripts.owner[kept]], scripts.row[kept]),
        int(np.count_nonzero(suppressed)),
    )


def co_spent_scripts(rows: Rows, tx_index: int) -> tuple[int, ...]:
    """The distinct scripts of the inputs that pass the owner filter, ascending.

    Empty for a coinbase and for a collaborative transaction; one script proves nothing but is given.

    Args:
        rows: a reader of the ledger.
        tx_index: the transaction, inside the snapshot.

    Method: METHODS.md 2.1 and 3.5.
    """
    if coinjoin.collaborative(rows, tx_index).kind is not coinjoin.Kind.NONE:
        return ()
    scripts = coinjoin.distinct_scripts(rows, _owned_inputs(rows, np.array([tx_index], np.int64)))
    return tuple(scripts.row.tolist())


def cluster_of(reader: Reader, script_id: int, limit: int | None = None) -> Cluster:
    """Find the cluster of one script, breadth first over the spenders of its outputs.

    Args:
        reader: the ledger at a snapshot.
        script_id: where to begin.
        limit: most scripts to collect, or None; nearer ones come first, then smaller ids.

    Raises:
        NotFound: the script is not in this snapshot.
        UsageError: the limit is not positive.

    Method: METHODS.md 2.1.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"a limit of {limit} scripts leaves nothing to find", hint="give 1 or more, or no limit")
    if not 0 <= script_id < reader.counts.script:
        raise NotFound(f"script {script_id} is not in this snapshot", hint=f"it holds {reader.counts.script} scripts")
    found, seen = {script_id}, set[int]()
    transactions = suppressed = 0
    complete = True
    frontier = [script_id]
    while frontier:
        met = [tx_index for tx_index in _spending(reader, frontier).tolist() if tx_index not in seen]
        seen.update(met)
        spends = co_spends(reader, np.array(met, np.int64))
        transactions += len(spends.tx_index)
        suppressed += spends.suppressed
        frontier = [script for script in np.unique(spends.scripts.row).tolist() if script not in found]
        if limit is not None and len(found) + len(frontier) > limit:
            complete, frontier = False, frontier[: limit - len(found)]
        found.update(frontier)
    return Cluster(tuple(sorted(found)), LEVEL, RULES, transactions, suppressed, complete)


def _spending(reader: Reader, scripts: Iterable[int]) -> I64:
    """The transactions in which outputs of these scripts are spent by inputs that pass the owner filter; distinct."""
    outputs = np.fromiter((output for script in scripts for output in reader.outputs_of_script(script)), np.int64)
    inputs = reader.spenders(outputs)
    inputs = inputs[inputs != NONE]
    return np.unique(reader.transaction_of_inputs(inputs[_is_owned(reader, inputs)]))


def _owned_inputs(rows: Rows, tx_index: I64) -> Span:
    inputs = inputs_of_many(rows, tx_index)
    kept = _is_owned(rows, inputs.row)
    return Span(inputs.owner[kept], inputs.row[kept])


def _is_owned(rows: Rows, inputs: I64) -> npt.NDArray[np.bool_]:
    """The owner filter: False for inputs whose signature lets anybody add the other inputs."""
    flags = rows.column("input", "flags")[inputs].astype(np.uint16)
    owned: npt.NDArray[np.bool_] = (flags & np.uint16(InputFlag.ANYONECANPAY)) == 0
    return owned
