"""Fingerprint of a transaction: what its form shows about the program that made it, and where that program went on.

One record for people, one 64-bit word for batches (`kernels.fingerprint`); both say the same. Unknown is a value of
its own: taproot signatures have no R, one input has no order. `continuation` and `origin` are the steps of a peel chain
at level L3: leads only (METHODS.md 2.5; docs/methods/fingerprint.md).
"""

from dataclasses import dataclass
from enum import StrEnum
from math import factorial

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.spans import I64
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

RULE = "continuation"
VERSION = 1

SMALLEST_PEEL_SAT = 1_000
"""Less is no payment but a carrier of tokens (METHODS.md 2.5)."""

U64 = npt.NDArray[np.uint64]


class LockTime(StrEnum):
    """Class of a lock time: none, a height the chain had reached, anything else."""

    ZERO = "zero"
    HEIGHT = "height"
    OTHER = "other"


class LowR(StrEnum):
    """Do the ECDSA signatures have an R of 32 bytes? `LOW` needs three inputs that show it, one `HIGH` is proof."""

    UNKNOWN = "unknown"
    LOW = "low"
    HIGH = "high"


class Order(StrEnum):
    """Are inputs and outputs in the order of BIP69? `TOO_SMALL`: yes, but one in fewer than 24 orders is."""

    TOO_SMALL = "too_small"
    SORTED = "sorted"
    UNSORTED = "unsorted"


class KeyForm(StrEnum):
    """Form of the public keys that the inputs show."""

    UNKNOWN = "unknown"
    COMPRESSED = "compressed"
    UNCOMPRESSED = "uncompressed"
    MIXED = "mixed"


class InputOrder(StrEnum):
    """An order in which all inputs stand."""

    VALUE_ASCENDING = "value_ascending"
    VALUE_DESCENDING = "value_descending"
    OLDEST_FIRST = "oldest_first"
    NEWEST_FIRST = "newest_first"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Form of one transaction.

    Attributes:
        version: its version, signed.
        lock_time: class of its lock time.
        replaceable: an input signals replaceability (BIP125: a sequence below 0xfffffffe).
        segwit: an input has a witness.
        low_r: class of its ECDSA signatures.
        bip69: class of its order.
        input_types: script types of what it spends, ascending; empty for a coinbase.
        key_form: of the keys its inputs show.
        input_order: the orders its inputs stand in; None with fewer than three inputs.
        feerate_msat_vb: fee x 1000 / vsize, rounded down; -1 for a coinbase.
    """

    version: int
    lock_time: LockTime
    replaceable: bool
    segwit: bool
    low_r: LowR
    bip69: Order
    input_types: tuple[ScriptType, ...]
    key_form: KeyForm
    input_order: tuple[InputOrder, ...] | None
    feerate_msat_vb: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain of transactions with the same fingerprint.

    Attributes:
        output: the output that leads on or back, or -1 where the chain ends.
        reason: why, in words.
        rule, version: which rule.
    """

    output: int
    reason: str
    rule: str = RULE
    version: int = VERSION


def words_of(rows: Rows, tx_index: I64) -> tuple[U64, I64]:
    """Fingerprint many transactions.

    Args:
        rows: a reader of the ledger.
        tx_index: int64 (n,).

    Returns:
        The packed words, uint64 (n,), whose fields stand in `kernels.fingerprint`, and fee x 1000 / vsize, int64 (n,),
        -1 for a coinbase.

    Method: METHODS.md 2.5; BIP69, BIP125.
    """
    from cointrail.kernels.signs.fingerprint import BIP69, TIED, fingerprint_words

    # Each once, in chain order: that halves the time where many transactions have the same spender.
    distinct, back = np.unique(np.asarray(tx_index, np.int64), return_inverse=True)
    words, feerates = np.zeros(len(distinct), np.uint64), np.zeros(len(distinct), np.int64)
    names = ("first_input", "first_output", "version", "lock_time", "weight", "txid")
    columns = [rows.column("transaction", name) for name in names]
    columns += [rows.column("input", name) for name in ("output", "sequence", "flags")]
    columns += [rows.column("output", name) for name in ("value_sat", "script")]
    columns += [rows.column("script", "type"), rows.column("block", "first_transaction")]
    fingerprint_words(*(distinct, *columns, words, feerates))
    tied = np.flatnonzero((words >> np.uint64(BIP69)) & np.uint64(3) == TIED)
    for at in tied.tolist():
        words[at] ^= np.uint64((TIED ^ _order_of_tied(rows, int(distinct[at]))) << BIP69)
    return words[back], feerates[back]


def fingerprint_of(rows: Rows, tx_index: int) -> Fingerprint:
    """Fingerprint one transaction.

    Args:
        rows: a reader of the ledger.
        tx_index: the transaction, inside the snapshot.

    Method: METHODS.md 2.5.
    """
    words, feerates = words_of(rows, np.array([tx_index], np.int64))
    return unpack(int(words[0]), int(feerates[0]))


