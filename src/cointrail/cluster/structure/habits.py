"""Habits of the wallet behind scripts: what its transactions and scripts look like, counted script by script.

Two parts of a cluster with different habits are a sign that two wallets were taken for one. How strong a sign is given
in bits: how much better two habits explain the counts than one, with Jeffreys' prior (a Bayes factor, Kass and Raftery
1995). The counts are treated as independent draws, which they are not, so bits rank and are no probability.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.structure.activity import Activity
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE

I64 = npt.NDArray[np.int64]

_REPLACEABLE = 0xFFFFFFFE  # sequences below signal replaceability (BIP125)


@dataclass(frozen=True, slots=True, eq=False)
class Habit:
    """One habit of some scripts.

    Attributes:
        name: what it is about.
        kinds: what is told apart.
        counts: int64 (kinds, n), how often each script shows each kind.
        own: int64 (kinds, e), what the asked (script, transaction) pairs add to that.
    """

    name: str
    kinds: tuple[str, ...]
    counts: I64
    own: I64


def habits_of(reader: Reader, found: Activity, place: I64, tx_index: I64) -> list[Habit]:
    """Count the habits of scripts; a transaction that spends a script several times counts once for it.

    Args:
        reader: the ledger at a snapshot.
        found: the scripts and their outputs.
        place: int64 (e,), places of scripts, and
        tx_index: int64 (e,), a transaction for each: pairs whose own share is told apart.
    """
    spent = found.spenders != NONE
    spender = found.spenders[spent]
    key = found.owner[spent] * np.int64(reader.counts.transaction) + reader.transaction_of_inputs(spender)
    pairs, row = np.unique(key, return_index=True)
    scripts, transactions = np.divmod(pairs, np.int64(reader.counts.transaction))
    asked = place * np.int64(reader.counts.transaction) + tx_index
    at = np.minimum(np.searchsorted(pairs, asked), max(len(pairs) - 1, 0))
    shares = pairs[at] == asked if len(pairs) else np.zeros(len(asked), np.bool_)
    habits = [_types(reader, found.scripts, len(place))]
    flags = reader.column("input", "flags")[spender[row]]
    kinds: list[tuple[str, tuple[str, ...], npt.NDArray[np.int64]]] = [
        ("version", ("1", "other"), (reader.column("transaction", "version")[transactions] != 1).astype(np.int64)),
        ("lock time", ("0", "set"), (reader.column("transaction", "lock_time")[transactions] > 0).astype(np.int64)),
        (
            "replaceable",
            ("no", "yes"),
            (reader.column("input", "sequence")[spender[row]] < _REPLACEABLE).astype(np.int64),
        ),
        ("R of signatures", ("low", "high"), _r_of(flags)),
    ]
    for name, names, kind in kinds:
        counts = np.stack([np.bincount(scripts[kind == k], minlength=len(found.scripts)) for k in range(len(names))])
        own = np.stack([shares & (kind[at] == k) if len(kind) else shares for k in range(len(names))])
        habits.append(Habit(name, names, counts.astype(np.int64), own.astype(np.int64)))
    return habits


def _types(reader: Reader, scripts: I64, pairs: int) -> Habit:
    types = reader.column("script", "type")[scripts]
    present = np.unique(types)
    counts = (types[None, :] == present[:, None]).astype(np.int64)
    names = tuple(ScriptType(int(each)).label for each in present)
    return Habit("script type", names, counts, np.zeros((len(names), pairs), np.int64))


def _r_of(flags: npt.NDArray[np.uint16]) -> npt.NDArray[np.int64]:
    """0: all R low, 1: one is high, -1: no ECDSA signature to see (counted as neither)."""
    high, low = flags & np.uint16(InputFlag.HIGH_R) != 0, flags & np.uint16(InputFlag.LOW_R) != 0
    return np.where(high, 1, np.where(low, 0, -1)).astype(np.int64)


def bits_apart(one: I64, other: I64) -> npt.NDArray[np.float64]:
    """How much better two habits explain what two sides show than one does, in bits, float64 (b,).

    Args:
        one: int64 (kinds, b), what one side shows.
        other: int64 (kinds, b), what the other side shows.

    Returns:
        Below zero where one habit explains more; 0 where a side shows nothing.
    """
    kinds = len(one)
    table = _log_gamma_of_halves(2 * int((one + other).sum(axis=0).max(initial=0)) + kinds + 2)

    def evidence(counts: I64) -> npt.NDArray[np.float64]:
        alone = table[2 * counts + 1].sum(axis=0) - kinds * table[1]
        together = table[2 * counts.sum(axis=0) + kinds] - table[kinds]
        return np.asarray(alone - together, np.float64)

    return np.asarray((evidence(one) + evidence(other) - evidence(one + other)) / np.log(2), np.float64)


def _log_gamma_of_halves(most: int) -> npt.NDArray[np.float64]:
    """Logarithm of Gamma(m / 2) for m = 0 .. most; the first cell is not used."""
    table = np.zeros(most + 1)
    table[1] = np.log(np.pi) / 2
    for start in (1, 2):
        steps = np.log(np.arange(start, most - 1, 2) / 2)
        table[start + 2 :: 2] = table[start] + np.cumsum(steps)
    return table
