"""Where a trace ends: at whoever tags name and, if that is asked for, at clusters that behave like services.

The latter is an inference, and never a name: nothing says who they are, nor that two of them are one. It follows from
the snapshot and the model alone, so it is remembered between commands. Method: METHODS.md 6.3;
docs/methods/service-like.md.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.profile.roles import behaviour
from cointrail.profile.roles import service_like as rule
from cointrail.profile.roles.service_clusters import ServiceClusters, service_clusters
from cointrail.profile.roles.service_like import LIKE_PPM, Likeness, probability_text
from cointrail.service.answers import Rule
from cointrail.service.attribution.choice import TagSource
from cointrail.service.names import address_or_none
from cointrail.service.remembered import Memory, Remembered, of_snapshot
from cointrail.service.tracing.services import STOPS, find_services
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.trace.finders.own import apart_from
from cointrail.trace.limits import MILLION
from cointrail.trace.services import Inferred, Services
from cointrail.trace.walk import Watch

I64 = npt.NDArray[np.int64]

KIND: Final = "unknown_service"
UNNAMED: Final = "unknown service"

_COLUMNS: Final = ("roots", "firsts", "probability_ppm")


def find_stops(
    reader: Reader,
    tags: TagSource,
    *,
    categories: Collection[str] | None = STOPS,
    service_like: bool = False,
    scoring: Watch = lambda _scored, _waiting: False,
) -> tuple[Services, TagsUsed | None]:
    """Whoever tags name, as `find_services`; after them clusters that behave like services and that no tag names.

    Args:
        reader: the ledger at a snapshot.
        tags: files, or the database.
        categories: of tags that count; all if None.
        service_like: whether clusters are asked about that no tag names, of whatever category.
        scoring: sees how clusters are scored the first time, and may stop it.

    Raises:
        InputRefused, Unavailable: as `find_services`.
        Interrupted: it was stopped while clusters were scored.

    Method: METHODS.md 6.3.
    """
    services, used = find_services(reader, tags, categories=categories)
    if not service_like:
        return services, used
    named = services if categories is None else find_services(reader, tags, categories=None)[0]
    return with_inferred(reader, services, named, watch=scoring), used


def rules_of(services: Services) -> tuple[Rule, ...]:
    """Rules that services rest on beside tags."""
    found = services.inferred
    return () if found is None else (Rule(found.rule, found.version),)


def with_inferred(
    reader: Reader, services: Services, named: Services, *, watch: Watch = lambda _scored, _waiting: False
) -> Services:
    """Services, and after them the L1 clusters that behave like some and that no tag names.

    Args:
        reader: the ledger at a snapshot.
        services: where a trace stops already.
        named: everybody whom tags name, of whatever category: of these the score is not asked.
        watch: sees how clusters are scored, and may stop it.

    Raises:
        Interrupted: it was stopped.
        Unavailable: the ledger's clusters do not reach the snapshot, or it is damaged.
    """
    forest = Forest(reader)
    found = remembered_clusters(reader, forest, watch=watch)
    free = ~np.isin(found.roots, np.union1d(services.roots, named.roots))
    firsts, count = found.firsts[free], int(free.sum())
    likes = Services(roots=found.roots[free], root_service=np.arange(count))
    # An address that a tag names as no stop stays out of its cluster; one that is a stop comes before its cluster.
    alone = np.setdiff1d(named.scripts, services.scripts)
    likes = apart_from(likes, forest, alone[np.isin(forest.roots(alone), likes.roots)])
    rest = ~np.isin(likes.scripts, services.scripts)
    offset = len(services.names)
    scripts, script_service = _merged(
        services.scripts, services.script_service, likes.scripts[rest], likes.script_service[rest], offset
    )
    roots, root_service = _merged(services.roots, services.root_service, likes.roots, likes.root_service, offset)
    clusters = [f"cluster of {_spelled(reader, each)}" for each in firsts.tolist()]
    told = zip(clusters, found.probability_ppm[free].tolist(), strict=True)
    return replace(
        services,
        names=(*services.names, *(f"{UNNAMED}: {each}" for each in clusters)),
        kinds=(*services.kinds, *[KIND] * count),
        scripts=scripts,
        script_service=script_service,
        roots=roots,
        root_service=root_service,
        categories=services.categories and (*services.categories, *[(KIND,)] * count),
        sanctions=services.sanctions and (*services.sanctions, *[None] * count),
        said=(*(services.said or [""] * offset), *(_statement(*each) for each in told)),
        inferred=Inferred(count, len(found.roots) - count, rule.RULE, rule.VERSION, rule.digest_of_shipped()),
    )


def remembered_clusters(
    reader: Reader, forest: Forest, *, watch: Watch = lambda _scored, _waiting: False
) -> ServiceClusters:
    """`service_clusters` of a snapshot, worked out once.

    Raises:
        As `service_clusters`.
    """
    key = f"{rule.RULE} {rule.VERSION} {behaviour.VERSION} {rule.digest_of_shipped()}"
    memory = Memory("service-like", f"{key} {of_snapshot(reader)}")
    known = _recalled(forest, memory.recall())
    if known is not None:
        return known
    found = service_clusters(reader, forest, watch=watch)
    memory.remember(Remembered({name: getattr(found, name) for name in _COLUMNS}, found.asked))
    return found


def _recalled(forest: Forest, known: Remembered | None) -> ServiceClusters | None:
    """What a file holds, if it can be true of these clusters."""
    if known is None or set(known.columns) != set(_COLUMNS) or not isinstance(known.words, int):
        return None
    found = ServiceClusters(known.words, *(known.columns[name] for name in _COLUMNS))
    scripts = len(forest.parent)
    sound = len(found.roots) == len(found.firsts) == len(found.probability_ppm) <= found.asked
    sound = sound and bool(((found.firsts >= 0) & (found.firsts < scripts)).all())
    sound = sound and bool(((found.probability_ppm >= LIKE_PPM) & (found.probability_ppm < MILLION)).all())
    sound = sound and bool((np.diff(found.roots) > 0).all())
    return found if sound and np.array_equal(forest.roots(found.firsts), found.roots) else None


def _merged(keys: I64, numbers: I64, more: I64, more_numbers: I64, offset: int) -> tuple[I64, I64]:
    """Keys of both, ascending, and whose they are; those of the second are numbered from `offset` on."""
    joined, of = np.concatenate([keys, more]), np.concatenate([numbers, more_numbers + offset])
    order = np.argsort(joined, kind="stable")
    return joined[order], of[order]


def _statement(cluster: str, probability_ppm: int) -> str:
    return f"{cluster} {Likeness.LIKE} ({probability_text(probability_ppm)}, inference)"


def _spelled(reader: Reader, script: int) -> str:
    pubkey = reader.script_pubkey(script)
    return address_or_none(reader, pubkey) or f"script:{pubkey.hex()}"
