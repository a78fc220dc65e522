"""One transaction by its amounts: how many readings they allow, which links all of them share, what may follow.

Nothing here is a fact: the figures say what amounts allow, and a candidate set is a set.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import RULE_OF, VERSION_OF, Kind, Sign, kind_of
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import INFERENCE, Basis, Rule, SnapshotName
from cointrail.service.names import find_transaction, moment, snapshot_name, txid_of
from cointrail.trace.linkability.exact import MOST_STEPS
from cointrail.trace.linkability.links import RULE, VERSION, Links, links_of
from cointrail.trace.linkability.successors import LINK_P, Share, Successors, successors_of, values_of

MOST_ROWS = 10_000
"""Rows of each list unless asked otherwise."""

Exact = int | str
"""A whole number; beyond 2^53, where JSON readers lose digits, as text."""

_EXACT_IN_JSON = 1 << 53


@dataclass(frozen=True, slots=True)
class AmountAnswer:
    """An input or output by its position (vin, vout)."""

    position: int
    value_sat: int


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """An input and an output, and the share of all interpretations that link them."""

    vin: int
    vout: int
    numerator: Exact
    denominator: Exact
    probability: float


@dataclass(frozen=True, slots=True)
class PairAnswer:
    """An input and an output that every interpretation links."""

    vin: int
    vout: int


@dataclass(frozen=True, slots=True)
class TierAnswer:
    """Outputs of one value, which amounts cannot tell apart.

    If one of them is somebody's, no single one can be named with more than `named_at_most`.
    """

    value_sat: int
    outputs: int
    named_at_most: float


@dataclass(frozen=True, slots=True)
class CandidateAnswer:
    """An output on which a satoshi of the share may lie, and with which probability."""

    vout: int
    value_sat: int
    numerator: Exact
    denominator: Exact
    probability: float


@dataclass(frozen=True, slots=True)
class ShareAnswer:
    """A part of an input and where it may lie; the probabilities sum to 1.

    `reading` is denomination, level, change or capacity. `named_vout` is an output that this input's participant holds
    with a probability of `link_p` or more, or None.
    """

    vin: int
    reading: str
    sat: int
    named_vout: int | None
    candidates: tuple[CandidateAnswer, ...]


@dataclass(frozen=True, slots=True)
class LinkabilityAnswer:
    """What the amounts of one transaction allow.

    `interpretations` is None and `links` is empty if they were not counted; `reason` then says why. `deterministic`
    holds all deterministic links if `deterministic_complete`. `tiers` and `candidates` are given for collaborative
    transactions only. Lists are cut at the number of rows asked for: `links_total` and `deterministic_total` count all
    rows, `candidates_complete` is False if inputs were left out.
    """

    txid: str
    height: int
    collaborative: str
    inputs: tuple[AmountAnswer, ...]
    outputs: tuple[AmountAnswer, ...]
    fee_sat: int
    max_cj_fee_sat: int
    complete: bool
    reason: str
    interpretations: Exact | None
    entropy_bits: float | None
    links: tuple[LinkAnswer, ...]
    links_total: int
    deterministic: tuple[PairAnswer, ...]
    deterministic_total: int
    deterministic_complete: bool
    tiers: tuple[TierAnswer, ...]
    link_p: float
    candidates: tuple[ShareAnswer, ...]
    candidates_complete: bool
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Basis = INFERENCE


def linkability(
    reader: Reader,
    txid: str,
    *,
    max_cj_fee_sat: int = 0,
    vins: Sequence[int] | None = None,
    link_p: float = LINK_P,
    most: int = MOST_ROWS,
    most_steps: int = MOST_STEPS,
) -> LinkabilityAnswer:
    """Count the interpretations of a transaction, and give what may follow its inputs if it is a CoinJoin.

    Args:
        reader: the ledger at a snapshot.
        txid: the transaction.
        max_cj_fee_sat: most that one participant may earn from the others, for the count.
        vins: inputs whose candidates are given; all of them if not given.
        link_p: from which probability on a successor is named.
        most: rows of each list at most.
        most_steps: effort of the count at most; the same number is needed on every machine.

    Raises:
        InputRefused: not a txid.
        NotFound: not in this snapshot.
        UsageError: a negative fee, effort or row count, an input that is not there, `link_p` is no probability.
        Unavailable: the ledger has no clusters up to the snapshot.
    """
    if most < 1:
        raise UsageError(f"{most} rows cannot be given", hint="give 1 or more")
    tx_index = find_transaction(reader, txid)[-1]
    inputs, outputs = values_of(reader, tx_index)
    traced = _traced(inputs, vins)
    links = links_of(inputs, outputs, max_cj_fee_sat=max_cj_fee_sat, most_steps=most_steps)
    kind, rules, found = _followers(reader, tx_index, traced, link_p)
    shares, all_given = _shares(found, most)
    return LinkabilityAnswer(
        txid=txid_of(reader, tx_index),
        height=moment(reader, tx_index).height,
        collaborative=str(kind),
        inputs=_amounts(inputs),
        outputs=_amounts(outputs),
        fee_sat=sum(inputs) - sum(outputs) if inputs else 0,
        max_cj_fee_sat=max_cj_fee_sat,
        complete=links.complete,
        reason=f"not computed: {links.reason}" if links.reason else "",
        interpretations=None if links.interpretations is None else exact(links.interpretations),
        entropy_bits=None if links.entropy_bits is None else round(links.entropy_bits, 6),
        links=tuple(islice(_links(links), most)),
        links_total=links.spent.number * links.paid.number if links.complete else 0,
        deterministic=tuple(islice(_pairs(links), most)),
        deterministic_total=_number(links),
        deterministic_complete=links.certain_are_all,
        tiers=tuple(islice(_tiers(links), most)) if kind is not Kind.NONE else (),
        link_p=link_p,
        candidates=shares,
        candidates_complete=all_given,
        rules=(Rule(RULE, VERSION), *rules),
        snapshot=snapshot_name(reader),
    )


def _followers(
    reader: Reader, tx_index: int, traced: Iterable[tuple[int, int]], link_p: float
) -> tuple[Kind, tuple[Rule, ...], Iterator[Successors]]:
    """What the transaction is called, by which rules, and what may follow its inputs."""
    gate = collaborative(reader, tx_index)
    listed = Forest(reader).sign(tx_index) & Sign.LISTED
    kind = kind_of(int(gate.signs | listed))
    rules = [Rule(rule, version) for rule, version in gate.rules]
    rules += [Rule(RULE_OF[Sign.LISTED], VERSION_OF[Sign.LISTED])] * bool(listed)
    # A list says that it is a CoinJoin; the shape, if it has one, says how to read it.
    reading = kind if gate.kind is Kind.NONE else gate.kind
    return kind, tuple(rules), successors_of(reader, tx_index, traced, kind=reading, link_p=link_p)


def _traced(inputs: Sequence[int], vins: Sequence[int] | None) -> list[tuple[int, int]]:
    """The inputs that are asked for, with all they hold."""
    chosen = range(len(inputs)) if vins is None else vins
    for vin in chosen:
        if not 0 <= vin < len(inputs):
            raise UsageError(f"the transaction has {len(inputs)} inputs that spend, no input {vin}")
    return [(vin, inputs[vin]) for vin in chosen]


def _amounts(values: Sequence[int]) -> tuple[AmountAnswer, ...]:
    return tuple(AmountAnswer(position, value) for position, value in enumerate(values))


def exact(value: int) -> Exact:
    """A whole number that survives JSON."""
    return value if abs(value) <= _EXACT_IN_JSON else str(value)


def _links(links: Links) -> Iterator[LinkAnswer]:
    """All links, the most probable first."""
    if links.interpretations is None:
        return
    by_ways: dict[int, list[tuple[int, int]]] = {}
    for i, row in enumerate(links.ways):
        for o, ways in enumerate(row):
            by_ways.setdefault(ways, []).append((i, o))
    for ways in sorted(by_ways, reverse=True):
        share = Fraction(ways, links.interpretations)
        for vin, vout in _positions(links, by_ways[ways]):
            yield LinkAnswer(vin, vout, exact(share.numerator), exact(share.denominator), float(share))


def _pairs(links: Links) -> Iterator[PairAnswer]:
    yield from (PairAnswer(vin, vout) for vin, vout in _positions(links, links.certain))


def _positions(links: Links, values: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(vin, vout) of pairs of values, ascending."""
    spent, paid = links.spent.positions, links.paid.positions
    return sorted((vin, vout) for i, o in values for vin in spent[i] for vout in paid[o])


def _number(links: Links) -> int:
    spent, paid = links.spent.counts, links.paid.counts
    return sum(spent[i] * paid[o] for i, o in links.certain)


def _tiers(links: Links) -> Iterator[TierAnswer]:
    for value, number in zip(links.paid.values, links.paid.counts, strict=True):
        if number > 1:
            yield TierAnswer(value, number, 1 / number)


def _shares(found: Iterator[Successors], most: int) -> tuple[tuple[ShareAnswer, ...], bool]:
    """Shares of one input after the other until there are enough rows, and whether those are all."""
    answers: list[ShareAnswer] = []
    rows = 0
    for each in found:
        rows += sum(len(share.candidates) for share in each.shares)
        if rows > most and answers:
            return tuple(answers), False
        answers += [_share(each.vin, share) for share in each.shares]
    return tuple(answers), True


def _share(vin: int, share: Share) -> ShareAnswer:
    candidates = tuple(
        CandidateAnswer(
            each.vout, each.value_sat, exact(each.probability.numerator), exact(each.probability.denominator),
            float(each.probability),
        )
        for each in share.candidates
    )  # fmt: skip
    return ShareAnswer(vin, str(share.reading), share.sat, share.named, candidates)
