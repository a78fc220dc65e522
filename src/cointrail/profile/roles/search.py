"""All deposit addresses of a service at once, searched backward from its scripts (`deposit_address` 2).

The same rule as `trace.finders.deposits`, which looks at one script at a time, in another order: what pays the service
alone, in scripts that pay others, is a sweep; what sweeps empty may be deposit addresses; those all of whose spends
are sweeps that empty nothing else are. No step is a loop over rows. Method: METHODS.md 7.1.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.spans import inputs_of_many
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.profile.roles.histories import (
    Histories,
    any_by,
    distinct_by,
    histories,
    middle_by,
    payers_of,
    times_of,
    unique_pairs,
)
from cointrail.trace.finders.deposits import LIMITS, MILLION, MOST_OUTPUTS, DepositLimits
from cointrail.trace.services import NO_SERVICE, Services

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class DepositTable:
    """Deposit addresses of one service; columns as `trace.finders.deposits.Deposit`, int64 (n,).

    Attributes:
        service: its number.
        scripts: ascending.
        sure: bool (n,), `Standing.DEPOSIT`; the others are likely ones.
    """

    service: int
    scripts: I64
    sure: Mask
    sweeps: I64
    funders: I64
    siblings: I64
    payers: I64
    dwell_seconds: I64
    swept_ppm: I64
    score_ppm: I64

    def __len__(self) -> int:
        return len(self.scripts)


@dataclass(frozen=True, slots=True, eq=False)
class _Sweeps:
    """Sweeps of a service and what they empty.

    Attributes:
        tx_index: int64 (s,), ascending.
        public: bool (s,), whether it pays a public till.
        owner: int64 (e,), ascending: which sweep; script, output: int64 (e,), what it empties but the service's own.
    """

    tx_index: I64
    public: Mask
    owner: I64
    script: I64
    output: I64


def scripts_of(forest: Forest, services: Services, service: int) -> I64:
    """All scripts that are said to be a service's: tagged ones and those of its clusters. int64 (n,), ascending."""
    parts = [services.scripts[services.script_service == service]]
    parts += [forest.members(root)[0] for root in services.roots[services.root_service == service].tolist()]
    found = np.unique(np.concatenate(parts).astype(np.int64))
    return np.asarray(found[services.of(forest, found) == service], np.int64)


def deposits_of(
    reader: Reader, forest: Forest, services: Services, service: int, limits: DepositLimits = LIMITS
) -> DepositTable:
    """Search all deposit addresses of a service.

    Args:
        reader: the ledger at a snapshot.
        forest: its clusters.
        services: who is known.
        service: the number of one.
        limits: thresholds.

    Raises:
        Unavailable: the ledger is damaged.
    """
    sweeps = _sweeps(reader, forest, services, service, limits)
    strange = np.unique(sweeps.script)
    asked = strange[services.of(forest, strange) == NO_SERVICE]
    past = histories(reader, asked, MOST_OUTPUTS)
    emptied = ~any_by(past.owner, past.spent & ~_is_in(past.spenders, sweeps.tx_index), len(asked))
    emptied &= any_by(past.owner, past.spent, len(asked))
    at = np.minimum(np.searchsorted(asked, sweeps.script), max(len(asked) - 1, 0))
    good = (asked[at] == sweeps.script) & emptied[at] if len(asked) else np.zeros(len(at), np.bool_)
    clean = ~any_by(sweeps.owner, ~good, len(sweeps.tx_index))
    place = np.searchsorted(sweeps.tx_index, past.spenders)
    inside = past.spent & _is_in(past.spenders, sweeps.tx_index)
    emptied &= ~any_by(past.owner[inside], ~clean[place[inside]], len(asked))
    return _judged(reader, forest, services, (service, past, emptied, sweeps), limits)


def _is_in(asked: I64, among: I64) -> Mask:
    """Whether values are among others, which ascend."""
    if not len(among):
        return np.zeros(len(asked), np.bool_)
    found: Mask = among[np.minimum(np.searchsorted(among, asked), len(among) - 1)] == asked
    return found


