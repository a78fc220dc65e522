"""From tags to whoever a trace stops at: names on scripts, and on L1 clusters where a tag speaks for them.

Method: METHODS.md 6.3 and 7.4.
"""

from calendar import timegm
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np

from cointrail.attribution.claims import Stated
from cointrail.attribution.confidence import SPEAKS_FOR_CLUSTERS
from cointrail.attribution.propagation import speaks_for_cluster
from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.service.attribution.choice import TagSource
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.attribution.resolved import resolve
from cointrail.trace.services import NONE, Services, services_of

STOPS: Final = frozenset(
    {"exchange", "payment_processor", "hosted_wallet", "mixer", "mixing_service", "gambling", "miner", "mining_pool"}
)
"""Categories of services that hold other people's money."""

_OR: Final = " or "


@dataclass(frozen=True, slots=True)
class TagsUsed:
    """The tags that say which scripts are whose, and how much of them was used.

    `lists` names the files or collections, `digest` is the tag set's; `used`: tags that name somebody here; `absent`:
    those whose address nothing pays; `elsewhere`: those of other chains, networks or subjects; `left_out`: tags of a
    category that was not asked for, or below the confidence that is; `mixed`: clusters that tags give to several
    actors, which inherit nothing; `known_at`: as of when, or None.
    """

    lists: str
    digest: str
    used: int
    absent: int
    elsewhere: int | None
    left_out: int
    mixed: int
    known_at: str | None


def find_services(
    reader: Reader,
    tags: TagSource,
    *,
    least_confidence: int = SPEAKS_FOR_CLUSTERS,
    categories: Collection[str] | None = STOPS,
) -> tuple[Services, TagsUsed | None]:
    """Whoever tags name, with their L1 clusters where a tag speaks for them.

    A table without categories is taken at its word: all its actors are services.

    Args:
        reader: the ledger at a snapshot.
        tags: files, or the database.
        least_confidence: tags below it are left out, but not the asker's own.
        categories: those that count; all if None.

    Raises:
        InputRefused: a file is no list of tags, or a table has an address that is none of this network.
        Unavailable: the ledger's clusters do not reach the snapshot, or the database cannot be used.
    """
    found = resolve(reader, tags)
    if found is None:
        return NONE, None
    return services_from(reader, found, least_confidence=least_confidence, categories=categories)


def services_from(
    reader: Reader,
    found: Resolved,
    *,
    least_confidence: int = SPEAKS_FOR_CLUSTERS,
    categories: Collection[str] | None = STOPS,
) -> tuple[Services, TagsUsed]:
    """The same from tags that were looked up already."""
    named = _Named(found, [_counts(each, least_confidence, categories) for each in found.stated])
    services = services_of(
        Forest(reader),
        named.scripts,
        named.actors,
        named.names,
        kinds=named.kinds,
        definers=named.speaks,
        digest=found.digest,
    )
    services = replace(services, said=named.said, since=named.since)
    left_out = len(found.number) - named.used
    used = TagsUsed(
        " + ".join(found.lists), found.digest, named.used, found.absent, found.elsewhere, left_out, services.mixed,
        found.known_at,
    )  # fmt: skip
    return services, used


class _Named:
    """Whom tags name, numbered by name.

    An address that tags give to several is given to none of them, but to `A or B`: a trace stops there all the same.

    Args:
        found: the tags.
        counts: of each statement, whether it does.
    """

    def __init__(self, found: Resolved, counts: list[bool]) -> None:
        rows = np.flatnonzero(np.array([*counts, False])[found.number])
        self.used = len(rows)
        by_name: defaultdict[str, list[Stated]] = defaultdict(list)
        for number in np.unique(found.number[rows]).tolist():
            by_name[found.stated[number].name].append(found.stated[number])
        single = sorted(by_name)
        place_of = {name: place for place, name in enumerate(single)}
        name_at = np.array([place_of.get(each.name, -1) for each in found.stated], np.int64)
        speaks_at = np.array([speaks_for_cluster(each) for each in found.stated], np.bool_)
        # One row for each script and name, and whether any of its tags speaks for the cluster.
        script, name = found.script_id[rows], name_at[found.number[rows]]
        keys, at = np.unique(script * max(len(single), 1) + name, return_inverse=True)
        pairs = np.divmod(keys, max(len(single), 1))
        speaks = np.bincount(at.reshape(-1), speaks_at[found.number[rows]], len(keys)) > 0
        _, first, count = np.unique(pairs[0], return_index=True, return_counts=True)
        told = {}
        for begin, names in zip(first[count > 1].tolist(), count[count > 1].tolist(), strict=True):
            several = [single[each] for each in pairs[1][begin : begin + names].tolist()]
            together = _OR.join(several)
            by_name[together] = by_name.get(together) or [each for name in several for each in by_name[name]]
            told[int(pairs[0][begin])] = together
        self.names = tuple(sorted(by_name))
        place = {name: number for number, name in enumerate(self.names)}
        # What an address is called stands first. Each of several names speaks for the cluster, which is mixed by that.
        alone = np.repeat(count == 1, count)
        heard = speaks | alone
        renamed = np.array([place[name] for name in single], np.int64)[pairs[1]]
        self.scripts = np.concatenate([np.array(list(told), np.int64), pairs[0][heard]])
        self.actors = np.concatenate([np.array([place[name] for name in told.values()], np.int64), renamed[heard]])
        self.speaks = np.concatenate([np.zeros(len(told), np.bool_), speaks[heard]])
        strongest = [sorted(by_name[name], key=_rank) for name in self.names]
        self.kinds = tuple(_kind(each) for each in strongest)
        self.said = tuple(
            " and ".join(dict.fromkeys(_said(each) for each in several[: 2 if _OR in name else 1]))
            for name, several in zip(self.names, strongest, strict=True)
        )
        self.since = tuple(_since(each) for each in strongest)


def _counts(stated: Stated, least_confidence: int, categories: Collection[str] | None) -> bool:
    statement = stated.statement
    sure = stated.own or stated.level >= least_confidence
    return sure and (not statement.category or categories is None or statement.category in categories)


def _rank(stated: Stated) -> tuple[int, str, str, str]:
    """The strongest statement first; ties in an order that depends on nothing but their texts."""
    return -stated.level, stated.statement.lastmod or "9", stated.source, stated.collection


def _kind(stated: Sequence[Stated]) -> str:
    """The category that the strongest statement gives that gives one."""
    return next((each.statement.category for each in stated if each.statement.category), "")


def _since(stated: Sequence[Stated]) -> int | None:
    days = [day for each in stated if (day := _seconds(each.statement.valid_from)) is not None]
    return min(days, default=None)


def _said(stated: Stated) -> str:
    """Who says so: source, list, confidence and day."""
    statement = stated.statement
    if stated.own:
        return stated.collection
    where = f"{stated.collection}, {statement.confidence}" + (f", {statement.lastmod}" if statement.lastmod else "")
    return f"{stated.source} ({where})" if statement.source else where


def _seconds(text: str) -> int | None:
    """Seconds since 1970 of a day or time in UTC; None if it is neither."""
    try:
        return timegm(datetime.fromisoformat(text.replace("Z", "+00:00")).utctimetuple()) if text else None
    except ValueError:
        return None
