"""The proof that the forest holds: how two scripts of a cluster came together, transaction by transaction.

METHODS.md 1.3: the last link between the two names a transaction; its groups lead from one side to the other, and both
sides are explained in turn by strictly earlier links. The groups are the ones that built the forest: gate, owner filter
and same-key facts. Assumes a forest that reaches the reader's snapshot.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster.forest.extend import CO_SPEND, SAME_KEY
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.kinds import VETO
from cointrail.errors import Unavailable
from cointrail.ledger.columns import Array, read_only

if TYPE_CHECKING:
    from cointrail.kernels.cluster.proof import Columns

I64 = npt.NDArray[np.int64]

_RULES = (CO_SPEND, SAME_KEY)  # by the code that the kernels give them


class Step(NamedTuple):
    """One transaction puts two scripts under common control.

    Attributes:
        tx_index: the transaction.
        rule, version: why. For `cospend` both scripts are spent there; for `same_key` it completes the proof that they
            are spellings of one key or script.
        script_x, script_y: script_ids, in the order of the way.
    """

    tx_index: int
    rule: str
    version: int
    script_x: int
    script_y: int

    @property
    def basis(self) -> Literal["fact", "inference"]:
        """Same-key rows are computed from the chain alone, a co-spend is believed."""
        return "fact" if self.rule == SAME_KEY[0] else "inference"


def explain(forest: Forest, script_a: int, script_b: int) -> tuple[Step, ...] | None:
    """The way from one script to another through the links of the forest.

    Args:
        forest: the clusters at a snapshot.
        script_a: where the way begins.
        script_b: where it ends.

    Returns:
        Steps of which each begins with the script the one before ended with; none if both are one script; None if they
        are not linked.

    Raises:
        NotFound: a script is not in the snapshot.
        Unavailable: the ledger is damaged: a link has no cause.

    Method: METHODS.md 1.3.
    """
    from cointrail.kernels.cluster.proof import tree_path

    forest.check_script(script_a)
    forest.check_script(script_b)
    state, steps = tree_path(columns_of(forest), script_a, script_b, forest.transactions)
    if state == 2:
        forest.reader.check_current()
        raise Unavailable(
            f"the link between scripts {script_a} and {script_b} has no transaction that explains it",
            hint="the ledger is damaged: run `cointrail verify`",
        )
    return None if state == 1 else as_steps(steps)


def as_steps(rows: I64) -> tuple[Step, ...]:
    """Rows of the kernels, int64 (s, 4), as steps; each begins with the script the one before ended with."""
    if not len(rows):
        return ()
    rules, versions = (np.array(each, object)[rows[:, 1]].tolist() for each in zip(*_RULES, strict=True))
    scripts = [*rows[:, 2].tolist(), int(rows[-1, 3])]
    cells = zip(rows[:, 0].tolist(), rules, versions, scripts[:-1], scripts[1:], strict=True)
    with _no_collection():
        # As `Step._make` does, without a Python call for each of a million steps.
        return tuple(map(tuple.__new__, repeat(Step), cells))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the collector from walking a million new tuples again and again: it takes three times as long as they do."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def columns_of(forest: Forest) -> "Columns":
    """What the kernels read, cut at the snapshot."""
    from cointrail.kernels.cluster.proof import Columns

    reader = forest.reader

    def column(table: str, name: str) -> Array:
        return read_only(reader.column(table, name))

    return Columns(
        parent=read_only(forest.parent),
        linked_at=read_only(forest.linked_at),
        first_input=column("transaction", "first_input"),
        inputs=reader.counts.input,
        spent=column("input", "output"),
        flags=column("input", "flags"),
        script=column("output", "script"),
        sign_tx=column("collaborative", "tx_index"),
        signs=column("collaborative", "signs"),
        fact_tx=column("same_key", "tx_index"),
        fact_a=column("same_key", "script_a"),
        fact_b=column("same_key", "script_b"),
        unowned=int(InputFlag.ANYONECANPAY),
        veto=int(VETO),
    )
