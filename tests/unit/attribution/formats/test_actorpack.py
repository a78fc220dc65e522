"""ActorPacks are read with the line of every fault and written again as equal packs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_strategies import ACTOR_FIELDS, actors, laid_out

from cointrail.attribution.formats.actorpack import read_actorpack, write_actorpack
from cointrail.attribution.tag import Actor, Pack
from cointrail.errors import InputRefused

PACK = """\
title: Actors
creator: somebody
lastmod: 2023-05-10
categories: [exchange]
actors:
- id: boat
  uri: https://boat.example
  label: Boat
  jurisdictions: [SC, AT]
  aliases: [boat.example]
  context: '{"uris": ["https://boat.example", "https://boat2.example"], "twitter_handle": "boat"}'
- id: raft
  uri: https://raft.example
  label: Raft
  lastmod: '2023-05-11'
  categories:
  - mixing_service
  - organization
  context: {legal_name: Raft Ltd, same_as: [boat]}
  unknown: 1
"""


def pack_of(folder: Path, text: str) -> Pack:
    path = folder / "actorpack.yaml"
    path.write_text(text, encoding="utf-8")
    return read_actorpack(path)


def written(pack: Pack, path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        write_actorpack(pack, pack.actors, file)
    return path


def test_a_pack_is_read(tmp_path):
    pack = pack_of(tmp_path, PACK)
    assert (pack.format, list(pack.tags)) == ("actorpack", [])
    boat, raft = pack.actors
    assert boat == Actor(
        id="boat",
        uri="https://boat.example",
        label="Boat",
        lastmod="2023-05-10",
        categories=("exchange",),
        jurisdictions=("SC", "AT"),
        aliases=("boat.example",),
        context='{"uris": ["https://boat.example", "https://boat2.example"], "twitter_handle": "boat"}',
    )
    assert (raft.lastmod, raft.categories) == ("2023-05-11", ("mixing_service", "organization"))
    assert raft.context == '{"legal_name":"Raft Ltd","same_as":["boat"]}'
    assert dict(raft.extra)["unknown"] == "1"


def test_a_pack_comes_back_equal(tmp_path):
    path = tmp_path / "actorpack.yaml"
    again = written(pack_of(tmp_path, PACK), tmp_path / "again.yaml")
    assert laid_out(again, "actors", ACTOR_FIELDS) == laid_out(path, "actors", ACTOR_FIELDS)


def test_what_graphsense_does_not_know_can_be_left_out(tmp_path):
    pack, path = pack_of(tmp_path, PACK), tmp_path / "again.yaml"
    with path.open("w", encoding="utf-8") as file:
        left_out = write_actorpack(pack, pack.actors, file, own_fields=False)
    assert "unknown" not in path.read_text("utf-8")
    assert left_out == {"actors' unknown, which GraphSense does not know": 1}


@given(st.lists(actors(), max_size=3, unique_by=lambda each: each.id))
def test_whatever_is_written_reads_back(tmp_path_factory, found):
    pack = Pack("actors", "00", "actorpack", 1, {"title": "t", "creator": "c"}, (), tuple(found))
    path = written(pack, tmp_path_factory.mktemp("written") / "actorpack.yaml")
    assert read_actorpack(path).actors == tuple(found)


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("  uri: https://raft.example\n", ""), 12, "an actor has no uri"),
        (("id: raft", "id: boat"), 12, "the actor 'boat' stands twice"),
        (("label: Raft", "label: 12"), 12, "label is a number"),
        (("jurisdictions: [SC, AT]", "jurisdictions: SC"), 6, "jurisdictions is text, not a list"),
        (("categories: [exchange]", "categories: exchange"), 4, "categories is text, not a list"),
        (("label: Boat", "label: Bo\u200bat"), 6, "ZERO WIDTH SPACE"),
        (("actors:", "tags:"), 1, "it has no list `actors`; it has a list `tags`"),
    ],
)
def test_faults_are_refused_with_the_line(tmp_path, change, line, says):
    with pytest.raises(InputRefused, match=rf"actorpack\.yaml, line {line}: .*{says}"):
        pack_of(tmp_path, PACK.replace(*change))
