"""From tags to whoever a trace stops at: names on scripts, and on L1 clusters where a tag speaks for them.

Method: METHODS.md 6.3 and 7.4.
"""

from calendar import timegm
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import numpy as np

from cointrail.attribution.categories import SANCTION, categories_of, one_spelling
from cointrail.attribution.claims import Stated
from cointrail.attribution.confidence import SPEAKS_FOR_CLUSTERS
from cointrail.attribution.propagation import speaks_for_cluster
from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.service.attribution.choice import TagChoice, TagSource
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.attribution.resolved import digest_of_stored, resolve
from cointrail.service.tracing.remembered import NamedBy
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.trace.services import NONE, Sanction, Services, services_of

STOPS: Final = frozenset(
    {"exchange", "payment_processor", "hosted_wallet", "mixer", "mixing_service", "gambling", "miner", "mining_pool"}
)
"""Categories of services that hold other people's money."""

_OR: Final = " or "


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
    choice = TagChoice.of(tags)
    stored = digest_of_stored(choice)
    by = None if stored is None else NamedBy(stored[0], stored[1], least_confidence, categories)
    known = None if by is None else by.recall(reader)
    if known is not None:
        return known
    found = resolve(reader, choice)
    if found is None:
        return NONE, None
    services, used = services_from(reader, found, least_confidence=least_confidence, categories=categories)
    if by is not None:
        by.remember(reader, services, used)
    return services, used


def services_from(
    reader: Reader,
    found: Resolved,
    *,
    least_confidence: int = SPEAKS_FOR_CLUSTERS,
    categories: Collection[str] | None = STOPS,
) -> tuple[Services, TagsUsed]:
    """The same from tags that were looked up already."""
    named = _Named(found, [each.own or each.level >= least_confidence for each in found.stated])
    services = services_of(
        Forest(reader),
        named.scripts,
        named.actors,
        named.names,
        kinds=named.kinds,
        definers=named.speaks,
        digest=found.digest,
    )
    services = replace(services, said=named.said, categories=named.categories, sanctions=named.sanctions)
    # Only now, so that a tag of a category that does not count still contradicts one that does.
    kept = np.array([_counts(each, categories) for each in named.categories], np.bool_)
    services = services.only(kept)
    used = int(np.count_nonzero(kept[named.service_of_tags]))
    return services, TagsUsed(
        " + ".join(found.lists), found.digest, used, found.absent, found.elsewhere, len(found.number) - used,
        services.mixed, found.known_at,
    )  # fmt: skip


class _Named:
    """Whom tags name, numbered by name.

    An address that tags give to several is given to none of them, but to `A or B`: a trace stops there all the same.

    Args:
        found: the tags.
        counts: of each statement, whether it does.
    """

    def __init__(self, found: Resolved, counts: list[bool]) -> None:
        rows = np.flatnonzero(np.array([*counts, False])[found.number])
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
        told, either = {}, defaultdict[str, list[Stated]](list)
        for begin, names in zip(first[count > 1].tolist(), count[count > 1].tolist(), strict=True):
            several = [single[each] for each in pairs[1][begin : begin + names].tolist()]
            together = _OR.join(several)
            if together not in either:
                either[together] = [each for name in several for each in by_name[name]]
            told[int(pairs[0][begin])] = together
        for together, stated in either.items():
            by_name[together].extend(stated)
        self.names = tuple(sorted(by_name))
        place = {name: number for number, name in enumerate(self.names)}
        # What an address is called stands first. Each of several names speaks for the cluster, which is mixed by that.
        alone = np.repeat(count == 1, count)
        heard = speaks | alone
        renamed = np.array([place[name] for name in single], np.int64)[pairs[1]]
        self.scripts = np.concatenate([np.array(list(told), np.int64), pairs[0][heard]])
        self.actors = np.concatenate([np.array([place[name] for name in told.values()], np.int64), renamed[heard]])
        self.speaks = np.concatenate([np.zeros(len(told), np.bool_), speaks[heard]])
        # Of each tag that counts: its name's service, or that of all names of its address.
        together_at = np.searchsorted(self.scripts[: len(told)], pairs[0][~alone])
        renamed[~alone] = self.actors[together_at]
        self.service_of_tags = renamed[at.reshape(-1)]
        strongest = [sorted(by_name[name], key=_rank) for name in self.names]
        self.kinds = tuple(_kind(each) for each in strongest)
        self.said = tuple(
            " and ".join(dict.fromkeys(_said(each) for each in several[: 2 if _OR in name else 1]))
            for name, several in zip(self.names, strongest, strict=True)
        )
        self.categories = tuple(_categories(each) for each in strongest)
        self.sanctions = tuple(_sanction(each) for each in strongest)


def _counts(given: Sequence[str], categories: Collection[str] | None) -> bool:
    """Whether somebody counts of whom tags give these categories; of whom they give none, does."""
    return not given or categories is None or not set(given).isdisjoint(categories)


def _rank(stated: Stated) -> tuple[int, str, str, str, str]:
    """The strongest statement first; ties in an order that depends on nothing but what they say."""
    return -stated.level, stated.statement.lastmod or "9", stated.source, stated.collection, repr(stated.statement)


def _kind(stated: Sequence[Stated]) -> str:
    """The category that the strongest statement gives that gives one."""
    return next((one_spelling(each.statement.category) for each in stated if each.statement.category), "")


def _categories(stated: Sequence[Stated]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(category for each in stated for category in categories_of(each.statement)))


def _sanction(stated: Sequence[Stated]) -> Sanction | None:
    """What those say that say so: a tag that names the same actor something else has days of its own."""
    listed = [each for each in stated if SANCTION in categories_of(each.statement)]
    if not listed:
        return None
    begun = [day for each in listed if (day := _seconds(each.statement.valid_from)) is not None]
    ended = [_seconds(each.statement.valid_to) for each in listed]
    over = [day for day in ended if day is not None]
    return Sanction(
        since=min(begun, default=None),
        until=max(over) if len(over) == len(ended) else None,
        said=_said(listed[0]),
    )


def _said(stated: Stated) -> str:
    """Who says so: source, list, confidence, days."""
    statement = stated.statement
    if stated.own:
        return stated.collection
    held = " to ".join((statement.valid_from or "its beginning", statement.valid_to)) if statement.valid_to else ""
    details = (stated.collection, statement.confidence, statement.lastmod, held and f"valid from {held}")
    where = ", ".join(each for each in details if each)
    said = f"{stated.source} ({where})" if statement.source else where
    if not stated.alias_of:
        return said
    # The source gives another name; that this is the same, somebody else says.
    return f"{stated.alias_by}, by whom {stated.named} is called so, and {said}, who says {stated.named}"


def _seconds(text: str) -> int | None:
    """Seconds since 1970 of a day or time in UTC; None if it is neither."""
    try:
        return timegm(datetime.fromisoformat(text.replace("Z", "+00:00")).utctimetuple()) if text else None
    except (ValueError, OverflowError):
        return None
