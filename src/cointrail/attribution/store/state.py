"""The tag-set digest of a store: from its collections' versions and the retractions in force, never from its tags."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, select

from cointrail.attribution.store.known import Known
from cointrail.attribution.store.records import ImportRecord
from cointrail.attribution.store.rows import KINDS, canonical
from cointrail.attribution.store.tables import COLLECTION, STATEMENT, TAG
from cointrail.attribution.tag_set import CollectionState, tag_set_digest


def states_of(collections: Mapping[str, ImportRecord]) -> tuple[CollectionState, ...]:
    """What each collection holds."""
    return tuple(
        CollectionState(name, _reading(one), one.reader_version, one.sha256) for name, one in collections.items()
    )


def digest_of(connection: Connection, collections: Mapping[str, ImportRecord], known: Known) -> str:
    """The digest of a state: SHA-256 in hex."""
    return tag_set_digest(states_of(collections), _retractions(connection, known))


def _reading(one: ImportRecord) -> str:
    """How a file was read, where name and bytes do not say it all: a reader may take a file's name for a source."""
    told = dict(one.options)
    if one.collection != one.file_name:
        told["content"] = one.content
    return f"{one.format} {canonical(told)}" if told else one.format


def _retractions(connection: Connection, known: Known) -> Iterator[tuple[str, str, str]]:
    """(collection, kind and subject, digest of the statement) of each tag that is not there for a retraction."""
    if not known.retractions:
        return
    rows = (
        select(COLLECTION.c.name, TAG.c.kind, TAG.c.subject, STATEMENT.c.digest)
        .join(COLLECTION, COLLECTION.c.collection_id == TAG.c.collection_id)
        .join(STATEMENT, STATEMENT.c.statement_id == TAG.c.statement_id)
        .where(known.kept_out())
        .distinct()
    )
    for row in connection.execute(rows):
        yield row.name, f"{KINDS[row.kind]} {row.subject}", row.digest.hex()
