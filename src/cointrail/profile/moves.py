"""Everything that happened to the scripts of a wallet, and the transactions in which it did.

What a profile says is a sum over these columns. One definition with `cointrail address`: an output counts as received
whether or not it can ever be spent, and belongs to the balance while it can.
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from cointrail.cluster.structure.activity import activity
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.profile.window import Window

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_FEW = 1_000  # outputs that are followed one by one, without compiled code


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """The outputs that pay a wallet, in chain order, and what became of them.

    Attributes:
        scripts: int64 (n,), script_ids, ascending.
        outputs, values: int64 (m,), output_index ascending, and satoshi.
        owner: int64 (m,), place in `scripts` of the script that is paid.
        made: int64 (m,), transaction that made each.
        spender, spent: int64 (m,), input that spends each and its transaction, -1 where there is none.
        gone: int64 (k,), places of those that are spent, in the order in which they are.
        lost: int64 (m,), transaction of the same txid that made it unspendable (BIP30), or -1.
        spendable: bool (m,), False for what could never be spent: OP_RETURN and its like, the genesis output.
    """

    scripts: I64
    outputs: I64
    values: I64
    owner: I64
    made: I64
    spender: I64
    spent: I64
    gone: I64
    lost: I64
    spendable: Flags

    def unspent_at(self, end: int) -> Flags:
        """What can be spent after the transactions below `end`; bool (m,)."""
        gone = ((self.spent != NONE) & (self.spent < end)) | ((self.lost != NONE) & (self.lost < end))
        found: Flags = self.spendable & (self.made < end) & ~gone
        return found


def moves_of(reader: Reader, scripts: I64) -> Moves:
    """Collect what happened to some scripts.

    Args:
        reader: the ledger at a snapshot.
        scripts: int64 (n,), script_ids of the snapshot, ascending and distinct.

    Raises:
        Unavailable: the ledger is damaged.
    """
    owner, outputs = _outputs(reader, scripts)
    values, spender = reader.column("output", "value_sat")[outputs], reader.spenders(outputs)
    spent, lost = np.full(len(outputs), NONE, np.int64), np.full(len(outputs), NONE, np.int64)
    gone = np.flatnonzero(spender != NONE)
    gone = gone[np.argsort(spender[gone])]
    spent[gone] = reader.transaction_of_inputs(spender[gone])
    overwritten = np.flatnonzero(reader.overwritten(outputs))
    lost[overwritten] = -2 - reader.column("output", "spender")[outputs[overwritten]]
    genesis = reader.outputs_of(0)
    spendable = ~reader.unspendable_scripts(scripts)[owner] & ~((outputs >= genesis.start) & (outputs < genesis.stop))
    return Moves(
        scripts=scripts,
        outputs=outputs,
        values=np.asarray(values, np.int64),
        owner=owner,
        made=reader.transaction_of_outputs(outputs),
        spender=spender,
        spent=spent,
        gone=gone,
        lost=lost,
        spendable=spendable,
    )


def _outputs(reader: Reader, scripts: I64) -> tuple[I64, I64]:
    """(owner, output) of every output that pays one of the scripts, in chain order."""
    few = _few_outputs(reader, scripts)
    if few is None:
        found = activity(reader, scripts)
        owner, outputs = found.owner.astype(np.int64), found.outputs
    else:
        owner, outputs = few
    if len(scripts) == 1:
        return owner, outputs[::-1]
    order = np.argsort(outputs, kind="stable")
    return owner[order], outputs[order]


def _few_outputs(reader: Reader, scripts: I64) -> tuple[I64, I64] | None:
    """The same, newest first in each script, if they are few: then nothing has to be compiled."""
    if len(scripts) > _FEW:
        return None
    owner: list[int] = []
    outputs: list[int] = []
    for place, script in enumerate(scripts.tolist()):
        found = list(islice(reader.outputs_of_script(script), _FEW + 1 - len(outputs)))
        owner += [place] * len(found)
        outputs += found
        if len(outputs) > _FEW:
            return None
    return np.array(owner, np.int64), np.array(outputs, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Touched:
    """The transactions that pay a wallet or spend from it.

    Attributes:
        tx: int64 (t,), ascending.
        height: int64 (t,).
        received, spent: int64 (t,), satoshi that came and went.
        outputs, inputs: int64 (t,), how many of the wallet's.
        made_at, spent_at: int64 (m,), place in `tx` of each output's transaction, and of the one that spends it, or -1.
    """

    tx: I64
    height: I64
    received: I64
    spent: I64
    outputs: I64
    inputs: I64
    made_at: I64
    spent_at: I64

    def kept(self, asked: Window) -> Flags:
        """The transactions that a filter keeps, bool (t,)."""
        keep: Flags = (self.height >= asked.first) & (self.height <= asked.last)
        moved = np.abs(self.received - self.spent)
        if asked.least_sat is not None:
            keep &= moved >= asked.least_sat
        if asked.most_sat is not None:
            keep &= moved <= asked.most_sat
        return keep


def touched(reader: Reader, moves: Moves) -> Touched:
    """The transactions of some moves, with what each moved."""
    gone = moves.gone
    spending = moves.spent[gone]
    both = np.concatenate((moves.made, spending))
    both.sort(kind="stable")  # two ascending halves are merged
    new = np.ones(len(both), np.bool_)
    new[1:] = both[1:] != both[:-1]
    tx = both[new]
    made_at = np.searchsorted(tx, moves.made)
    spent_at = np.full(len(moves.outputs), NONE, np.int64)
    spent_at[gone] = np.searchsorted(tx, spending)
    received, spent = np.zeros(len(tx), np.int64), np.zeros(len(tx), np.int64)
    np.add.at(received, made_at, moves.values)
    np.add.at(spent, spent_at[gone], moves.values[gone])
    return Touched(
        tx=tx,
        height=reader.height_of_transactions(tx),
        received=received,
        spent=spent,
        outputs=np.bincount(made_at, minlength=len(tx)),
        inputs=np.bincount(spent_at[gone], minlength=len(tx)),
        made_at=made_at,
        spent_at=spent_at,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What a filter leaves of a wallet.

    Attributes:
        asked: the filter.
        moves, touched: all that happened to the wallet.
        keep: bool (t,), transactions that count.
        made, spent: bool (m,), outputs that were made, or spent, in one of them.
        end: the first transaction behind the filter's last block.
        unspent: bool (m,), outputs made in one of them that could be spent at the end of that block.
    """

    asked: Window
    moves: Moves
    touched: Touched
    keep: Flags
    made: Flags
    spent: Flags
    end: int
    unspent: Flags


def select(reader: Reader, scripts: I64, asked: Window) -> Selection:
    """What happened to some scripts, as far as a filter keeps it.

    Args:
        reader: the ledger at a snapshot.
        scripts: int64 (n,), script_ids of the snapshot, ascending and distinct.
        asked: the filter.

    Raises:
        Unavailable: the ledger is damaged.
    """
    moves = moves_of(reader, scripts)
    found = touched(reader, moves)
    keep = found.kept(asked)
    made = keep[found.made_at]
    spent = (found.spent_at != NONE) & keep[found.spent_at]
    end = end_of(reader, asked.last)
    return Selection(asked, moves, found, keep, made, spent, end, made & moves.unspent_at(end))


def end_of(reader: Reader, height: int) -> int:
    """The first transaction behind a block; 0 for a height below all."""
    if height >= reader.height:
        return reader.counts.transaction
    return int(reader.column("block", "first_transaction")[height + 1])
