"""What happened to the tags about a subject, or to a collection: what was known when."""

from collections.abc import Iterator

from cointrail.attribution.store.records import ImportRecord, StoredTag
from cointrail.errors import NotFound
from cointrail.service.attribution.answers import EventAnswer, HistoryAnswer
from cointrail.service.attribution.database import reading, tag_answer, version_answer


def history(where: str, asked: str, known_at: str | None = None) -> HistoryAnswer:
    """Events, oldest first.

    Args:
        where: the database.
        asked: an address or another subject of tags, or the name of a collection.
        known_at: only what had happened by then.

    Raises:
        NotFound: nothing was ever imported about it.
        UsageError: the time is none.
        Unavailable: there is no database.
    """
    with reading(where, known_at) as store:
        versions = tuple(record for record in store.imports.values() if record.collection == asked)
        tags = () if versions else store.tags_of_subject(asked, history=True)
        if not versions and not tags:
            raise NotFound(
                f"no tag is about {asked!r}, and no collection has this name",
                hint="cointrail tags collections lists the collections",
            )
        found = dict.fromkeys(_of_versions(versions) if versions else _of_tags(tags))
        events = sorted(found, key=lambda event: event.utc)
        return HistoryAnswer(
            asked=asked,
            about="collection" if versions else "subject",
            events=tuple(events),
            tags=tuple(map(tag_answer, tags)),
            versions=tuple(map(version_answer, versions)),
            known_at=store.known_at,
            tag_set=store.digest,
        )


def _of_versions(versions: tuple[ImportRecord, ...]) -> Iterator[EventAnswer]:
    for record in versions:
        text = f"{record.tags} tags: {record.added} added, {record.withdrawn} withdrawn"
        yield EventAnswer(
            record.imported_utc, "imported", record.imported_by, record.collection, record.file_name, text, ""
        )


def _of_tags(tags: tuple[StoredTag, ...]) -> Iterator[EventAnswer]:
    for tag in tags:
        text = f"{tag_answer(tag).attributed} ({tag.statement.confidence})"
        since, until = tag.since, tag.until
        yield EventAnswer(since.imported_utc, "imported", since.imported_by, tag.collection, since.file_name, text, "")
        if until is not None:
            yield EventAnswer(
                until.imported_utc, "withdrawn", until.imported_by, tag.collection, until.file_name, text, ""
            )
        for each in tag.retracted:
            came = since.imported_utc
            if each.lifted_utc is not None and each.lifted_utc <= came:
                continue  # it was over before this tag came, and is told of the one before
            if each.retracted_utc < came:
                by, file = each.retracted_by, since.file_name
                yield EventAnswer(came, "kept out", by, tag.collection, file, text, each.reason)
            elif until is None or each.retracted_utc <= until.imported_utc:
                yield EventAnswer(
                    each.retracted_utc, "retracted", each.retracted_by, tag.collection, "", text, each.reason
                )
            else:
                continue  # it is about a later one
            if each.lifted_utc is not None:
                yield EventAnswer(each.lifted_utc, "lifted", each.lifted_by or "", tag.collection, "", text, "")
