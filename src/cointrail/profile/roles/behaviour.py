"""How clusters or single scripts behave, as whole numbers: what a score of service-like behaviour reads.

A unit is an L1 cluster or one script. Counts and times are steps of a quarter of an octave, shares are per cent, both
from integers alone, so the same bytes come out on any machine. Facts about a snapshot, given the clusters.
Method: METHODS.md 7.2; docs/methods/service-like.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.spans import input_counts, outputs_of_many
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.profile.roles.histories import COINBASE, distinct_by, histories, middle_by, times_of, unique_pairs

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

VERSION: Final = 1
"""Raised whenever a feature means something else; a model names the version it was trained with."""

NAMES: Final = (
    "payers", "payees", "payments_in", "payouts", "batch_share", "fan_out_most", "gather_share", "inputs_most",
    "single_use_share", "reuse_most", "dwell", "days", "pace", "coinbase_share", "round_share", "balance_share",
    "one_payee_share", "return_share",
)  # fmt: skip
WORDS: Final = {
    "payers": "clusters that paid it",
    "payees": "clusters that it paid",
    "payments_in": "outputs that others paid it",
    "payouts": "transactions with which it paid others",
    "batch_share": "of these, those with five payees or more",
    "fan_out_most": "payees of its payouts, ninth tenth",
    "gather_share": "of the transactions that spend it, those that pay nobody else",
    "inputs_most": "inputs of transactions that spend it, ninth tenth",
    "single_use_share": "of its scripts, those that are paid once",
    "reuse_most": "outputs of its scripts, ninth tenth",
    "dwell": "hours that money stays, median",
    "days": "days from its first to its last transaction",
    "pace": "outputs and spends in sixteen days",
    "coinbase_share": "of its outputs, mined ones",
    "round_share": "of outputs from others, multiples of 100,000 sat",
    "balance_share": "of what it received, what is still there",
    "one_payee_share": "of what it paid, the part of whom it paid most",
    "return_share": "of the clusters that it paid, those that paid it too",
}

_DAY, _HOUR = 86_400, 3_600
_BATCH, _ROUND_SAT = 5, 100_000
_OCTAVES = 63


def _quarter_octaves() -> I64:
    """The least whole number of each step: the smallest n with n to the fourth not below 2 to the k."""
    found = []
    for k in range(4 * _OCTAVES):
        low, high = 1, 1 << (k // 4 + 1)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if middle**4 >= 1 << k else (middle + 1, high)
        found.append(low)
    return np.array(found, np.int64)


_STEPS: Final = _quarter_octaves()


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """What units did.

    Attributes:
        units: int64 (n,), the label of each, ascending: a root for a cluster, the script itself for a script.
        transactions: int64 (n,), with which each was paid or spent, each once.
        values: int64 (n, features), columns as `NAMES`.
    """

    units: I64
    transactions: I64
    values: I64

    def __len__(self) -> int:
        return len(self.units)


def clusters_behaviour(reader: Reader, forest: Forest, scripts: npt.ArrayLike) -> Behaviour:
    """How the L1 clusters of scripts behave.

    Args:
        reader: the ledger at a snapshot.
        forest: its clusters.
        scripts: script_ids, any number of each cluster.
    """
    roots = np.unique(forest.roots(scripts))
    members = [forest.members(root)[0] for root in roots.tolist()]
    every = np.sort(np.concatenate([np.empty(0, np.int64), *members]))
    return behaviour(reader, every, forest.roots)


def scripts_behaviour(reader: Reader, forest: Forest, scripts: npt.ArrayLike) -> Behaviour:
    """How single scripts behave: each is a unit of its own, all others are clusters."""
    asked = np.unique(np.asarray(scripts, np.int64))

    def label(others: npt.ArrayLike) -> I64:
        found = np.asarray(others, np.int64).reshape(-1)
        inside = np.isin(found, asked)
        return np.where(inside, found, reader.counts.script + forest.roots(found))

    return behaviour(reader, asked, label)


def behaviour(reader: Reader, scripts: I64, label: Callable[[npt.ArrayLike], I64]) -> Behaviour:
    """How units behave.

    Args:
        reader: the ledger at a snapshot.
        scripts: int64 (m,), all scripts of all asked units, ascending and distinct.
        label: the unit of each script, asked or not.
    """
    past = histories(reader, scripts)
    units, unit = np.unique(label(scripts), return_inverse=True)
    unit = unit.reshape(-1)[past.owner]
    count = len(units)
    payer = _payers(reader, past.makers, label)
    outside = payer != units[unit]
    gone = past.spent
    spend_unit, spend = unique_pairs(unit[gone], past.spenders[gone])
    payees, paid_unit, payee, paid = _payees(reader, (spend_unit, spend), units, label)
    pays = payees > 0
    came = times_of(reader, past.makers)
    left = times_of(reader, past.spenders[gone])
    days = _days(np.append(unit, unit[gone]), np.append(came, left), count)
    outputs, spends = _count(unit, count), _count(spend_unit, count)
    external = _count(unit[outside], count)
    payouts = _count(spend_unit[pays], count)
    per_script, of_script = past.sums(np.ones(len(unit), np.int64)), np.searchsorted(units, label(scripts))
    received, most_paid = _sums(unit, past.values, count), _most(paid_unit, payee, paid, count)
    distinct_payees = distinct_by(paid_unit, payee, count)
    columns = {
        "payers": _steps(distinct_by(unit[outside], payer[outside], count)),
        "payees": _steps(distinct_payees),
        "payments_in": _steps(external),
        "payouts": _steps(payouts),
        "batch_share": _percent(_count(spend_unit[payees >= _BATCH], count), payouts),
        "fan_out_most": _steps(middle_by(spend_unit[pays], payees[pays], count, 900)),
        "gather_share": _percent(spends - payouts, spends),
        "inputs_most": _steps(middle_by(spend_unit, input_counts(reader, spend), count, 900)),
        "single_use_share": _percent(_count(of_script[per_script == 1], count), _count(of_script, count)),
        "reuse_most": _steps(middle_by(of_script, per_script, count, 900)),
        "dwell": _steps(middle_by(unit[gone], (left - came[gone]) // _HOUR, count)),
        "days": _steps(days),
        "pace": _steps(16 * (outputs + spends) // days),
        "coinbase_share": _percent(_count(unit[payer == COINBASE], count), outputs),
        "round_share": _percent(_count(unit[outside & (past.values % _ROUND_SAT == 0)], count), external),
        "balance_share": _percent(_sums(unit[~gone], past.values[~gone], count), received),
        "one_payee_share": _percent(most_paid, _sums(paid_unit, paid, count)),
        "return_share": _percent(_returns((unit[outside], payer[outside]), (paid_unit, payee), count), distinct_payees),
    }
    touched, _ = unique_pairs(np.append(unit, unit[gone]), np.append(past.makers, past.spenders[gone]))
    return Behaviour(units, _count(touched, count), np.stack([columns[name] for name in NAMES], axis=1))


def _days(unit: I64, times: I64, count: int) -> I64:
    """Days that each unit was active, the first and last included."""
    first, last = np.full(count, np.iinfo(np.int64).max), np.zeros(count, np.int64)
    np.minimum.at(first, unit, times)
    np.maximum.at(last, unit, times)
    return np.asarray(1 + (last - first) // _DAY, np.int64)


def _payers(reader: Reader, makers: I64, label: Callable[[npt.ArrayLike], I64]) -> I64:
    """The unit of the first input of each transaction, `COINBASE` for a coinbase."""
    distinct, back = np.unique(makers, return_inverse=True)
    first = reader.column("transaction", "first_input")[distinct]
    spent = np.asarray(reader.column("input", "output")[first], np.int64)
    found = label(reader.column("output", "script")[np.where(spent == NONE, 0, spent)])
    return np.where(spent == NONE, COINBASE, found)[back.reshape(-1)]


def _payees(
    reader: Reader, spends: tuple[I64, I64], units: I64, label: Callable[[npt.ArrayLike], I64]
) -> tuple[I64, I64, I64, I64]:
    """Of pairs (unit, transaction): outputs to others of each; and (unit, payee, value) of each such output."""
    unit, spend = spends
    span = outputs_of_many(reader, spend)
    payee = label(reader.column("output", "script")[span.row])
    value = np.asarray(reader.column("output", "value_sat")[span.row], np.int64)
    others = payee != units[unit[span.owner]]
    counts = np.bincount(span.owner[others], minlength=len(spend)).astype(np.int64)
    return counts, unit[span.owner[others]], payee[others], value[others]


def _count(unit: I64, count: int) -> I64:
    return np.bincount(unit, minlength=count).astype(np.int64)


def _sums(unit: I64, values: I64, count: int) -> I64:
    found = np.zeros(count, np.int64)
    np.add.at(found, unit, values)
    return found


def _most(unit: I64, payee: I64, value: I64, count: int) -> I64:
    """The largest sum that each unit paid to one payee."""
    order = np.lexsort((payee, unit))
    unit, payee, value = unit[order], payee[order], value[order]
    new = np.append(True, (np.diff(unit) != 0) | (np.diff(payee) != 0))[: len(unit)]
    total = np.concatenate(([0], np.cumsum(value)))
    first = np.flatnonzero(new)
    sums = total[np.append(first[1:], len(unit))] - total[first] if len(first) else value
    found = np.zeros(count, np.int64)
    np.maximum.at(found, unit[first], sums)
    return found


def _returns(paid_by: tuple[I64, I64], paid: tuple[I64, I64], count: int) -> I64:
    """How many different payees of each unit paid it too."""
    payers, payees = unique_pairs(*paid_by), unique_pairs(*paid)
    unit, other = (np.concatenate([one, two]) for one, two in zip(payers, payees, strict=True))
    order = np.lexsort((other, unit))
    twice = (np.diff(unit[order]) == 0) & (np.diff(other[order]) == 0)
    return _count(unit[order][1:][twice], count)


def _steps(counts: I64) -> I64:
    """Quarter-octaves of one more than a count, rounded down: 0 for 0, 4 for 1, 8 for 3."""
    return np.asarray(np.searchsorted(_STEPS, counts + 1, "right") - 1, np.int64)


def step_of(count: int) -> int:
    """The step of one count."""
    return int(_steps(np.array([count], np.int64))[0])


def _percent(part: I64, whole: I64) -> I64:
    """Per cent, rounded down; 0 of nothing. Sums of satoshi stay below 2^57, so a hundred times as much fits."""
    return np.where(whole > 0, 100 * part // np.maximum(whole, 1), 0)
