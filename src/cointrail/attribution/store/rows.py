"""Between rows and values: statements, actors and their digests, subjects, and what text a database can hold."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.store.records import ImportRecord
from cointrail.attribution.tag import Actor, Statement, Subject, SubjectKind

KINDS: Final = tuple(SubjectKind)
KIND_NUMBER: Final = {kind: number for number, kind in enumerate(KINDS)}

_SEARCH_LENGTH = 64


def canonical(value: Any) -> str:
    """JSON with one spelling for every value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def statement_digest(statement: Statement) -> bytes:
    """SHA-256 of a statement's fields, 32 bytes; the same on every machine."""
    return hashlib.sha256(
        json.dumps(
            [
                statement.label, statement.source, statement.confidence, statement.actor, statement.category,
                statement.concepts, statement.abuse, statement.tag_type, statement.is_cluster_definer,
                statement.context, statement.lastmod, statement.valid_from, statement.valid_to, statement.author,
                statement.currency, statement.network, statement.extra,
            ],
            ensure_ascii=True,
            separators=(",", ":"),
        ).encode()
    ).digest()  # fmt: skip


def claim_digest(statement: Statement) -> bytes:
    """SHA-256 of a statement's label, actor and source, 32 bytes: who is named, and who says so."""
    claim = (statement.label, statement.actor, statement.source)
    return hashlib.sha256(json.dumps(claim, ensure_ascii=True, separators=(",", ":")).encode()).digest()


def search_key(text: str) -> str:
    """The begin of a name as a search compares it: without case, width and accents' spelling."""
    return unicodedata.normalize("NFKC", text).casefold()[:_SEARCH_LENGTH]


def statement_row(statement: Statement, statement_id: int, digest: bytes) -> tuple[Any, ...]:
    """A row of `tag_statement`, in the order of its columns."""
    definer = statement.is_cluster_definer
    return (
        statement_id, digest, search_key(statement.label), statement.label, statement.source, statement.confidence,
        CONFIDENCE[statement.confidence], statement.actor, statement.category,
        canonical(statement.concepts) if statement.concepts else "", statement.abuse, statement.tag_type,
        None if definer is None else int(definer), statement.context, statement.lastmod, statement.valid_from,
        statement.valid_to, statement.author, statement.currency, statement.network,
        canonical(statement.extra) if statement.extra else "", claim_digest(statement),
    )  # fmt: skip


def statement_of(row: Any) -> Statement:
    """The statement of a row of `tag_statement`."""
    definer = row.is_cluster_definer
    return Statement(
        label=row.label,
        source=row.source,
        confidence=row.confidence,
        actor=row.actor,
        category=row.category,
        concepts=tuple(json.loads(row.concepts)) if row.concepts else (),
        abuse=row.abuse,
        tag_type=row.tag_type,
        is_cluster_definer=None if definer is None else bool(definer),
        context=row.context,
        lastmod=row.lastmod,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        author=row.author,
        currency=row.currency,
        network=row.network,
        extra=tuple((name, value) for name, value in json.loads(row.extra)) if row.extra else (),
    )


def subject_of(row: Any) -> Subject:
    """The subject of a row of `tag`."""
    return Subject(KINDS[row.kind], row.subject)


def actor_fields(actor: Actor) -> str:
    """An actor as canonical JSON."""
    return canonical(asdict(actor))


def actor_of(fields: str) -> Actor:
    """The actor again."""
    found: dict[str, Any] = json.loads(fields)
    for name in ("categories", "jurisdictions", "aliases"):
        found[name] = tuple(found[name])
    found["extra"] = tuple((name, value) for name, value in found["extra"])
    return Actor(**found)


def import_of(row: Any, collection: str) -> ImportRecord:
    """The record of a row of `tag_import`."""
    options: Mapping[str, str] = json.loads(row.options)
    return ImportRecord(
        import_id=row.import_id,
        collection=collection,
        file_name=row.file_name,
        sha256=row.sha256,
        format=row.format,
        reader_version=row.reader_version,
        options=tuple(sorted(options.items())),
        imported_utc=row.imported_utc,
        imported_by=row.imported_by,
        header=json.loads(row.header),
        tags=row.tags,
        added=row.added,
        withdrawn=row.withdrawn,
        skipped=json.loads(row.skipped),
        content=row.content.hex(),
    )
