"""Which tags there are: about a subject, by name, or by what a filter lets pass; and the collections."""

from dataclasses import replace

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.store.choice import TagFilter
from cointrail.attribution.store.moment import asked_date
from cointrail.attribution.store.texts import refuse_unstorable
from cointrail.database.address import Address
from cointrail.errors import UsageError
from cointrail.service.attribution.answers import CollectionsAnswer, TagsAnswer
from cointrail.service.attribution.database import reading, tag_answer, version_answer

MOST = 100_000
"""Rows of one answer."""


def list_tags(
    where: str,
    text: str | None = None,
    *,
    known_at: str | None = None,
    choice: TagFilter | None = None,
    first: int = 0,
    limit: int = MOST,
) -> TagsAnswer:
    """Tags that hold.

    Args:
        where: the database.
        text: an address or another subject with tags; else the begin of a label or actor.
        known_at: as they were known at this day or time; now if None.
        choice: which ones; its name and subject are not looked at.
        first: number of the first row.
        limit: most rows.

    Raises:
        UsageError: a time or a confidence that is none.
        InputRefused: text that is none.
        Unavailable: there is no database.
    """
    chosen = choice or TagFilter()
    said = (text, chosen.actor, chosen.category, chosen.source, chosen.collection)
    refuse_unstorable((each for each in said if each is not None), "the question")
    if chosen.valid_on is not None:
        chosen = replace(chosen, valid_on=asked_date(chosen.valid_on))
    with reading(where, known_at) as store:
        about = text if text and store.find(TagFilter(subject=text), 0)[1] else None
        name = None if about else text or None
        page, total = store.find(replace(chosen, name=name, subject=about), min(limit, MOST), first)
        return TagsAnswer(tuple(map(tag_answer, page)), total, first, store.known_at, store.digest)


def level_named(confidence: str) -> int:
    """The number of a confidence.

    Raises:
        UsageError: there is none of this name.
    """
    if confidence not in CONFIDENCE:
        raise UsageError(f"there is no confidence {confidence!r}", hint=f"one of: {', '.join(CONFIDENCE)}")
    return CONFIDENCE[confidence]


def list_collections(where: str, known_at: str | None = None) -> CollectionsAnswer:
    """Every collection at its version.

    Raises:
        UsageError: the time is none.
        Unavailable: there is no database.
    """
    with reading(where, known_at) as store:
        versions = tuple(version_answer(record) for record in store.collections.values())
        return CollectionsAnswer(str(Address.of(where)), versions, store.known_at, store.digest)
