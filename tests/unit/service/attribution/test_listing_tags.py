"""Listing: the filter over tags of one address decides as the database does over all; folders; searching names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tag_packs import locate, pack, statement, tag

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.formats.table import Mapping
from cointrail.attribution.store.changes.importing import import_pack
from cointrail.attribution.store.choice import TagFilter
from cointrail.attribution.store.reader import open_tags
from cointrail.database import Database
from cointrail.errors import UsageError
from cointrail.service.attribution.choice import TagChoice
from cointrail.service.attribution.imports import import_files
from cointrail.service.attribution.listing import list_tags, passes
from cointrail.service.search.names import finder

DATES = ("", "2023-01-01", "2024-06-01", "2024-06-01T12:00:00Z")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    where = str(tmp_path_factory.mktemp("tags") / "tags.sqlite")
    names = sorted(CONFIDENCE)
    with Database(where, create=True) as database:
        for collection in ("a", "b"):
            tags = [
                tag(
                    "addr",
                    statement(
                        number,
                        actor=("", "x", "y")[number % 3],
                        category=("", "exchange")[number % 2],
                        confidence=names[number % len(names)],
                        valid_from=DATES[number % 4],
                        valid_to=DATES[number // 4 % 4],
                        source="ab"[number % 2],
                    ),
                )
                for number in range(60)
            ]
            import_pack(database, pack(tags, collection), collection, by="x", locate=locate)
        with open_tags(database, locate=locate) as store:
            yield store


def maybe(values):
    return st.one_of(st.none(), st.sampled_from(values))


@given(
    choice=st.builds(
        TagFilter,
        name=st.none(),
        actor=maybe(["", "x", "z"]),
        category=maybe(["", "exchange"]),
        source=maybe(["a", "b"]),
        collection=maybe(["a", "b", "c"]),
        least_level=maybe([0, 5, 50, 60, 100, 101]),
        valid_on=maybe(["2022-01-01", *DATES[1:], "2030-01-01"]),
    )
)
def test_one_address_and_all_are_filtered_alike(filled, choice):
    page, total = filled.find(choice, 1000)
    alone = [each for each in filled.tags_of_subject("addr") if passes(each, choice)]
    assert total == len(page) == len(alone)
    assert {each.tag_id for each in page} == {each.tag_id for each in alone}


def test_a_folder_of_packs_and_tables(tmp_path):
    folder, where = tmp_path / "lists", str(tmp_path / "tags.sqlite")
    (folder / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    row = "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo,One\n"
    (folder / "deep" / "a.csv").write_text("address,label\n" + row)
    (folder / ".git" / "b.csv").write_text("address,label\n" + row)
    (folder / "notes.md").write_text("no tags")
    (folder / "c.yaml").write_text(
        "title: t\ncreator: c\nsource: s\nconfidence: unknown\ncurrency: BTC\nlabel: Two\ntags:\n- address: x\n"
    )
    answer = import_files(where, [folder], by="x", mapping=Mapping(constants={"source": "https://a"}))
    assert [each.version.collection for each in answer.imports] == ["c.yaml", "a.csv"]
    assert {(each.label, each.source) for each in list_tags(where).tags} == {("One", "https://a"), ("Two", "s")}
    find = finder(TagChoice(database=where))
    assert [each.name for each in find("o", 5) if each.kind == "tag"] == ["One"]
    assert finder(TagChoice(database=str(tmp_path / "none.sqlite")))("o", 5) == []
    with pytest.raises(UsageError):  # a mapping that would change nothing
        import_files(where, [folder / "c.yaml"], by="x", mapping=Mapping(constants={"source": "https://a"}))