def _sweeps(reader: Reader, forest: Forest, services: Services, service: int, limits: DepositLimits) -> _Sweeps:
    past = histories(reader, scripts_of(forest, services, service))
    order = np.argsort(past.outputs)
    outputs, makers = past.outputs[order], past.makers[order]

    def whole(tx_index: I64) -> Mask:
        first, end = reader.output_bounds(tx_index)
        alone: Mask = np.searchsorted(outputs, end) - np.searchsorted(outputs, first) == end - first
        return alone

    newest = np.arange(len(past.owner)) - np.searchsorted(past.owner, past.owner) < MOST_OUTPUTS
    looked = newest & past.spent
    tills = any_by(past.owner[looked], ~whole(past.spenders[looked]), len(past.scripts))
    paid = np.unique(makers)
    paid = paid[whole(paid)]
    paid = paid[~_is_in(paid, np.unique(makers[~tills[past.owner[order]]]))]
    _, payer = payers_of(reader, forest, services, past.makers)
    public = _public(past, newest & (payer != service), ~whole(past.makers), limits)
    open_ = _is_in(paid, np.unique(makers[public[past.owner[order]]]))
    span = inputs_of_many(reader, paid)
    spent = np.asarray(reader.column("input", "output")[span.row], np.int64)
    known = spent != NONE
    script = np.asarray(reader.column("output", "script")[spent[known]], np.int64)
    strange = services.of(forest, script) != service
    return _Sweeps(paid, open_, span.owner[known][strange], script[strange], spent[known][strange])


def _judged(
    reader: Reader,
    forest: Forest,
    services: Services,
    found: tuple[int, Histories, Mask, _Sweeps],
    limits: DepositLimits,
) -> DepositTable:
    """Measure the scripts that sweeps alone empty, and keep those within the limits."""
    service, past, emptied, sweeps = found
    count = len(past.scripts)
    root, payer = payers_of(reader, forest, services, past.makers)
    others = payer != service
    funders = distinct_by(past.owner[others], root[others], count)
    came, gone = times_of(reader, past.makers), past.spent
    left = times_of(reader, past.spenders[gone])
    dwell = middle_by(past.owner[gone], left - came[gone], count)
    newest = int(reader.column("block", "median_time")[reader.height])
    due = gone | (came <= newest - limits.dwell_seconds)
    whole = past.sums(np.where(due, past.values, 0))
    swept = _share(past.sums(np.where(gone, past.values, 0)), whole)
    scripts, payers = _support(reader, forest, services, service, sweeps)
    ours, sweep = unique_pairs(past.owner[gone], np.searchsorted(sweeps.tx_index, past.spenders[gone]))
    ours, sweep = ours[emptied[ours]], sweep[emptied[ours]]
    times = np.bincount(ours, minlength=count).astype(np.int64)
    siblings, most_payers, support = (np.zeros(count, np.int64) for _ in range(3))
    np.maximum.at(siblings, ours, scripts[sweep] - 1)
    np.maximum.at(most_payers, ours, payers[sweep])
    many = ~sweeps.public & (scripts > limits.min_siblings)
    np.maximum.at(support, ours, np.where(many, payers, 0)[sweep])
    private = any_by(ours, ~sweeps.public[sweep], count)
    support = np.maximum(support, np.where(private, funders, 0))
    kept = emptied & (funders > 0) & (dwell < limits.dwell_seconds) & (swept >= limits.swept_ppm)
    sure = (times >= limits.min_sweeps) | (support >= limits.min_funders)
    score = MILLION * (times + 1) // (times + 2)
    columns = (funders, siblings, most_payers, dwell, swept, score)
    return DepositTable(service, past.scripts[kept], sure[kept], times[kept], *(each[kept] for each in columns))


def _support(reader: Reader, forest: Forest, services: Services, service: int, sweeps: _Sweeps) -> tuple[I64, I64]:
    """How many scripts each sweep empties but the service's, and how many clusters but the service's paid them."""
    root, payer = payers_of(reader, forest, services, reader.transaction_of_outputs(sweeps.output))
    others = payer != service
    count = len(sweeps.tx_index)
    return (
        distinct_by(sweeps.owner, sweeps.script, count),
        distinct_by(sweeps.owner[others], root[others], count),
    )


def _public(past: Histories, outsiders: Mask, beside: Mask, limits: DepositLimits) -> Mask:
    """Which of a service's scripts outsiders pay beside other payments; bool (n,).

    Args:
        past: outputs of the service's scripts.
        outsiders: bool (m,), those among the newest that somebody else made.
        beside: bool (m,), those whose maker pays others too.
        limits: thresholds.
    """
    counted = outsiders & (past.values >= limits.dust_sat)
    whole, part = past.sums(counted), past.sums(counted & beside)
    public: Mask = (whole > 0) & (MILLION * part >= limits.public_ppm * whole)
    return public


def _share(part: I64, whole: I64) -> I64:
    """Millionths, rounded down; a product of satoshis and a million passes 2^63, so in two steps."""
    found = np.zeros(len(part), np.int64)
    some = whole > 0
    high, rest = np.divmod(part[some] * 1_000, whole[some])
    found[some] = high * 1_000 + rest * 1_000 // whole[some]
    return found
