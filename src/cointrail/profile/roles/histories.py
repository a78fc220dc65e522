"""What many scripts did, as columns: their newest outputs, what spends them, when, and who paid.

Everything works on whole arrays, since a service has millions of scripts.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.structure.activity import activity
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.trace.services import Services

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

COINBASE = -1
"""Stands for the miner where a cluster is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Outputs of scripts, each script's adjacent, the newest first.

    Attributes:
        scripts: int64 (n,), ascending.
        owner: int64 (m,), ascending, the place in `scripts`.
        outputs, values: int64 (m,).
        makers: int64 (m,), the transaction that made each.
        spenders: int64 (m,), the transaction that spends each, -1 for none.
    """

    scripts: I64
    owner: I64
    outputs: I64
    values: I64
    makers: I64
    spenders: I64

    @property
    def spent(self) -> Mask:
        """Which outputs are spent, bool (m,)."""
        spent: Mask = self.spenders != NONE
        return spent

    def sums(self, amounts: npt.ArrayLike) -> I64:
        """Amounts of outputs added up by script, int64 (n,); never through floats."""
        total = np.concatenate(([0], np.cumsum(np.asarray(amounts, np.int64))))
        at = np.searchsorted(self.owner, np.arange(len(self.scripts) + 1))
        return np.asarray(total[at[1:]] - total[at[:-1]], np.int64)


def histories(reader: Reader, scripts: I64, most: int | None = None) -> Histories:
    """Collect what scripts did.

    Args:
        reader: the ledger at a snapshot.
        scripts: int64 (n,), ascending and distinct.
        most: newest outputs of each script to keep, None for all.

    Raises:
        Unavailable: the ledger is damaged.
    """
    found = activity(reader, scripts)
    owner = found.owner.astype(np.int64)
    kept: Mask = np.ones(len(owner), np.bool_)
    if most is not None:
        first = np.searchsorted(owner, np.arange(len(scripts)))
        kept = np.arange(len(owner)) - first[owner] < most
    outputs, inputs = found.outputs[kept], found.spenders[kept]
    spenders = np.where(inputs == NONE, NONE, reader.transaction_of_inputs(np.where(inputs == NONE, 0, inputs)))
    makers = reader.transaction_of_outputs(outputs)
    return Histories(scripts, owner[kept], outputs, np.asarray(found.values[kept], np.int64), makers, spenders)


def times_of(reader: Reader, tx_index: I64) -> I64:
    """Median times of the blocks of transactions, seconds since 1970 UTC; they never go back."""
    return np.asarray(reader.column("block", "median_time")[reader.height_of_transactions(tx_index)], np.int64)


def payers_of(reader: Reader, forest: Forest, services: Services, makers: I64) -> tuple[I64, I64]:
    """Who made transactions: the L1 cluster of the first input, and its service.

    Args:
        reader: the ledger at a snapshot.
        forest: its clusters.
        services: who is known.
        makers: int64 (m,), transactions.

    Returns:
        (root int64 (m,), `COINBASE` for a coinbase; number of the service int64 (m,), `NO_SERVICE` for none).
    """
    distinct, back = np.unique(makers, return_inverse=True)
    first = reader.column("transaction", "first_input")[distinct]
    spent = np.asarray(reader.column("input", "output")[first], np.int64)
    mined = spent == NONE
    scripts = np.asarray(reader.column("output", "script")[np.where(mined, 0, spent)], np.int64)
    roots, service = forest.roots(scripts), services.of(forest, scripts)
    roots[mined], service[mined] = COINBASE, -1
    return roots[back.reshape(-1)], service[back.reshape(-1)]


def unique_pairs(owner: I64, value: I64) -> tuple[I64, I64]:
    """Pairs, each once, ascending; values are -1 or more. One key a pair sorts much faster than two columns."""
    if not len(owner):
        return owner, value
    width = int(value.max()) + 2
    if (int(owner.max()) + 1) * width >= 1 << 63:
        pairs = np.unique(np.stack([owner, value]), axis=1)
        return pairs[0], pairs[1]
    keys = np.sort(owner * np.int64(width) + value + 1)  # numpy's own `unique` hashes, which takes far longer
    found, rest = np.divmod(keys[np.append(True, keys[1:] != keys[:-1])], np.int64(width))
    return found, rest - 1


def distinct_by(owner: I64, value: I64, owners: int) -> I64:
    """How many different values each owner has, int64 (owners,)."""
    distinct, _ = unique_pairs(owner, value)
    return np.bincount(distinct, minlength=owners).astype(np.int64)


def any_by(owner: I64, flags: Mask, owners: int) -> Mask:
    """Whether a flag is up for any row of each owner, bool (owners,)."""
    found: Mask = np.bincount(owner[flags], minlength=owners) > 0
    return found


def middle_by(owner: I64, value: I64, owners: int, per_mille: int = 500) -> I64:
    """A quantile of each owner's values, the lower of two; 0 for an owner without. int64 (owners,).

    Args:
        owner: int64 (m,), whose each value is.
        value: int64 (m,).
        owners: how many there are.
        per_mille: which quantile, in thousandths.
    """
    order = np.lexsort((value, owner))
    counts = np.bincount(owner, minlength=owners)
    first = np.cumsum(counts) - counts
    found = np.zeros(owners, np.int64)
    some = counts > 0
    found[some] = value[order][first[some] + (counts[some] - 1) * per_mille // 1000]
    return found
