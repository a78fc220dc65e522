"""Tags as they lie on the scripts of a snapshot: the one way in which other rooms come to know of them.

They come from files given with the question, from the database, or from the caller. The tag-set digest names exactly
what was asked with.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.attribution.claims import Stated, is_its_file
from cointrail.attribution.confidence import UNKNOWN
from cointrail.attribution.formats.read import read_pack
from cointrail.attribution.subject import locate, networks_of
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag
from cointrail.attribution.tag_set import CollectionState, tag_set_digest
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.service.attribution.choice import TagChoice, TagSource
from cointrail.service.attribution.gathered import OWN, Gathered, Resolved, bit_of

I64 = npt.NDArray[np.int64]

_CALLER: Final = "the caller"
_PORTION: Final = 1 << 14


FEW: Final = 1_000
"""Scripts whose tags are looked up one by one; for more all tags are."""


def resolve(reader: Reader, source: TagSource, scripts: I64 | None = None) -> Resolved | None:
    """Tags at a snapshot; None if the question is asked without any.

    Args:
        reader: the ledger at a snapshot.
        source: which tags.
        scripts: int64 (n,), if only their tags matter: others may be missing then.

    Raises:
        InputRefused: a file is no list of tags.
        Unavailable: the database cannot be used.
    """
    choice = TagChoice.of(source)
    if choice.actors is not None:
        return _of_caller(reader, choice.actors)
    if choice.files:
        return _of_files(reader, [read_pack(path) for path in choice.files])
    if choice.database is not None:
        from cointrail.service.attribution.stored import of_database  # SQLAlchemy takes a moment to load

        return of_database(reader, choice, scripts if scripts is not None and len(scripts) <= FEW else None)
    return None


def digest_of_stored(choice: TagChoice) -> tuple[str, str | None] | None:
    """Digest and time of the imported tags that a choice takes; None if it takes none.

    Raises:
        UsageError, Unavailable: as `resolve`.
    """
    if choice.actors is not None or choice.files or choice.database is None:
        return None
    from cointrail.service.attribution.stored import stored_tags

    with stored_tags(choice) as store:
        return None if store is None else (store.digest, store.known_at)


def _of_files(reader: Reader, packs: Sequence[Pack]) -> Resolved:
    found = Gathered(reader)
    for pack in packs:
        for portion in _portions(pack.tags):
            located = [locate(tag.subject) for tag in portion]
            meant = [networks_of(tag.statement.currency, tag.statement.network) for tag in portion]
            if pack.format == OWN:
                _refuse_typing_errors(reader, pack, portion, [each.networks for each in located], meant)
            found.add(
                [_stated(pack, tag) for tag in portion],
                [each.script_hash for each in located],
                [each.networks & named for each, named in zip(located, meant, strict=True)],
            )
    states = [CollectionState(pack.name, pack.format, pack.version, pack.sha256) for pack in packs]
    return found.resolved(tuple(sorted(pack.name for pack in packs)), tag_set_digest(states))


def _of_caller(reader: Reader, actors: Mapping[str, str]) -> Resolved:
    tags = [
        Tag(Subject(SubjectKind.ADDRESS, address), Statement(actor, "", UNKNOWN), line, graded=False)
        for line, (address, actor) in enumerate(actors.items(), 1)
    ]
    content = json.dumps(dict(actors), sort_keys=True, separators=(",", ":"))
    return _of_files(reader, [Pack(_CALLER, hashlib.sha256(content.encode()).hexdigest(), OWN, 1, {}, tags)])


def _stated(pack: Pack, tag: Tag) -> Stated:
    """The asker's own word is what a table says without a confidence; one that says `unknown` says so."""
    content = pack.sha256 if is_its_file(tag.statement.source, pack.name) else ""
    return Stated(tag.statement, pack.name, pack.format == OWN and not tag.graded, content=content)


def _refuse_typing_errors(
    reader: Reader, pack: Pack, tags: Sequence[Tag], networks: Sequence[int], meant: Sequence[int]
) -> None:
    """A table that was made for this question is refused if an address is none: nothing may be lost unseen."""
    here = bit_of(reader)
    for tag, known, named in zip(tags, networks, meant, strict=True):
        if tag.subject.kind is SubjectKind.ADDRESS and named & here and not known & here:
            raise InputRefused(
                f"line {tag.line} of {pack.name}: {tag.subject.text!r} is no address of {reader.snapshot.network}",
                hint="correct the address, or leave it out",
            )


def _portions(tags: Iterable[Tag]) -> Iterator[list[Tag]]:
    portion: list[Tag] = []
    for tag in tags:
        portion.append(tag)
        if len(portion) == _PORTION:
            yield portion
            portion = []
    if portion:
        yield portion
