"""ActorPacks, GraphSense's files of actors: who the names in tags stand for.

A pack is a YAML mapping: a header, and a list `actors`. The same rules as for TagPacks; a file of actors is small, so
it is read whole.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TextIO

from cointrail.attribution.formats.yaml_text.document import Entry, Field, YamlFile, entries, head, open_yaml
from cointrail.attribution.formats.yaml_text.fields import (
    ACTOR_FIELDS,
    Unfit,
    header_plain,
    header_written,
    read_fields,
    written_fields,
)
from cointrail.attribution.formats.yaml_text.heads import count_lost, flat_head, write_head
from cointrail.attribution.formats.yaml_text.plain import canonical
from cointrail.attribution.formats.yaml_text.scalars import Value
from cointrail.attribution.formats.yaml_text.writer import line
from cointrail.attribution.tag import Actor, Pack
from cointrail.errors import InputRefused

FORMAT: Final = "actorpack"
VERSION: Final = 2
MOST_ACTORS: Final = 200_000

_LIST: Final = "actors"
_MANDATORY: Final = ("id", "uri", "label", "lastmod", "categories")


def read_actorpack(path: Path) -> Pack:
    """Read an ActorPack.

    Args:
        path: of a YAML file of at most 64 MiB and 200,000 actors.

    Raises:
        Unavailable: the file cannot be read.
        InputRefused: it is no ActorPack; with the line.
    """
    file = open_yaml(path)
    fields = flat_head(file, head(file, _LIST), _LIST)
    inherited = {name: field for name, field in fields.items() if name in ACTOR_FIELDS}
    for name, field in inherited.items():
        _check(file, name, field)
    header = {name: header_plain(name, field.value, ACTOR_FIELDS) for name, field in fields.items()}
    spoken = {name: field.value for name, field in inherited.items()}
    actors: dict[str, Actor] = {}
    for entry in entries(file, _LIST):
        actor = _actor(file, entry, spoken)
        if actor.id in actors:
            raise file.refused(entry.line, f"the actor {actor.id!r} stands twice", "keep one of them")
        if len(actors) >= MOST_ACTORS:
            raise file.refused(entry.line, f"more than {MOST_ACTORS:,} actors", "split it into several packs")
        actors[actor.id] = actor
    return Pack(path.name, file.sha256, FORMAT, VERSION, header, (), tuple(actors.values()))


def write_actorpack(pack: Pack, actors: Iterable[Actor], file: TextIO, *, own_fields: bool = True) -> dict[str, int]:
    """Write actors as an ActorPack.

    Args:
        pack: whose header is written; `title` and `creator` are made up from its name and format if it has none.
        actors: written in their order.
        file: opened for text in UTF-8.
        own_fields: whether fields are written that GraphSense does not know; it refuses packs that have them.

    Returns:
        How many actors lost which field, by reason.

    Raises:
        InputRefused: the header says what does not hold for an actor.
    """
    header = {name: header_written(name, plain, ACTOR_FIELDS) for name, plain in pack.header.items() if name != _LIST}
    left_out = write_head(pack, header, file, own_fields=own_fields, kinds=ACTOR_FIELDS)
    spoken = {name: canonical(value) for name, value in header.items() if name in ACTOR_FIELDS}
    begun = False
    for actor in actors:
        file.write("" if begun else f"{_LIST}:\n")
        text, lost = _body(actor, spoken, pack, own_fields=own_fields)
        count_lost(left_out, "actors'", lost)
        file.write(text)
        begun = True
    file.write("" if begun else f"{_LIST}: []\n")
    return left_out


def _actor(file: YamlFile, entry: Entry, inherited: Mapping[str, Value]) -> Actor:
    fields = {**inherited, **entry.fields}
    for name in _MANDATORY:
        if name not in fields:
            raise file.refused(entry.line, f"an actor has no {name}", f"add `{name}: ...` to it")
    try:
        known, extra = read_fields(fields, ACTOR_FIELDS)
    except Unfit as error:
        raise file.refused(entry.line, f"{error}", error.hint) from error
    return Actor(**known, extra=extra)


def _check(file: YamlFile, name: str, field: Field) -> None:
    try:
        ACTOR_FIELDS[name].read(name, field.value)
    except Unfit as error:
        raise file.refused(field.line, f"{error}", error.hint) from error


def _body(actor: Actor, spoken: Mapping[str, str], pack: Pack, *, own_fields: bool) -> tuple[str, list[str]]:
    """The lines of an actor: what the header does not say, its `id` first; and the fields that are missing there."""
    fields = written_fields({name: getattr(actor, name) for name in ACTOR_FIELDS}, actor.extra, ACTOR_FIELDS)
    fields.setdefault("categories", [])
    for name in spoken:
        if name not in fields:
            raise InputRefused(
                f"the header of {pack.name} says the {name} of every actor, and {actor.id} has none",
                hint=f"write the actors without {name} in the header",
            )
    lost = [] if own_fields else [name for name in fields if name not in ACTOR_FIELDS]
    lines = [
        line(name, value) for name, value in fields.items() if spoken.get(name) != canonical(value) and name not in lost
    ]
    return "".join(f"{'  ' if number else '- '}{text}\n" for number, text in enumerate(lines)) or "- {}\n", lost
