"""Opening the database of tags, and its rows as answers."""

from collections.abc import Iterator
from contextlib import contextmanager

from cointrail.attribution.claims import Stated
from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.store.moment import known_at as parsed
from cointrail.attribution.store.reader import TagStore, open_tags
from cointrail.attribution.store.records import ImportRecord, Retracted, StoredTag
from cointrail.database import Database
from cointrail.service.attribution.answers import RetractionAnswer, TagAnswer, VersionAnswer, title_of


@contextmanager
def reading(where: str, known_at: str | None = None) -> Iterator[TagStore]:
    """The imported tags as they were known at a day or time.

    Raises:
        UsageError: the time is none.
        Unavailable: there is no database, or it cannot be used.
    """
    at = None if known_at is None else parsed(known_at)
    with Database(where) as database, open_tags(database, at) as store:
        yield store


def version_answer(record: ImportRecord) -> VersionAnswer:
    """An import for people."""
    return VersionAnswer(
        collection=record.collection,
        file=record.file_name,
        sha256=record.sha256,
        format=record.format,
        reader_version=record.reader_version,
        options=dict(record.options),
        title=title_of(record.header),
        imported_utc=record.imported_utc,
        imported_by=record.imported_by,
        tags=record.tags,
        added=record.added,
        withdrawn=record.withdrawn,
        skipped=dict(record.skipped),
        content=record.content,
    )


def retraction_answer(one: Retracted) -> RetractionAnswer:
    """A retraction for people."""
    return RetractionAnswer(one.retracted_utc, one.retracted_by, one.reason, one.lifted_utc, one.lifted_by)


def tag_answer(tag: StoredTag) -> TagAnswer:
    """A tag for people."""
    said = tag.statement
    return TagAnswer(
        kind=str(tag.subject.kind),
        subject=tag.subject.text,
        attributed=Stated(said, tag.collection).sentence,
        label=said.label,
        actor=said.actor,
        category=said.category,
        concepts=said.concepts,
        abuse=said.abuse,
        source=said.source,
        confidence=said.confidence,
        level=CONFIDENCE[said.confidence],
        is_cluster_definer=said.is_cluster_definer,
        tag_type=said.tag_type,
        context=said.context,
        lastmod=said.lastmod,
        valid_from=said.valid_from,
        valid_to=said.valid_to,
        author=said.author,
        currency=said.currency,
        network=said.network,
        collection=tag.collection,
        file=tag.since.file_name,
        line=tag.line,
        imported_utc=tag.since.imported_utc,
        withdrawn_utc=tag.until.imported_utc if tag.until else None,
        retractions=tuple(map(retraction_answer, tag.retracted)),
        holds=tag.holds,
    )
