"""Who may be behind an address: claims, their conflicts, and rival hypotheses; structural claims stand apart.

Entity, wallet, segment, address (FEATURES.md 19): that an address lies in a wallet is an inference of clustering, that
it plays a role is one of behaviour, and that somebody is behind it is an assertion with a source. None is made from
another, and no hypothesis is chosen.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cointrail.attribution import hypotheses as rule
from cointrail.attribution.claims import Claim, Reach, Stated
from cointrail.attribution.hypotheses import Hypothesis, Observation, hypotheses
from cointrail.attribution.propagation import RULE as PROPAGATION
from cointrail.attribution.propagation import speaks_for_cluster
from cointrail.cluster.forest.extend import CO_SPEND, SAME_KEY
from cointrail.ledger.reader import Reader
from cointrail.service.answers import INFERENCE, Basis, Rule
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.names import name_of

I64 = npt.NDArray[np.int64]

ASSERTION: Literal["assertion"] = "assertion"


@dataclass(frozen=True, slots=True)
class StructuralClaim:
    """That something is part of something else, by a rule: an address of a wallet, or of a segment of one."""

    subject: str
    part_of: str
    kind: Literal["wallet", "segment"]
    text: str
    rules: tuple[Rule, ...]
    basis: Basis = INFERENCE


@dataclass(frozen=True, slots=True)
class AttributionClaim:
    """That somebody is behind the wallet: who says so, where, since when.

    `reach`: `direct` is about the address that was asked about, `cluster` about another address of the cluster and
    speaks for all of it, `other address` is about another one alone. `addresses` counts those it is about, `example`
    is one. `basis` is an assertion, or, for `cluster`, an inference resting on one. `statement` quotes the source, by
    the name it gives, `named`; `name` is the hypothesis. Where they differ, the list `alias_by` says that they are one,
    and `aliased` says so in a sentence; empty otherwise.
    """

    name: str
    named: str
    label: str
    category: str
    concepts: tuple[str, ...]
    source: str
    collection: str
    confidence: str
    level: int
    lastmod: str
    valid_from: str
    valid_to: str
    known_since: str
    reach: str
    addresses: int
    example: str
    statement: str
    alias_by: str
    aliased: str
    basis: str


@dataclass(frozen=True, slots=True)
class HypothesisAnswer:
    """One name, with what speaks for it and against it; `standing` says what may be done with it.

    `bases` are what it rests on, independent of one another. `for_claims` and `against_claims` list the strongest 25;
    `supports` and `contradicts` count all. `aliases` say who calls another name this one; `fits` and `misfits` are
    inferences from behaviour.
    """

    name: str
    labels: tuple[str, ...]
    aliases: tuple[str, ...]
    categories: tuple[str, ...]
    standing: str
    level: int
    bases: tuple[str, ...]
    supports: int
    contradicts: int
    for_claims: tuple[AttributionClaim, ...]
    against_claims: tuple[AttributionClaim, ...]
    fits: tuple[str, ...]
    misfits: tuple[str, ...]
    looks_like: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """What is claimed about an address and its wallet.

    `mixed` is true if tags that speak for the cluster name several actors: it inherits nothing. `note` says what else
    must be known to read it.
    """

    structural: tuple[StructuralClaim, ...]
    hypotheses: tuple[HypothesisAnswer, ...]
    claims: int
    mixed: bool
    lists: str
    digest: str
    known_at: str | None
    rules: tuple[Rule, ...]
    note: str


def identity(
    reader: Reader,
    tags: Resolved,
    scripts: I64,
    members: I64,
    *,
    observations: Sequence[Observation] = (),
    segments: Sequence[StructuralClaim] = (),
) -> Identity:
    """Collect what is claimed.

    Args:
        reader: the ledger at a snapshot.
        tags: in force.
        scripts: int64, ascending, those that are asked about.
        members: int64, ascending, their L1 cluster, the scripts included; empty if it is not looked at.
        observations: what behaviour says, for and against categories.
        segments: the roles of the scripts.
    """
    claims = claims_about(reader, tags, scripts, members)
    speaking = {each.stated.name for each in claims if speaks_for_cluster(each.stated)}
    mixed = len(speaking) > 1
    if mixed:  # nothing is inherited: such claims are about their own addresses alone
        claims = [each if each.reach is not Reach.CLUSTER else _alone(each) for each in claims]
    found = hypotheses(claims, observations)
    return Identity(
        structural=(*_wallet(reader, scripts, members), *segments),
        hypotheses=tuple(_hypothesis(each) for each in found),
        claims=len(claims),
        mixed=mixed,
        lists=" + ".join(tags.lists),
        digest=tags.digest,
        known_at=tags.known_at,
        rules=(Rule(*PROPAGATION), Rule(*rule.RULE)),
        note=_note(found, mixed=mixed),
    )


def claims_about(reader: Reader, tags: Resolved, scripts: I64, members: I64) -> list[Claim]:
    """Every statement about these scripts or others of their cluster, each once for each way it reaches them."""
    counts: Counter[tuple[Stated, Reach]] = Counter()
    example: dict[tuple[Stated, Reach], int] = {}
    # Whoever asks about a whole cluster asks about no address of it.
    asked: set[int] = set() if 1 < len(members) <= len(scripts) else set(scripts.tolist())
    for script, stated in tags.on(np.union1d(scripts, members)):
        reach = Reach.DIRECT if script in asked else Reach.CLUSTER if speaks_for_cluster(stated) else Reach.OTHER
        counts[stated, reach] += 1
        example.setdefault((stated, reach), script)
    return [
        Claim(stated, reach, count, name_of(reader, example[stated, reach]))
        for (stated, reach), count in counts.items()
    ]


def _alone(claim: Claim) -> Claim:
    return Claim(claim.stated, Reach.OTHER, claim.addresses, claim.example)


def _wallet(reader: Reader, scripts: I64, members: I64) -> tuple[StructuralClaim, ...]:
    if len(members) < 2:
        return ()
    asked, smallest = name_of(reader, int(scripts[0])), name_of(reader, int(members[0]))
    text = f"one of {len(members):,} scripts under common control at level L1"
    return (StructuralClaim(asked, f"cluster:{smallest}", "wallet", text, (Rule(*SAME_KEY), Rule(*CO_SPEND))),)


def _hypothesis(each: Hypothesis) -> HypothesisAnswer:
    return HypothesisAnswer(
        name=each.name,
        labels=each.labels,
        aliases=each.aliases,
        categories=each.categories,
        standing=str(each.standing),
        level=each.level,
        bases=each.bases,
        supports=each.supports,
        contradicts=each.contradicts,
        for_claims=tuple(_claim(claim) for claim in each.for_claims),
        against_claims=tuple(_claim(claim) for claim in each.against_claims),
        fits=tuple(observation.text for observation in each.fits),
        misfits=tuple(observation.text for observation in each.misfits),
        looks_like=each.looks_like,
    )


def _claim(claim: Claim) -> AttributionClaim:
    stated, statement = claim.stated, claim.stated.statement
    inherited = claim.reach is Reach.CLUSTER
    return AttributionClaim(
        name=stated.name,
        named=stated.named,
        label=statement.label,
        category=statement.category,
        concepts=statement.concepts,
        source=stated.source,
        collection=stated.collection,
        confidence=statement.confidence,
        level=stated.level,
        lastmod=statement.lastmod,
        valid_from=statement.valid_from,
        valid_to=statement.valid_to,
        known_since=stated.known_since,
        reach=str(claim.reach),
        addresses=claim.addresses,
        example=claim.example,
        statement=stated.sentence,
        alias_by=stated.alias_by,
        aliased=stated.aliased,
        basis="inference resting on an assertion" if inherited else ASSERTION,
    )


def _note(found: Sequence[Hypothesis], *, mixed: bool) -> str:
    if mixed:
        return "tags that speak for this cluster name different actors: it may be a wrong merge, and inherits no name"
    if any(each.contradicts for each in found):
        return "sources contradict one another: read who says what before a name is used"
    return ""
