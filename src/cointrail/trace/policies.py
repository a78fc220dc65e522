"""How a transaction's traced inputs go to its outputs and its fee: pure rules, integers only.

A policy knows one transaction at a time and nothing of the ledger. It gets the values of all inputs and outputs, and
the traced part of some of them by position; it gives the traced part of the others. The fee is booked on an account
of its own and not propagated (METHODS.md 4.4, `fee: account`); backward, where a fee is never asked for, it takes
nothing. Further policies are further classes; the walk does not change.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from cointrail.trace.flow import Segments

I64 = npt.NDArray[np.int64]


class Part(NamedTuple):
    """The traced part of one output: how much, and which satoshis if the policy knows."""

    sat: int
    segments: Segments = ()


class Split(NamedTuple):
    """Traced parts by position, ascending, none of them 0, and what is left for the fee, in sat."""

    parts: dict[int, Part]
    rest_sat: int


class Policy(Protocol):
    """A taint policy."""

    @property
    def name(self) -> str:
        """Stable name, as in METHODS.md 4.1."""
        ...

    @property
    def version(self) -> int:
        """Raised when a result could differ."""
        ...

    def whole(self, value_sat: int) -> Part:
        """The part that is all of an output: a seed."""
        ...

    def forward(self, inputs: I64, outputs: I64, traced: Mapping[int, Part]) -> Split:
        """Traced parts of the outputs, from those of the inputs.

        Args:
            inputs: values of all inputs in sat, int64 (i,).
            outputs: values of all outputs in sat, int64 (o,); together at most the inputs.
            traced: by input position.
        """
        ...

    def backward(self, inputs: I64, outputs: I64, traced: Mapping[int, Part]) -> Split:
        """Parts of the inputs from which the traced parts of the outputs come; the rest is 0.

        Args:
            inputs: as in `forward`.
            outputs: as in `forward`.
            traced: by output position.
        """
        ...


class Fifo:
    """First in, first out: input satoshis in input order fill the outputs in output order, the last are the fee.

    Lossless: every satoshi of an output has one place in one input, so backward is the exact inverse of forward.

    Method: METHODS.md 4.2 (Clayton's case, 1816; Anderson, Shumailov et al. 2018).
    """

    name: Final = "fifo"
    version: Final = 1

    def whole(self, value_sat: int) -> Part:
        """All satoshis of an output."""
        return Part(value_sat, ((0, value_sat),) if value_sat else ())

    def forward(self, inputs: I64, outputs: I64, traced: Mapping[int, Part]) -> Split:
        """Segments of the inputs, cut at the outputs' edges."""
        return _lay_over(inputs, outputs, traced)

    def backward(self, inputs: I64, outputs: I64, traced: Mapping[int, Part]) -> Split:
        """Segments of the outputs, cut at the inputs' edges."""
        return _lay_over(outputs, inputs, traced)


class Haircut:
    """Pro rata: every output and the fee take the same share of the traced input, by largest remainder.

    Backward, the traced part of the outputs comes from all inputs in proportion to their values. That is the same
    convention read the other way and not an inverse.

    Method: METHODS.md 4.2 (Moeser, Boehme, Breuker 2014).
    """

    name: Final = "haircut"
    version: Final = 1

    def whole(self, value_sat: int) -> Part:
        """All of an output."""
        return Part(value_sat)

    def forward(self, inputs: I64, outputs: I64, traced: Mapping[int, Part]) -> Split:
        """Shares of the outputs and of the fee, which is the last part."""
        fee_sat = int(inputs.sum()) - int(outputs.sum())
        *shares, rest = _pro_rata(sum(part.sat for part in traced.values()), [*outputs.tolist(), fee_sat])
        return Split(_nonzero(shares), rest)

    def backward(self, inputs: I64, outputs: I64, traced: Mapping[int, Part]) -> Split:
        """Shares of the inputs."""
        return Split(_nonzero(_pro_rata(sum(part.sat for part in traced.values()), inputs.tolist())), 0)


FIFO: Final = Fifo()
HAIRCUT: Final = Haircut()
POLICIES: Final[Mapping[str, Policy]] = {policy.name: policy for policy in (FIFO, HAIRCUT)}


def _pro_rata(total: int, weights: Sequence[int]) -> list[int]:
    """Divide a total in proportion to weights, by largest remainder, ties by lower index.

    Python integers: the products pass 64 bits. No share exceeds its weight if the total does not exceed their sum.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares, remainders = [], []
    for weight in weights:
        share, remainder = divmod(total * weight, whole)
        shares.append(share)
        remainders.append(remainder)
    missing = total - sum(shares)
    if missing:
        for index in sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)[:missing]:
            shares[index] += 1
    return shares


def _nonzero(shares: Sequence[int]) -> dict[int, Part]:
    return {position: Part(share) for position, share in enumerate(shares) if share}


def _lay_over(source: I64, target: I64, traced: Mapping[int, Part]) -> Split:
    """Lay the source's satoshis side by side over the target's, and cut the traced segments at the target's edges.

    Args:
        source: values in sat, int64 (s,).
        target: values in sat, int64 (t,).
        traced: parts by source position.

    Returns:
        Parts by target position; the rest lies beyond the end of the target.
    """
    begin, end = _intervals(source, traced)
    filled = np.cumsum(target)
    last_edge = max(int(source.sum()), int(filled[-1]))
    edges = np.concatenate((np.zeros(1, np.int64), filled, np.array([last_edge])))
    # Each interval touches the places first .. last; places without value in between are dropped below.
    first = np.searchsorted(edges, begin, "right") - 1
    counts = np.searchsorted(edges, end, "left") - first
    interval = np.repeat(np.arange(len(begin)), counts)
    place = np.arange(len(interval)) - (np.cumsum(counts) - counts - first)[interval]
    left, right = np.maximum(begin[interval], edges[place]), np.minimum(end[interval], edges[place + 1])
    kept = left < right
    place, left, right = place[kept], left[kept], right[kept]
    joined = np.zeros(len(place), np.bool_)
    joined[1:] = (place[1:] == place[:-1]) & (left[1:] == right[:-1])
    start = np.flatnonzero(~joined)
    length = np.add.reduceat(right - left, start) if len(start) else left
    pieces: dict[int, list[tuple[int, int]]] = {}
    for at, offset, sat in zip(
        place[start].tolist(), (left - edges[place])[start].tolist(), length.tolist(), strict=True
    ):
        pieces.setdefault(at, []).append((offset, sat))
    rest = sum(sat for _, sat in pieces.pop(len(target), []))
    return Split({at: Part(sum(sat for _, sat in each), tuple(each)) for at, each in pieces.items()}, rest)


def _intervals(source: I64, traced: Mapping[int, Part]) -> tuple[I64, I64]:
    """The traced segments as [begin, end) over all source satoshis, ascending."""
    segments = [(position, *segment) for position in sorted(traced) for segment in traced[position].segments]
    position, offset, length = np.array(segments, np.int64).reshape(-1, 3).T
    begin = (np.cumsum(source) - source)[position] + offset
    return begin, begin + length
