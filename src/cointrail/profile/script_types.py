"""Which types of scripts a wallet is paid on, and how often it is paid on the same one again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.script import ScriptType
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.profile.moves import Selection

I64 = npt.NDArray[np.int64]

_TYPES = max(ScriptType) + 1


@dataclass(frozen=True, slots=True)
class TypeSums:
    """What was received on scripts of one type; satoshi and counts. `unspent_sat` of it could be spent at the end."""

    script_type: ScriptType
    scripts: int
    outputs: int
    received_sat: int
    unspent_outputs: int
    unspent_sat: int


@dataclass(frozen=True, slots=True)
class Reuse:
    """How scripts were paid again.

    Attributes:
        paid: scripts that were paid at all.
        again: of them those that two transactions or more paid.
        after_spending: those that were paid after they had been spent from: their key had been shown by then.
        most: transactions that paid one and the same.
    """

    paid: int
    again: int
    after_spending: int
    most: int


def by_type(reader: Reader, found: Selection) -> tuple[TypeSums, ...]:
    """Sums by type of script, the type with the most received first."""
    moves = found.moves
    kinds = reader.column("script", "type")[moves.scripts]
    made, live = np.flatnonzero(found.made), np.flatnonzero(found.unspent)
    is_paid = np.zeros(len(moves.scripts), np.bool_)
    is_paid[moves.owner[made]] = True
    scripts = np.bincount(kinds[is_paid], minlength=_TYPES)
    outputs, received = _by_kind(kinds[moves.owner[made]], moves.values[made])
    unspent, balance = _by_kind(kinds[moves.owner[live]], moves.values[live])
    sums = [
        TypeSums(
            script_type=ScriptType(kind),
            scripts=int(scripts[kind]),
            outputs=int(outputs[kind]),
            received_sat=int(received[kind]),
            unspent_outputs=int(unspent[kind]),
            unspent_sat=int(balance[kind]),
        )
        for kind in np.flatnonzero(scripts).tolist()
    ]
    return tuple(sorted(sums, key=lambda each: (-each.received_sat, int(each.script_type))))


def _by_kind(kind: npt.NDArray[np.uint8], values: I64) -> tuple[I64, I64]:
    """(how many, their value) of each type."""
    sums = np.zeros(_TYPES, np.int64)
    np.add.at(sums, kind, values)
    return np.bincount(kind, minlength=_TYPES), sums


def reuse(found: Selection) -> Reuse:
    """How often scripts were paid again, in the transactions that a filter keeps."""
    moves = found.moves
    made = np.flatnonzero(found.made)
    owner, tx = moves.owner[made], moves.made[made]
    if len(moves.scripts) > 1:
        order = np.argsort(owner, kind="stable")  # chain order inside each script stays
        owner, tx = owner[order], tx[order]
    new = np.ones(len(owner), np.bool_)
    new[1:] = (owner[1:] != owner[:-1]) | (tx[1:] != tx[:-1])
    times = np.bincount(owner[new], minlength=len(moves.scripts))
    return Reuse(
        paid=int(np.count_nonzero(times)),
        again=int(np.count_nonzero(times > 1)),
        after_spending=_paid_after_spending(found, owner, tx),
        most=int(times.max(initial=0)),
    )


def _paid_after_spending(found: Selection, owner: I64, tx: I64) -> int:
    moves = found.moves
    never = np.iinfo(np.int64).max
    last_paid = np.full(len(moves.scripts), NONE, np.int64)
    np.maximum.at(last_paid, owner, tx)
    first_spent = np.full(len(moves.scripts), never, np.int64)
    gone = (moves.spent != NONE) & (moves.spent < found.end)
    np.minimum.at(first_spent, moves.owner[gone], moves.spent[gone])
    return int(np.count_nonzero(last_paid > first_spent))
