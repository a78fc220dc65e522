"""Packs of tags made for tests, and a place for every subject that no codec decides."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cointrail.attribution.tag import Actor, Pack, Statement, Subject, SubjectKind, Tag

START = datetime(2024, 3, 1, tzinfo=UTC)


class Place(NamedTuple):
    """Where a subject is."""

    script_hash: bytes | None
    networks: int


def locate(subject: Subject) -> Place:
    """An address has a script of its own, whatever the case of its letters; nothing else has one."""
    if subject.kind is not SubjectKind.ADDRESS:
        return Place(None, 0)
    return Place(hashlib.sha256(b"script of " + subject.text.lower().encode()).digest(), 1)


def address(text: str) -> Subject:
    return Subject(SubjectKind.ADDRESS, text)


def statement(number: int = 0, **fields: object) -> Statement:
    said = {"label": f"Service {number}", "source": f"https://example.org/{number}", "confidence": "web_crawl"}
    return Statement(**(said | fields))  # type: ignore[arg-type]


def tag(text: str, said: Statement | int = 0, line: int = 0) -> Tag:
    return Tag(address(text), said if isinstance(said, Statement) else statement(said), line)


def pack(
    tags: Iterable[Tag],
    name: str = "list.yaml",
    *,
    actors: Sequence[Actor] = (),
    version: int = 1,
    header: dict[str, object] | None = None,
    skipped: dict[str, int] | None = None,
    form: str = "tagpack",
) -> Pack:
    """A pack whose hash depends on what it holds, as that of a file does."""
    listed = list(tags)
    digest = hashlib.sha256(repr((listed, actors, header)).encode()).hexdigest()
    return Pack(name, digest, form, version, header or {}, iter(listed), tuple(actors), skipped or {})


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    @property
    def now(self) -> str:
        return at(self.seconds)


def at(seconds: int) -> str:
    """A time so many seconds after the start."""
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
