"""Who may be behind a wallet: every name that somebody gives it, with what speaks for and against each.

No winner is chosen. A name may be used for what it is, an attribution, if one assertion of at least `authority_data`
gives it, or two bases that do not depend on one another; else it is a lead only (RELIABILITY.md 5, rule 4). One source
told many times is one basis. `heuristic` and `unknown` tags are no basis. Behaviour fits a category and never a name,
so it is shown and founds nothing. Two names that could both be used are disputed, both.

Method: docs/methods/attribution.md.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Final

from cointrail.attribution.claims import Claim, Reach
from cointrail.attribution.confidence import CONFIDENCE, NAMES
from cointrail.attribution.homoglyphs import skeleton

RULE: Final = ("attribution_standing", 2)

LEAST_BASIS: Final = CONFIDENCE["web_crawl"]
"""Least level of an assertion that counts as a basis."""

BASES: Final = 2

SHOWN_CLAIMS: Final = 25
"""Claims for and against a name that are kept, and names that look like it; claims are counted all."""


class Standing(StrEnum):
    """What may be done with a name."""

    ATTRIBUTED = "attributed"
    """May be written, always with who attributes."""
    DISPUTED = "disputed"
    """Could be written, if another name could not be written as well."""
    LEAD = "lead only"
    """Says where to look next."""


@dataclass(frozen=True, slots=True)
class Observation:
    """An inference from behaviour that fits some categories, such as "behaves like a service".

    Attributes:
        rule, version: what infers it.
        text: in words, with its score.
        fits: categories that it speaks for; of others it speaks against those in `against`.
        against: categories that it speaks against.
    """

    rule: str
    version: int
    text: str
    fits: frozenset[str]
    against: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One name.

    Attributes:
        name: identifier of the actor, or a label.
        labels: how it is written, most frequent first.
        aliases: who says that another name is this one, in sentences, ascending.
        categories: that are given to it.
        level: highest of the assertions for it.
        bases: what they rest on, independent of one another, ascending.
        supports, contradicts: how many claims there are for it, and for others.
        for_claims, against_claims: the strongest `SHOWN_CLAIMS` of them, the highest level first.
        fits, misfits: observations for and against its category.
        looks_like: other names here that can be mistaken for it, the first `SHOWN_CLAIMS`.
        standing: what may be done with it.
    """

    name: str
    labels: tuple[str, ...]
    aliases: tuple[str, ...]
    categories: tuple[str, ...]
    level: int
    bases: tuple[str, ...]
    supports: int
    contradicts: int
    for_claims: tuple[Claim, ...]
    against_claims: tuple[Claim, ...]
    fits: tuple[Observation, ...]
    misfits: tuple[Observation, ...]
    looks_like: tuple[str, ...]
    standing: Standing


def hypotheses(claims: Iterable[Claim], observations: Sequence[Observation] = ()) -> tuple[Hypothesis, ...]:
    """Every name, the best founded first.

    Args:
        claims: about one wallet; those of `Reach.OTHER` are shown, and are no basis.
        observations: about it.
    """
    everybody = _Everybody(claims)
    found = [_hypothesis(name, everybody, observations) for name in everybody.by_name]
    if sum(each.standing is Standing.ATTRIBUTED for each in found) > 1:
        found = [_disputed(each) if each.standing is Standing.ATTRIBUTED else each for each in found]
    return tuple(sorted(found, key=lambda each: (each.standing is Standing.LEAD, -each.level, each.name)))


class _Everybody:
    """All claims by the name they give, and all names by how they look; one address may have a million reports."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._strongest_first = _ordered(claims)
        self.by_name: defaultdict[str, list[Claim]] = defaultdict(list)
        for claim in self._strongest_first:
            self.by_name[claim.stated.name].append(claim)
        self.total = len(self._strongest_first)
        self._look = {name: skeleton(name) for name in self.by_name}
        self._looking: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self.by_name):
            self._looking[self._look[name]].append(name)

    def against(self, name: str) -> tuple[Claim, ...]:
        """The strongest claims for others."""
        others = (claim for claim in self._strongest_first if claim.stated.name != name)
        return tuple(islice(others, SHOWN_CLAIMS))

    def alike(self, name: str) -> tuple[str, ...]:
        """Other names that look the same."""
        return tuple(islice((other for other in self._looking[self._look[name]] if other != name), SHOWN_CLAIMS))


def _hypothesis(name: str, everybody: _Everybody, observations: Sequence[Observation]) -> Hypothesis:
    claims = everybody.by_name[name]
    categories = _frequent(claim.stated.statement.category for claim in claims)
    concepts = {concept for claim in claims for concept in claim.stated.statement.concepts}.union(categories)
    founding = [claim for claim in claims if claim.reach is not Reach.OTHER]
    level = max((claim.stated.level for claim in founding), default=0)
    bases = {claim.stated.basis for claim in founding if claim.stated.level >= LEAST_BASIS}
    return Hypothesis(
        name=name,
        labels=_frequent(claim.stated.statement.label for claim in claims),
        aliases=tuple(sorted({aliased for claim in claims if (aliased := claim.stated.aliased)})),
        categories=categories,
        level=level,
        bases=tuple(sorted(bases)),
        supports=len(claims),
        contradicts=everybody.total - len(claims),
        for_claims=tuple(claims[:SHOWN_CLAIMS]),
        against_claims=everybody.against(name),
        fits=tuple(each for each in observations if each.fits & concepts),
        misfits=tuple(each for each in observations if each.against & concepts and not each.fits & concepts),
        looks_like=everybody.alike(name),
        standing=Standing.ATTRIBUTED if level >= NAMES or len(bases) >= BASES else Standing.LEAD,
    )


def _disputed(each: Hypothesis) -> Hypothesis:
    return replace(each, standing=Standing.DISPUTED)


def _ordered(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The highest level first; ties in an order that depends on nothing but what is said."""
    return tuple(sorted(claims, key=lambda each: (-each.stated.level, repr(each))))


def _frequent(texts: Iterable[str]) -> tuple[str, ...]:
    counts = Counter(text for text in texts if text)
    return tuple(sorted(counts, key=lambda text: (-counts[text], text)))
