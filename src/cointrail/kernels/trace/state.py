"""What a trace knows so far, as growable columns, and what it reads.

A *part* is the traced piece of one output, or of the virtual outputs of METHODS.md 4: the fee of a transaction and the
subsidy of a coinbase. A *piece* is a run of satoshis of one label inside a part. A *step* is a transaction that traced
value passed. Rows are only ever appended; `counters` says how many exist. The agenda is a binary heap of (key, part).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U8 = npt.NDArray[np.uint8]

PARTS, PIECES, STEPS, WAITING, COALESCED, WANTED_PARTS, WANTED_PIECES, WANTED_SIDE = range(8)  # of `State.counters`
SOURCES, TARGETS, ARRIVED = range(3)  # of `Crossing.size`


plain = njit(nogil=True, cache=True, _nrt=False)  # type: ignore[call-overload]  # numba's stubs lack its own option
"""Compiles a function that allocates nothing: without counting who refers to the columns, which took half the time."""

allocating = njit(nogil=True, cache=True, _nrt=True)  # type: ignore[call-overload]
"""Compiles one that does, and that `plain` functions may call: what it is not told it takes from its caller."""


class Chain(NamedTuple):
    """Columns of a ledger, cut at a snapshot, and how many rows they stand for. Method: docs/reference/store-format."""

    first_transaction: U32
    first_input: I64
    first_output: I64
    spent: I64
    value: I64
    script: U32
    spender: I64
    transactions: int
    inputs: int
    outputs: int
    halving_interval: int
    parent: U32
    linked_at: U32
    last_child: U32
    child_size: U32
    parent_size: U32
    previous_sibling: U32
    merges: int
    sign_tx: U32
    signs: U32


class State(NamedTuple):
    """A trace between two steps.

    Attributes:
        output: int64 (parts,), output_index, or a virtual output (`fee_of`, `subsidy_of`).
        sat: int64 (parts,), traced satoshis.
        first_piece: int64 (parts + 1,), where the pieces of each part begin.
        hops: uint32 (parts,), fewest transactions since a seed.
        reason: uint8 (parts,), 0 while it goes on, else why it ended.
        detail: uint32 (parts,), number of the service, or what the gate saw.
        next_step: int64 (parts,), the step that consumed it, or -1.
        label: uint32 (pieces,); offset, length: int64 (pieces,), in satoshi inside the output.
        tx: int64 (steps,), tx_index; first_part: int64 (steps + 1,), the parts it made.
        key, part: int64 (waiting,), the agenda.
        counters: int64, see above.
    """

    output: I64
    sat: I64
    first_piece: I64
    hops: U32
    reason: U8
    detail: U32
    next_step: I64
    label: U32
    offset: I64
    length: I64
    tx: I64
    first_part: I64
    key: I64
    part: I64
    counters: I64


class Crossing(NamedTuple):
    """The transaction that is being crossed, in columns that are used again and again.

    Attributes:
        values, part_of: int64 (sources,), of what it takes from, forward its inputs: satoshis, and the part each brings
            or -1.
        targets, names: int64 (targets,), of what it gives to, forward its outputs and the fee last: satoshis, and which
            real or virtual output it is.
        amounts, counts, visited: int64 (targets,), written by a policy: traced satoshis and pieces of each target, and
            the targets in the order in which their pieces follow one another.
        arrived: int64, the parts that came.
        size: int64 (3,), how many sources, targets and parts there are.
    """

    values: I64
    part_of: I64
    targets: I64
    names: I64
    amounts: I64
    counts: I64
    visited: I64
    arrived: I64
    size: I64


def crossing(side: int, arrived: int) -> Crossing:
    """Room for a transaction of so many inputs or outputs, and so many parts that arrive at it."""
    sides = {name: np.empty(side, np.int64) for name in Crossing._fields[:7]}
    return Crossing(**sides, arrived=np.empty(arrived, np.int64), size=np.zeros(3, np.int64))


def empty(parts: int = 64, pieces: int = 64, steps: int = 32) -> State:
    """A state of no rows with room for some."""
    return State(
        output=np.empty(parts, np.int64),
        sat=np.empty(parts, np.int64),
        first_piece=np.zeros(parts + 1, np.int64),
        hops=np.empty(parts, np.uint32),
        reason=np.empty(parts, np.uint8),
        detail=np.empty(parts, np.uint32),
        next_step=np.empty(parts, np.int64),
        label=np.empty(pieces, np.uint32),
        offset=np.empty(pieces, np.int64),
        length=np.empty(pieces, np.int64),
        tx=np.empty(steps, np.int64),
        first_part=np.zeros(steps + 1, np.int64),
        key=np.empty(parts, np.int64),
        part=np.empty(parts, np.int64),
        counters=np.zeros(WANTED_SIDE + 1, np.int64),
    )


def grown(state: State) -> State:
    """The same state with at least the room that `counters` asks for; a column with enough stays as it is."""
    parts, pieces = (int(state.counters[each]) for each in (WANTED_PARTS, WANTED_PIECES))
    steps = int(state.counters[STEPS]) + 1

    def room(column: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
        if rows <= len(column):
            return column
        larger = np.empty(max(rows, 2 * len(column)), column.dtype)
        larger[: len(column)] = column
        return larger

    by_part = {name: room(getattr(state, name), parts) for name in _BY_PART}
    by_piece = {name: room(getattr(state, name), pieces) for name in ("label", "offset", "length")}
    tx = room(state.tx, steps)
    ends = {
        "first_piece": room(state.first_piece, len(by_part["output"]) + 1),
        "first_part": room(state.first_part, len(tx) + 1),
    }
    return state._replace(tx=tx, **by_part, **by_piece, **ends)


def used(state: State) -> dict[str, npt.NDArray[Any]]:
    """The rows that exist, without the agenda."""
    parts, pieces, steps = (int(state.counters[each]) for each in (PARTS, PIECES, STEPS))
    rows = dict.fromkeys(("output", "sat", "hops", "reason", "detail", "next_step"), parts)
    rows |= dict.fromkeys(("label", "offset", "length"), pieces)
    rows |= {"first_piece": parts + 1, "tx": steps, "first_part": steps + 1}
    return {name: getattr(state, name)[:count] for name, count in rows.items()}


def filled(rows: Mapping[str, npt.NDArray[Any]]) -> State:
    """A state of these rows, with an empty agenda."""
    parts, pieces, steps = len(rows["output"]), len(rows["label"]), len(rows["tx"])
    state = empty(max(parts, 1), max(pieces, 1), max(steps, 1))
    for name, cells in rows.items():
        getattr(state, name)[: len(cells)] = cells
    state.counters[[PARTS, PIECES, STEPS]] = parts, pieces, steps
    return state


_BY_PART = ("output", "sat", "hops", "reason", "detail", "next_step", "key", "part")


@plain
def fee_of(tx):
    """The virtual output that is a transaction's fee, or what a coinbase leaves unclaimed."""
    return -2 - 2 * tx


@plain
def subsidy_of(tx):
    """The virtual output that is the new money of a coinbase."""
    return -3 - 2 * tx


@plain
def push(state, key, part):
    """Put a part on the agenda."""
    keys, parts = state.key, state.part
    at = state.counters[WAITING]
    state.counters[WAITING] += 1
    while at > 0:
        above = (at - 1) // 2
        if keys[above] <= key:
            break
        keys[at], parts[at] = keys[above], parts[above]
        at = above
    keys[at], parts[at] = key, part


@plain
def pop(state):
    """Take a part of the smallest key from the agenda, which is not empty."""
    keys, parts = state.key, state.part
    first = parts[0]
    state.counters[WAITING] -= 1
    count = state.counters[WAITING]
    key, part = keys[count], parts[count]
    at = 0
    below = 1
    while below < count:
        if below + 1 < count and keys[below + 1] < keys[below]:
            below += 1
        if key <= keys[below]:
            break
        keys[at], parts[at] = keys[below], parts[below]
        at = below
        below = 2 * at + 1
    keys[at], parts[at] = key, part
    return first
