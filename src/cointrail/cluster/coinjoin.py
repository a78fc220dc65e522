"""Is a transaction the work of several people together? Then its inputs say nothing about common control.

Rule `coinjoin.generic`, version 1 (METHODS.md 3.1, row "generic"; docs/methods/coinjoin-generic.md): d is the most
frequent output value above 2,730 sat, the smallest of several; n outputs carry it. Collaborative if n >= 3, n is at
least a third of the spendable outputs, and at least n distinct scripts are spent. The rule reads only the transaction
and what it spends, so its verdict never changes with the snapshot.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cointrail.cluster.spans import I64, Span, input_counts, inputs_of_many, output_counts, outputs_of_many
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

RULE = "coinjoin.generic"
VERSION = 1

LEAST_EQUAL = 3
LEAST_SHARE = 3  # the equal outputs are at least one in this many
DUST_SAT = 2_730  # values up to this are carriers of protocols and no amounts (METHODS.md 3.1)


class Kind(StrEnum):
    """What a transaction was found to be."""

    NONE = "none"
    EQUAL_OUTPUT = "equal_output"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer about one transaction.

    Attributes:
        kind: what it is.
        reason: the figures the rule decided on.
        rule, version: which rule.
    """

    kind: Kind
    reason: str
    rule: str = RULE
    version: int = VERSION


@dataclass(frozen=True, slots=True, eq=False)
class _Shapes:
    """Figures of a batch of transactions, int64 (n,).

    Attributes:
        equal: spendable outputs that carry the most frequent value above dust; 0 if there is none.
        value: that value in sat, the smallest of several.
        outputs: spendable outputs.
        scripts: distinct scripts that are spent; 0 for a coinbase.
    """

    equal: I64
    value: I64
    outputs: I64
    scripts: I64

    def collaborative(self) -> npt.NDArray[np.bool_]:
        share = LEAST_SHARE * self.equal >= self.outputs
        return (self.equal >= LEAST_EQUAL) & share & (self.scripts >= self.equal)


def collaborative(rows: Rows, tx_index: int) -> Verdict:
    """Judge one transaction.

    Args:
        rows: a reader of the ledger.
        tx_index: the transaction, inside the snapshot.

    Method: METHODS.md 3.1, `generic`.
    """
    inputs, outputs = len(rows.inputs_of(tx_index)), len(rows.outputs_of(tx_index))
    if inputs < LEAST_EQUAL or outputs < LEAST_EQUAL:
        return Verdict(Kind.NONE, f"{inputs} inputs and {outputs} outputs; {LEAST_EQUAL} of each are needed")
    shapes = _shapes(rows, np.array([tx_index], np.int64))
    equal, value, spendable, scripts = (
        int(each[0]) for each in (shapes.equal, shapes.value, shapes.outputs, shapes.scripts)
    )
    if not equal:
        return Verdict(Kind.NONE, f"no spendable output of more than {DUST_SAT} sat")
    reason = f"{equal} of {spendable} spendable outputs carry {value} sat; {scripts} distinct scripts are spent"
    return Verdict(Kind.EQUAL_OUTPUT if shapes.collaborative()[0] else Kind.NONE, reason)


def collaborative_mask(rows: Rows, tx_index: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Judge many transactions: True where `collaborative` finds any kind but none.

    Args:
        rows: a reader of the ledger.
        tx_index: integers (n,), inside the snapshot.

    Returns:
        bool (n,).

    Method: METHODS.md 3.1, `generic`.
    """
    transactions = np.asarray(tx_index, np.int64).reshape(-1)
    mask = np.zeros(len(transactions), np.bool_)
    large = input_counts(rows, transactions) >= LEAST_EQUAL
    large &= output_counts(rows, transactions) >= LEAST_EQUAL
    asked = np.flatnonzero(large)
    if len(asked):
        mask[asked] = _shapes(rows, transactions[asked]).collaborative()
    return mask


def distinct_scripts(rows: Rows, inputs: Span) -> Span:
    """The distinct scripts that inputs spend: a span whose rows are script_ids, ascending in each transaction.

    Inputs of a coinbase are left out: they spend nothing.
    """
    spent = rows.column("input", "output")[inputs.row]
    real = spent != NONE
    scripts = rows.column("output", "script")[spent[real]].astype(np.int64)
    owner, scripts = _sorted_pairs(inputs.owner[real], scripts)
    first = _first_of_runs(owner, scripts)
    return Span(owner[first], scripts[first])


def _shapes(rows: Rows, transactions: I64) -> _Shapes:
    count = len(transactions)
    owner, row = outputs_of_many(rows, transactions)
    spendable = ~rows.unspendable_scripts(rows.column("output", "script")[row])
    owner, row = owner[spendable], row[spendable]
    outputs = np.bincount(owner, minlength=count)
    value = np.asarray(rows.column("output", "value_sat")[row], np.int64)
    large = value > DUST_SAT
    owner, value = _sorted_pairs(owner[large], value[large])
    first = np.flatnonzero(_first_of_runs(owner, value))
    length = np.diff(np.append(first, len(owner)))
    owner, value = owner[first], value[first]
    # By transaction, then the longest run, then the smallest value: the first of each transaction is its mode.
    order = np.lexsort((value, -length, owner))
    order = order[_first_of_runs(owner[order])]
    equal, mode = np.zeros(count, np.int64), np.zeros(count, np.int64)
    equal[owner[order]], mode[owner[order]] = length[order], value[order]
    spent = distinct_scripts(rows, inputs_of_many(rows, transactions))
    return _Shapes(equal, mode, outputs, np.bincount(spent.owner, minlength=count))


def _sorted_pairs(owner: I64, value: I64) -> tuple[I64, I64]:
    order = np.lexsort((value, owner))
    return owner[order], value[order]


def _first_of_runs(*keys: I64) -> npt.NDArray[np.bool_]:
    """True where any of the parallel sorted arrays differs from the row before."""
    first = np.ones(len(keys[0]), np.bool_)
    if len(first):
        first[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return first
