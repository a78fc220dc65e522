"""A shorter proof than the forest's: a search around both ends over all believed co-spends and same-key facts.

The forest keeps one way between two scripts, the oldest; later transactions may show it in fewer steps. The search is
breadth first from both ends, inside the snapshot, with a budget of scripts and rows (METHODS.md 1.3, last line).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.proof.explain import Step, as_steps, columns_of, explain
from cointrail.ledger.columns import Array, read_only

U32 = npt.NDArray[np.uint32]

MOST_SCRIPTS = 20_000
MOST_ROWS = 1 << 18
_MOST_FACTS = 1 << 20  # rows that are sorted sooner than somebody who waits notices


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why two scripts are in one cluster.

    Attributes:
        steps: the way, see `explain`; empty for one and the same script.
        forest_steps: how many steps the forest's own way has.
        shortest: True if no way has fewer steps; False if the search was cut off.
    """

    steps: tuple[Step, ...]
    forest_steps: int
    shortest: bool


def explain_shortly(
    forest: Forest, script_a: int, script_b: int, *, most_scripts: int = MOST_SCRIPTS, most_rows: int = MOST_ROWS
) -> Explanation | None:
    """The way between two scripts in as few steps as the budget finds; None if they are not linked.

    Args:
        forest: the clusters at a snapshot.
        script_a: where the way begins.
        script_b: where it ends.
        most_scripts: scripts after which the search gives up and the forest's way stands.
        most_rows: the same for rows of outputs and inputs.

    Raises:
        NotFound, Unavailable: as `explain`.

    Method: METHODS.md 1.3.
    """
    found = explain(forest, script_a, script_b)
    if found is None:
        return None
    if len(found) < 2:
        return Explanation(found, len(found), shortest=True)
    shorter, shortest = _search(forest, found, most_scripts, most_rows)
    return Explanation(shorter or found, len(found), shortest)


def _search(
    forest: Forest, steps: Sequence[Step], most_scripts: int, most_rows: int
) -> tuple[tuple[Step, ...] | None, bool]:
    """(a way of fewer steps or None, whether the search was complete)."""
    from cointrail.kernels.cluster import short_path as kernel

    reader = forest.reader

    def on_disk(table: str, name: str) -> Array:
        return read_only(reader.column_on_disk(table, name))

    facts, all_facts = _facts(forest, steps)
    history = kernel.History(
        last_output=on_disk("script", "last_output"),
        script=on_disk("output", "script"),
        previous=on_disk("output", "previous_same_script"),
        spender=read_only(reader.column("output", "spender")),
        outputs=reader.counts.output,
        fact_from=facts[0],
        fact_to=facts[1],
        fact_tx=facts[2],
    )
    state, rows = kernel.short_path(
        columns_of(forest), history, steps[0].script_x, steps[-1].script_y, len(steps), most_scripts, most_rows
    )
    found = as_steps(rows) if state == kernel.FOUND else None
    return found, all_facts and state != kernel.GAVE_UP


def _facts(forest: Forest, steps: Sequence[Step]) -> tuple[tuple[U32, U32, U32], bool]:
    """Same-key facts in both directions, (from, to, transaction) by the first; True if they are all there are."""
    column = forest.reader.column
    names = ("tx_index", "script_a", "script_b")
    complete = forest.reader.counts.same_key <= _MOST_FACTS
    if complete:
        times, one, other = (np.asarray(column("same_key", name), np.uint32) for name in names)
    else:
        known = [(step.tx_index, step.script_x, step.script_y) for step in steps if step.basis == "fact"]
        times, one, other = np.array(known, np.uint32).reshape(-1, 3).T
    source, target = np.concatenate([one, other]), np.concatenate([other, one])
    order = np.argsort(source, kind="stable")
    return (source[order], target[order], np.concatenate([times, times])[order]), complete
