"""Who may be behind a wallet: every name that somebody gives it, with what speaks for and against each.

No winner is chosen. A name may be used for what it is, an attribution, if one assertion of at least `authority_data`
gives it, or two bases that do not depend on one another; else it is a lead only (RELIABILITY.md 5, rule 4). One source
told many times is one basis. `heuristic` and `unknown` tags are no basis, and behaviour alone names nobody. Two names
that could both be used are disputed, both.

Method: docs/methods/attribution.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from cointrail.attribution.claims import Claim, Reach
from cointrail.attribution.confidence import CONFIDENCE, NAMES
from cointrail.attribution.homoglyphs import skeleton

RULE: Final = ("attribution_standing", 1)

LEAST_BASIS: Final = CONFIDENCE["web_crawl"]
"""Least level of an assertion that counts as a basis."""

BASES: Final = 2


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
        categories: that are given to it.
        level: highest of the assertions for it.
        bases: what they rest on, independent of one another, ascending; observations count one, by their rule.
        supports, contradicts: claims for it, and claims for others, the highest level first.
        fits, misfits: observations for and against its category.
        looks_like: other names here that can be mistaken for it.
        standing: what may be done with it.
    """

    name: str
    labels: tuple[str, ...]
    categories: tuple[str, ...]
    level: int
    bases: tuple[str, ...]
    supports: tuple[Claim, ...]
    contradicts: tuple[Claim, ...]
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
    by_name: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_name[claim.stated.name].append(claim)
    found = [_hypothesis(name, by_name, observations) for name in by_name]
    usable = [each for each in found if each.standing is Standing.ATTRIBUTED]
    if len(usable) > 1:
        found = [_disputed(each) if each in usable else each for each in found]
    return tuple(sorted(found, key=lambda each: (each.standing is Standing.LEAD, -each.level, each.name)))


def _hypothesis(name: str, by_name: Mapping[str, list[Claim]], observations: Sequence[Observation]) -> Hypothesis:
    supports = _ordered(by_name[name])
    others = [claim for other, claims in by_name.items() if other != name for claim in claims]
    categories = _frequent(claim.stated.statement.category for claim in supports)
    concepts = {concept for claim in supports for concept in claim.stated.statement.concepts}.union(categories)
    fits = tuple(each for each in observations if each.fits & concepts)
    misfits = tuple(each for each in observations if each.against & concepts and not each.fits & concepts)
    founding = [claim for claim in supports if claim.reach is not Reach.OTHER]
    level = max((claim.stated.level for claim in founding), default=0)
    bases = {claim.stated.basis for claim in founding if claim.stated.level >= LEAST_BASIS}
    independent = bases | ({f"behaviour: {fits[0].rule}"} if fits and bases else set())
    sure = level >= NAMES or len(independent) >= BASES
    return Hypothesis(
        name=name,
        labels=_frequent(claim.stated.statement.label for claim in supports),
        categories=categories,
        level=level,
        bases=tuple(sorted(independent)),
        supports=supports,
        contradicts=_ordered(others),
        fits=fits,
        misfits=misfits,
        looks_like=tuple(sorted(other for other in by_name if other != name and _alike(name, other))),
        standing=Standing.ATTRIBUTED if sure else Standing.LEAD,
    )


def _disputed(each: Hypothesis) -> Hypothesis:
    return replace(each, standing=Standing.DISPUTED)


def _ordered(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The highest level first; ties in an order that depends on nothing but what is said."""
    return tuple(sorted(claims, key=lambda each: (-each.stated.level, repr(each))))


def _frequent(texts: Iterable[str]) -> tuple[str, ...]:
    counts: defaultdict[str, int] = defaultdict(int)
    for text in texts:
        if text:
            counts[text] += 1
    return tuple(sorted(counts, key=lambda text: (-counts[text], text)))


def _alike(a: str, b: str) -> bool:
    return skeleton(a) == skeleton(b)
