"""The gate over a ledger: is a transaction the work of several people together?

If it is, its inputs say nothing about common control (METHODS.md 3.2). The rules stand in `reference`; a batch of some
size is judged by the compiled kernel, which the tests hold equal to them, and a few transactions by the plain rules
themselves, which need no compiler.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.gate import limits
from cointrail.cluster.gate.kinds import RULE_OF, VERSION_OF, VETO, Kind, Sign, kind_of
from cointrail.cluster.gate.reference import DENOMINATIONS, Coin, reason_of, signs_of_shape
from cointrail.cluster.spans import I64, Span
from cointrail.ledger.columns import Array, read_only
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

NOTHING = Sign(0)

U32 = npt.NDArray[np.uint32]

_FEW = 256  # transactions that are judged sooner than the compiler's library is loaded


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer about one transaction.

    Attributes:
        kind: what it is.
        signs: every sign it shows, informative ones too.
        reasons: for each sign, in the order of the bits, the figures its rule decided on.
    """

    kind: Kind
    signs: Sign
    reasons: tuple[str, ...]

    @property
    def reason(self) -> str:
        """All reasons in one line; empty if there is no sign."""
        return "; ".join(self.reasons)

    @property
    def rules(self) -> tuple[tuple[str, int], ...]:
        """(rule id, version) of each sign, beside its reason."""
        return tuple((RULE_OF[sign], VERSION_OF[sign]) for sign in Sign if sign in self.signs)


def collaborative(rows: Rows, tx_index: int) -> Verdict:
    """Judge one transaction, with reasons.

    Args:
        rows: a reader of the ledger.
        tx_index: the transaction, inside the snapshot.

    Method: METHODS.md 3.1 and 3.2, without lists.
    """
    inputs, outputs = _coins(rows, tx_index)
    signs = signs_of_shape(inputs, outputs)
    reasons = tuple(reason_of(sign, inputs, outputs) for sign in Sign if sign in signs)
    return Verdict(kind_of(signs), signs, reasons)


def signs_of(rows: Rows, tx_index: npt.ArrayLike, *, off: Sign = NOTHING) -> U32:
    """Find the signs of many transactions.

    Args:
        rows: a reader of the ledger.
        tx_index: integers (n,), inside the snapshot.
        off: signs that are not looked for.

    Returns:
        uint32 (n,), bits of `Sign`, LISTED never among them.

    Method: METHODS.md 3.1.
    """
    transactions = np.ascontiguousarray(np.asarray(tx_index, np.int64).reshape(-1))
    wanted = _ALL & ~int(off)
    if len(transactions) > _FEW:
        return compiled_signs(rows, transactions, wanted)
    return np.array([_plain_signs(rows, each, wanted) for each in transactions.tolist()], np.uint32)


def collaborative_mask(rows: Rows, tx_index: npt.ArrayLike, *, off: Sign = NOTHING) -> npt.NDArray[np.bool_]:
    """Judge many transactions: True where a veto sign shows.

    Args:
        rows: a reader of the ledger.
        tx_index: integers (n,), inside the snapshot.
        off: veto signs that do not count.

    Returns:
        bool (n,).

    Method: METHODS.md 3.2.
    """
    mask: npt.NDArray[np.bool_] = signs_of(rows, tx_index, off=off | _NO_VETO) != 0
    return mask


def distinct_scripts(rows: Rows, inputs: Span) -> Span:
    """The distinct scripts that inputs spend: a span whose rows are script_ids, ascending in each transaction.

    Inputs of a coinbase are left out: they spend nothing.
    """
    spent = rows.column("input", "output")[inputs.row]
    real = spent != NONE
    owner, scripts = inputs.owner[real], rows.column("output", "script")[spent[real]].astype(np.int64)
    order = np.lexsort((scripts, owner))
    owner, scripts = owner[order], scripts[order]
    first = np.ones(len(owner), np.bool_)
    first[1:] = (owner[1:] != owner[:-1]) | (scripts[1:] != scripts[:-1])
    return Span(owner[first], scripts[first])


def compiled_signs(rows: Rows, tx_index: I64, wanted: int) -> U32:
    """The signs of a batch by the compiled kernel, int64 (n,) to uint32 (n,)."""
    from cointrail.kernels.signs.gate import Columns, gate_signs
    from cointrail.kernels.signs.limits import Limits

    def column(table: str, name: str) -> Array:
        return read_only(rows.column(table, name))

    columns = Columns(
        first_input=column("transaction", "first_input"),
        first_output=column("transaction", "first_output"),
        spent=column("input", "output"),
        value=column("output", "value_sat"),
        script=column("output", "script"),
        script_type=column("script", "type"),
        payload=column("script", "payload"),
    )
    numbers = Limits(**{name: getattr(limits, name.upper()) for name in Limits._fields})
    signs = np.empty(len(tx_index), np.uint32)
    gate_signs(read_only(tx_index), columns, numbers, _DENOMINATIONS, wanted, signs)
    return signs


_ALL = sum(int(sign) for sign in Sign) & ~int(Sign.LISTED)
_NO_VETO = Sign(_ALL & ~int(VETO))
_DENOMINATIONS = np.array(sorted(DENOMINATIONS), np.int64)


def _plain_signs(rows: Rows, tx_index: int, wanted: int) -> int:
    inputs, outputs = len(rows.inputs_of(tx_index)), len(rows.outputs_of(tx_index))
    if inputs < 2 and (outputs < 3 or not wanted & Sign.TX0):
        return 0
    return int(signs_of_shape(*_coins(rows, tx_index))) & wanted


def _coins(rows: Rows, tx_index: int) -> tuple[Sequence[Coin], Sequence[Coin]]:
    """What a transaction spends, nothing for a coinbase, and all it makes."""
    made, inputs = rows.outputs_of(tx_index), rows.inputs_of(tx_index)
    spent = rows.column("input", "output")[inputs.start : inputs.stop].tolist()
    if NONE in spent:
        spent = []
    scripts: dict[int, bytes] = {}
    value, script = rows.column("output", "value_sat"), rows.column("output", "script")

    def coin(output: int) -> Coin:
        script_id = int(script[output])
        if script_id not in scripts:
            scripts[script_id] = rows.script_pubkey(script_id)
        return Coin(int(value[output]), scripts[script_id])

    return [coin(output) for output in spent], [coin(output) for output in made]