def unpack(word: int, feerate_msat_vb: int) -> Fingerprint:
    """The record that a word stands for."""
    from cointrail.kernels.signs import fingerprint as fields

    known = (word >> fields.ORDER_KNOWN) & 1
    orders = (word >> fields.ORDER) & 15
    version = word & 0xFFFFFFFF
    return Fingerprint(
        version=version - (1 << 32) if version >> 31 else version,
        lock_time=list(LockTime)[(word >> fields.LOCK_TIME) & 3],
        replaceable=bool((word >> fields.REPLACEABLE) & 1),
        segwit=bool((word >> fields.SEGWIT) & 1),
        low_r=list(LowR)[(word >> fields.LOW_R) & 3],
        bip69=list(Order)[(word >> fields.BIP69) & 3],
        input_types=tuple(kind for kind in ScriptType if (word >> fields.TYPES >> kind) & 1),
        key_form=list(KeyForm)[(word >> fields.KEY) & 3],
        input_order=tuple(each for bit, each in enumerate(InputOrder) if (orders >> bit) & 1) if known else None,
        feerate_msat_vb=feerate_msat_vb,
    )


def same_program(one: U64, two: U64) -> npt.NDArray[np.bool_]:
    """True where two words agree in version, lock time, replaceability, witness, input types, low R and BIP69.

    What is unknown or too small to tell on one side contradicts nothing. Key form, order of inputs and fee rate are no
    part of F (METHODS.md 2.5).

    Args:
        one: uint64.
        two: uint64, of a shape that broadcasts with `one`.
    """
    from cointrail.kernels.signs import fingerprint as fields

    exact = np.uint64(
        0xFFFFFFFF | 3 << fields.LOCK_TIME | 1 << fields.REPLACEABLE | 1 << fields.SEGWIT | 0xFFF << fields.TYPES
    )
    agree = (one ^ two) & exact == 0
    for shift in (fields.LOW_R, fields.BIP69):
        left, right = ((word >> np.uint64(shift)) & np.uint64(3) for word in (one, two))
        agree &= (left == right) | (left == 0) | (right == 0)
    return np.asarray(agree, np.bool_)


def continuation(rows: Rows, tx_index: int) -> Step:
    """The one output with which the program that made a transaction went on: next(tx).

    Args:
        rows: a reader of the ledger.
        tx_index: the transaction, inside the snapshot.

    Method: METHODS.md 2.5, after Kappos et al. 2022.
    """
    outputs = np.array(rows.outputs_of(tx_index), np.int64)
    values = rows.column("output", "value_sat")[outputs]
    if len(outputs) > 1 and int(values.min()) < SMALLEST_PEEL_SAT:
        return Step(NONE, f"an output of {int(values.min())} sat is no peel: less than {SMALLEST_PEEL_SAT}")
    inputs = rows.spenders(outputs)
    outputs, inputs = outputs[inputs != NONE], inputs[inputs != NONE]
    if not len(outputs):
        return Step(NONE, "no output is spent")
    words, _ = words_of(rows, np.append(rows.transaction_of_inputs(inputs), tx_index))
    found = outputs[same_program(words[:-1], words[-1:]) & _of_types(rows, outputs, words[-1:])]
    return _only(found, "spent output is continued", "spent outputs are continued")


def origin(rows: Rows, tx_index: int) -> Step:
    """The one spent output whose transaction the same program made: prev(tx).

    Args:
        rows: a reader of the ledger.
        tx_index: the transaction, inside the snapshot.

    Method: METHODS.md 2.5, after Kappos et al. 2022.
    """
    if rows.is_coinbase(tx_index):
        return Step(NONE, "a coinbase spends nothing")
    inputs = rows.inputs_of(tx_index)
    outputs = np.array(rows.column("input", "output")[inputs.start : inputs.stop], np.int64)
    words, _ = words_of(rows, np.append(rows.transaction_of_outputs(outputs), tx_index))
    found = outputs[same_program(words[:-1], words[-1:]) & _of_types(rows, outputs, words[:-1])]
    return _only(found, "spent output continues", "spent outputs continue")


def _of_types(rows: Rows, outputs: I64, words: U64) -> npt.NDArray[np.bool_]:
    """True for outputs of a script type that the transaction itself spends."""
    from cointrail.kernels.signs.fingerprint import TYPES

    types = rows.column("script", "type")[rows.column("output", "script")[outputs]].astype(np.uint64)
    return np.asarray((words >> (np.uint64(TYPES) + types)) & np.uint64(1) == 1, np.bool_)


def _only(found: I64, one: str, several: str) -> Step:
    if len(found) == 1:
        return Step(int(found[0]), f"one {one} by a transaction of the same form")
    return Step(NONE, f"{len(found) or 'no'} {several} by a transaction of the same form; exactly one is needed")


def _order_of_tied(rows: Rows, tx_index: int) -> int:
    """Class of a transaction in order but for equal values that stand side by side: there the scripts decide."""
    from cointrail.kernels.signs.fingerprint import LEAST_ORDERS, SORTED, TOO_SMALL, UNSORTED

    inputs, outputs = rows.inputs_of(tx_index), rows.outputs_of(tx_index)
    values = rows.column("output", "value_sat")[outputs.start : outputs.stop].tolist()
    scripts = [rows.script_pubkey(int(each)) for each in rows.column("output", "script")[outputs.start : outputs.stop]]
    pairs = list(zip(values, scripts, strict=True))
    if pairs != sorted(pairs):
        return int(UNSORTED)
    orders = factorial(min(len(inputs), LEAST_ORDERS)) * factorial(min(len(outputs), LEAST_ORDERS))
    return int(SORTED if orders >= LEAST_ORDERS else TOO_SMALL)
