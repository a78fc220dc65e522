"""Which tags there are: about a subject, by name, or by what a filter lets pass; and the collections."""

from dataclasses import replace

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.store.choice import TagFilter
from cointrail.attribution.store.moment import valid_on as parsed
from cointrail.attribution.store.records import StoredTag
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
        choice: which ones; its name is not looked at.
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
        chosen = replace(chosen, valid_on=parsed(chosen.valid_on))
    with reading(where, known_at) as store:
        found = store.tags_of_subject(text) if text else ()
        if found:
            passed = [tag for tag in found if passes(tag, chosen)]
            page, total = tuple(passed[first : first + limit]), len(passed)
        else:
            page, total = store.find(replace(chosen, name=text or None), min(limit, MOST), first)
        return TagsAnswer(tuple(map(tag_answer, page)), total, first, store.known_at, store.digest)


def passes(tag: StoredTag, choice: TagFilter) -> bool:
    """Whether a tag is what a filter wants; the same as the database decides for many."""
    said = tag.statement
    wanted = (
        (choice.actor, said.actor), (choice.category, said.category), (choice.source, said.source),
        (choice.collection, tag.collection),
    )  # fmt: skip
    if any(value is not None and value != there for value, there in wanted):
        return False
    if choice.least_level is not None and CONFIDENCE[said.confidence] < choice.least_level:
        return False
    on = choice.valid_on
    return on is None or (said.valid_from <= on and (not said.valid_to or on < said.valid_to))


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
