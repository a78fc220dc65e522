"""What may follow an input of a CoinJoin: a candidate set with probabilities, never a fact.

A probability is that of one satoshi of the input to lie on the output. What the amounts cannot tell apart shares
alike. Three readings, by the class that the gate gives:

- a Whirlpool mix: every participant brings one input and takes one output;
- Wasabi 1, JoinMarket, other equal outputs: `rounds` explains the input by payouts, which split it into the part that
  went to the denomination and the part that went to change;
- Wasabi 2, ambiguous and listed ones, and inputs that nothing explains: by what each output can hold of the input,
  `capacity`. Outputs larger than the input stay in the set: participants bring several inputs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import Kind
from cointrail.errors import UsageError
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE
from cointrail.trace.linkability.capacity import Capacities
from cointrail.trace.linkability.rounds import Payout, Round, explain, round_of

LINK_P: Final = 0.95
"""A successor is named from this probability on (METHODS.md 9, `link_p`)."""

_EXPLAINED = (Kind.WASABI1, Kind.JOINMARKET, Kind.EQUAL_OUTPUT)


class Reading(StrEnum):
    """How a share of an input is spread over its candidates."""

    DENOMINATION = "denomination"
    """Outputs of one value, one to each participant."""
    LEVEL = "level"
    """Outputs of one larger value that repeats."""
    CHANGE = "change"
    """Outputs that make the sums come out."""
    CAPACITY = "capacity"
    """All outputs, by what they can hold."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An output that a satoshi of the share may lie on; `vout` is its position in the transaction."""

    vout: int
    value_sat: int
    probability: Fraction


@dataclass(frozen=True, slots=True)
class Share:
    """A part of an input's satoshis, and where it may lie.

    Attributes:
        reading: how it is spread.
        part: of the input; the parts of an input sum to 1.
        sat: the same in satoshi; they sum to what was traced.
        candidates: in order of vout; their probabilities sum to 1.
        named: the vout that the input's participant holds with a probability of `link_p` or more, or None. That is not
            the candidate's own probability: of a share that is small or may not exist at all, nothing is named.
    """

    reading: Reading
    part: Fraction
    sat: int
    candidates: tuple[Candidate, ...]
    named: int | None


@dataclass(frozen=True, slots=True)
class Successors:
    """What may follow one input.

    Attributes:
        vin: the input; value_sat: its value; traced_sat: the part that is asked for.
        kind: what the gate calls the transaction.
        shares: the traced part, divided; empty if the transaction is not collaborative or has no output to follow.
    """

    vin: int
    value_sat: int
    traced_sat: int
    kind: Kind
    shares: tuple[Share, ...]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All shares together; the probabilities sum to 1."""
        total: dict[int, Fraction] = defaultdict(Fraction)
        values: dict[int, int] = {}
        for share in self.shares:
            for each in share.candidates:
                total[each.vout] += share.part * each.probability
                values[each.vout] = each.value_sat
        return tuple(Candidate(vout, values[vout], total[vout]) for vout in sorted(total))


def successors_of(
    rows: Rows,
    tx_index: int,
    traced: Iterable[tuple[int, int]],
    *,
    kind: Kind | None = None,
    link_p: float = LINK_P,
) -> Iterator[Successors]:
    """What may follow inputs of a transaction of a ledger, one after the other.

    Args:
        rows: a reader of the ledger.
        tx_index: the transaction.
        traced: (input position, traced sat of it) each.
        kind: what it is called, if the caller knows more than the gate, such as a list in force.
        link_p: from which probability on a successor is named.

    Raises:
        UsageError: a position is not of the transaction, or more is traced than the input holds.

    Method: METHODS.md 6.4 and 3; docs/methods/linkability.md.
    """
    inputs, outputs = values_of(rows, tx_index)
    made = rows.outputs_of(tx_index)
    scripts = rows.column("output", "script")[made.start : made.stop]
    unspendable = rows.unspendable_scripts(scripts).tolist()
    return successors(
        collaborative(rows, tx_index).kind if kind is None else kind,
        inputs,
        [0 if is_unspendable else value for value, is_unspendable in zip(outputs, unspendable, strict=True)],
        traced,
        link_p=link_p,
    )


def values_of(rows: Rows, tx_index: int) -> tuple[list[int], list[int]]:
    """Values in sat of a transaction's inputs, none for a coinbase, and of its outputs."""
    inputs, made = rows.inputs_of(tx_index), rows.outputs_of(tx_index)
    spent = rows.column("input", "output")[inputs.start : inputs.stop]
    values = rows.column("output", "value_sat")
    return values[spent[spent != NONE]].tolist(), values[made.start : made.stop].tolist()


