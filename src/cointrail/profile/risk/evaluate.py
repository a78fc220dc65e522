"""Rules on an exposure: for each rule what it selects, what it asks, its arithmetic, its points.

Every rule of the set is in the result, also those that add nothing, and every satoshi that a rule counts names the row
of the exposure it lies in. O(rules x arrivals). A rule for several categories counts a service once, whichever of them
tags give it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.attribution.categories import one_spelling
from cointrail.profile.exposure.exposure import Exposure, Side
from cointrail.profile.exposure.figures import BEFORE, DURING, ENDED, NOT_KNOWN, share_ppm, when_listed
from cointrail.profile.risk.rules import ANY, Listed, Reach, Rule

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

RULE, VERSION = "risk", 2
UNNAMED = "of no category"

_DAY = 86_400
_LISTED = {Listed.UNKNOWN: NOT_KNOWN, Listed.BEFORE: BEFORE, Listed.AFTER: DURING, Listed.ENDED: ENDED}


@dataclass(frozen=True, slots=True)
class Input:
    """Satoshis that a rule counts, and the row of the exposure they lie in."""

    row: str
    sat: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule asks of its satoshis together."""

    name: str
    least: int
    found: int

    @property
    def met(self) -> bool:
        """Whether it is enough."""
        return self.found >= self.least


@dataclass(frozen=True, slots=True)
class Component:
    """What one rule says; `points` is 0 if a condition is not met. `sat` of `gross_sat` is what it counts."""

    rule: Rule
    inputs: tuple[Input, ...]
    sat: int
    gross_sat: int
    conditions: tuple[Condition, ...]
    points: int
    arithmetic: str

    @property
    def met(self) -> bool:
        """Whether all conditions are."""
        return all(each.met for each in self.conditions)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The sum of the components; `ceiling` is what all rules together can add."""

    score: int
    ceiling: int
    components: tuple[Component, ...]

    @property
    def arithmetic(self) -> str:
        """The sum, written out."""
        added = [str(each.points) for each in self.components if each.points]
        return f"{' + '.join(added) or '0'} = {self.score}"

    @property
    def privacy_alone(self) -> bool:
        """True if every point comes from a rule that looks at nothing but privacy tools."""
        added = [each for each in self.components if each.points]
        return bool(added) and all(each.rule.on_privacy for each in added)


def row_name(side: Side, category: str, entity: str, *, direct: bool) -> str:
    """The name of a row of an exposure."""
    return f"{side}/{category}/{entity}/{Reach.DIRECT if direct else Reach.INDIRECT}"


def rest_name(side: Side, reason: str) -> str:
    """The name of a row of what ended elsewhere."""
    return f"{side}/rest/{reason}"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One side of an exposure as rules see it.

    Attributes:
        exposure: what was found.
        days: int64 (a,), whole days between each arrival and the snapshot's block; 0 if that is earlier.
        listed: uint8 (a,), before, during or after the listing, or not known (`exposure.figures`).
    """

    exposure: Exposure
    days: I64
    listed: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, exposure: Exposure, times: I64, now: int) -> "Seen":
        """An exposure, the block times of its arrivals, and that of the snapshot's block."""
        listed = np.full(len(times), NOT_KNOWN, np.uint8)
        for service in np.unique(exposure.service).tolist():
            rows = exposure.service == service
            listed[rows] = when_listed(exposure.services.sanction_of(service), times[rows])
        return cls(exposure, np.maximum(now - times, 0) // _DAY, listed)

    def category(self, service: int) -> str:
        """The category under which an exposure lists a service."""
        return self.exposure.services.kinds[service] or UNNAMED

    def categories(self, service: int) -> frozenset[str]:
        """All that tags say a service is: a stronger tag must not hide that a weaker one calls it sanctioned."""
        return frozenset(self.exposure.services.categories_of(service) or (one_spelling(UNNAMED),))


def evaluate(rules: Sequence[Rule], seen: Mapping[Side, Seen]) -> Evaluation:
    """Apply rules to both sides of an exposure."""
    components = tuple(_component(rule, seen[rule.side]) for rule in rules)
    return Evaluation(sum(each.points for each in components), sum(rule.ceiling for rule in rules), components)


def _component(rule: Rule, seen: Seen) -> Component:
    inputs = tuple(_of_stops(rule, seen) if rule.stops else _of_services(rule, seen))
    sat, gross = sum(each.sat for each in inputs), seen.exposure.gross_sat
    conditions = (
        Condition("min_sat", rule.min_sat, sat),
        Condition("min_share_ppm", rule.min_share_ppm, share_ppm(sat, gross)),
    )
    points = rule.points(sat, gross) if sat and all(each.met for each in conditions) else 0
    return Component(rule, inputs, sat, gross, conditions, points, _arithmetic(rule, sat, gross, points, conditions))


def _of_stops(rule: Rule, seen: Seen) -> Iterator[Input]:
    for reason, sat in seen.exposure.rest.items():
        if str(reason) in rule.stops:
            yield Input(rest_name(rule.side, str(reason)), sat)


def _of_services(rule: Rule, seen: Seen) -> Iterator[Input]:
    exposure = seen.exposure
    wanted = [each for each in np.unique(exposure.service).tolist() if _counts(rule, seen, each)]
    chosen: Flags = np.isin(exposure.service, wanted)
    if rule.listed is not Listed.ANY:
        chosen &= seen.listed == _LISTED[rule.listed]
    if rule.max_hops is not None:
        chosen &= exposure.hops <= rule.max_hops
    if rule.within_days is not None:
        chosen &= seen.days <= rule.within_days
    for direct in (True, False):
        if rule.reach is (Reach.INDIRECT if direct else Reach.DIRECT):
            continue
        rows = np.flatnonzero(chosen & (exposure.direct == direct))
        for service in np.unique(exposure.service[rows]).tolist():
            name = row_name(rule.side, seen.category(service), exposure.services.names[service], direct=direct)
            yield Input(name, int(exposure.sat[rows[exposure.service[rows] == service]].sum()))


def _counts(rule: Rule, seen: Seen, service: int) -> bool:
    if rule.entities and seen.exposure.services.names[service] not in rule.entities:
        return False
    asked = {one_spelling(each) for each in rule.categories}
    return not asked or ANY in asked or not asked.isdisjoint(seen.categories(service))


def _arithmetic(rule: Rule, sat: int, gross: int, points: int, conditions: Sequence[Condition]) -> str:
    if rule.informative:
        return "informative: adds nothing"
    if not sat:
        return "nothing was found: 0"
    for each in conditions:
        if not each.met:
            return f"{each.name}: {each.found:,} is less than {each.least:,}: 0"
    terms = []
    if rule.fixed:
        terms.append(str(rule.fixed))
    if rule.by_share:
        terms.append(f"{rule.by_share} x {sat:,} / {gross:,} rounded down ({rule.by_share * sat // gross})")
    cap = "" if rule.most is None else f", at most {rule.most}"
    return f"{' + '.join(terms)}{cap} = {points}"