def successors(
    kind: Kind,
    inputs: Sequence[int],
    outputs: Sequence[int],
    traced: Iterable[tuple[int, int]],
    *,
    link_p: float = LINK_P,
) -> Iterator[Successors]:
    """What may follow inputs of a transaction, one after the other.

    Args:
        kind: what the gate calls it; nothing follows from one it does not find collaborative.
        inputs: values in sat, in order.
        outputs: values in sat, in order; 0 for one that nobody can spend.
        traced: (input position, traced sat of it) each.
        link_p: from which probability on a successor is named.

    Raises:
        UsageError: as in `successors_of`, or `link_p` is no probability.
    """
    if not 0 < link_p <= 1:
        raise UsageError(f"{link_p} is no probability to name a successor from", hint="give more than 0, at most 1")
    found = round_of(kind, inputs, outputs) if kind in _EXPLAINED else None
    capacities = Capacities(inputs, outputs)
    named_from = Fraction(link_p).limit_denominator(1_000_000)
    for vin, traced_sat in traced:
        if not 0 <= vin < len(inputs) or not 0 <= traced_sat <= inputs[vin]:
            raise UsageError(
                f"{traced_sat} sat of input {vin} cannot be traced", hint="give an input and at most what it holds"
            )
        spreads = _spread(kind, found, vin, inputs[vin], outputs, capacities)
        shares = _shares(spreads, outputs, traced_sat, named_from)
        yield Successors(vin, inputs[vin], traced_sat, kind, shares)


class _Spread(NamedTuple):
    """By vout, the part of an input that lies there; `certainty` is the probability that its participant holds it."""

    parts: dict[int, Fraction]
    certainty: dict[int, Fraction]


def _spread(
    kind: Kind, found: Round | None, vin: int, value_sat: int, outputs: Sequence[int], capacities: Capacities
) -> dict[Reading, _Spread]:
    """Spread an input over the outputs; all parts sum to 1."""
    if kind is Kind.NONE or not value_sat or not any(outputs):
        return {}
    if kind is Kind.WHIRLPOOL:
        places = [vout for vout, value in enumerate(outputs) if value]
        even = dict.fromkeys(places, Fraction(1, len(places)))
        return {Reading.DENOMINATION: _Spread(even, even)}
    explained = _by_payouts(found, explain(found, vin)) if found else {}
    return explained or {Reading.CAPACITY: _by_capacity(capacities.of(value_sat))}


def _by_capacity(weights: Mapping[int, int]) -> _Spread:
    whole = sum(weights.values())
    parts = {vout: Fraction(weight, whole) for vout, weight in weights.items() if weight}
    return _Spread(parts, parts)


def _by_payouts(found: Round, payouts: Mapping[Payout, Fraction]) -> dict[Reading, _Spread]:
    """Spread an input over its payouts, each payout over its values, each value over the outputs that have it."""
    spreads: dict[Reading, _Spread] = {}
    places: dict[int, list[int]] = defaultdict(list)
    for vout, value in enumerate(found.outputs):
        places[value].append(vout)

    def add(reading: Reading, value: int, probability: Fraction, total_sat: int) -> None:
        spread = spreads.setdefault(reading, _Spread(defaultdict(Fraction), defaultdict(Fraction)))
        for vout in places[value]:
            spread.parts[vout] += probability * value / total_sat / len(places[value])
            spread.certainty[vout] += probability / len(places[value])

    for payout, probability in payouts.items():
        for value in payout.repeated:
            reading = Reading.DENOMINATION if value == found.denomination_sat else Reading.LEVEL
            add(reading, value, probability, payout.total_sat)
        if payout.change:
            add(Reading.CHANGE, payout.change, probability, payout.total_sat)
    return spreads


def _shares(
    spreads: Mapping[Reading, _Spread], outputs: Sequence[int], traced_sat: int, named_from: Fraction
) -> tuple[Share, ...]:
    wholes = [sum(spread.parts.values(), Fraction(0)) for spread in spreads.values()]
    sats = _in_satoshi(wholes, traced_sat)
    shares = []
    for (reading, spread), whole, sat in zip(spreads.items(), wholes, sats, strict=True):
        candidates = tuple(Candidate(vout, outputs[vout], spread.parts[vout] / whole) for vout in sorted(spread.parts))
        best = max(spread.certainty, key=lambda vout: spread.certainty[vout])
        named = best if spread.certainty[best] >= named_from else None
        shares.append(Share(reading, whole, sat, candidates, named))
    return tuple(shares)


def _in_satoshi(parts: Sequence[Fraction], total: int) -> list[int]:
    """Whole satoshis by largest remainder, ties to the first."""
    floors = [int(part * total) for part in parts]
    order = sorted(range(len(parts)), key=lambda at: floors[at] - parts[at] * total)
    for at in order[: total - sum(floors)]:
        floors[at] += 1
    return floors
