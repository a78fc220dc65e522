"""Listing: the filter is one, over the tags of one address and over all; folders; searching names."""

import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from tag_packs import Clock, at, locate, pack, statement, tag

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.formats.table import Mapping
from cointrail.attribution.store.changes.importing import import_pack
from cointrail.attribution.store.changes.retraction import Which, lift, retract
from cointrail.attribution.store.choice import TagFilter
from cointrail.attribution.store.reader import open_tags
from cointrail.attribution.store.tables import IMPORT
from cointrail.attribution.tag import Actor
from cointrail.database import Database
from cointrail.errors import UsageError
from cointrail.service.attribution.answers import RetractionAnswer
from cointrail.service.attribution.choice import TagChoice
from cointrail.service.attribution.history import history
from cointrail.service.attribution.imports import import_files
from cointrail.service.attribution.listing import list_tags
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
                    f"addr{number % 7 // 3}",
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
    assert total == len(page)
    for text in ("addr0", "ADDR1"):
        alone, count = filled.find(replace(choice, subject=text), 1000)
        assert alone == tuple(each for each in page if each.subject.text == text.lower())
        assert filled.find(replace(choice, subject=text), 0) == ((), count)
        assert count == len(alone)
    assert filled.find(replace(choice, subject="nobody"), 1000) == ((), 0)


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


def test_a_day_asks_for_any_part_of_it_however_dates_are_written(tmp_path):
    where, day = str(tmp_path / "tags.sqlite"), "2012-06-01"
    begins = {"compact": "20120601", "east": "2012-06-01T00:00:00+02:00", "noon": "2012-06-01T12:00:00Z", "open": ""}
    rows = "".join(f"34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo,{name},{begin}\n" for name, begin in begins.items())
    (tmp_path / "a.csv").write_text("address,label,valid_from\n" + rows)
    import_files(where, [tmp_path / "a.csv"], by="x", mapping=Mapping(constants={"source": "https://a"}))
    wanted = {
        "2012-05-31": {"east", "open"},
        "2012-05-31T21:59:59Z": {"open"},
        "2012-06-01T00:00:00+02:00": {"east", "open"},
        day: set(begins),
        "20120601": set(begins),
        "2012-06-01T11:59:59Z": {"compact", "east", "open"},
        "2012-12-31": set(begins),
    }
    for text in (None, "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo"):
        for asked, names in wanted.items():
            found = list_tags(where, text, choice=TagFilter(valid_on=asked)).tags
            assert {each.label for each in found} == names, asked


PACK = """title: t
creator: c
label: Scammer Jones
source: https://forum.example/1
confidence: {confidence}
lastmod: {day}
tags:
- address: 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo
- address: 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2
"""


def test_an_import_says_what_stays_retracted_and_the_history_shows_both(tmp_path):
    where, path, clock = str(tmp_path / "tags.sqlite"), tmp_path / "jones.yaml", Clock()

    def put(**fields):
        path.write_text(PACK.format(**fields))
        (done,) = import_files(where, [path], by="importer").imports
        return done

    def moved(seconds):
        """The last import, at a time of the test's."""
        with Database(where) as database, database.write() as connection:
            last = select(func.max(IMPORT.c.import_id)).scalar_subquery()
            connection.execute(update(IMPORT).where(IMPORT.c.import_id == last).values(imported_utc=at(seconds)))

    done = put(confidence="web_crawl", day="2024-01-01")
    assert (done.retracted, done.first_retraction) == (0, None)
    moved(0)
    clock.seconds = 10
    with Database(where) as database:
        which = Which("34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo")
        retract(database, which, reason="a victim", by="analyst", clock=clock)
    done = put(confidence="authority_data", day="2024-01-02")
    moved(20)
    assert (done.version.added, done.version.withdrawn, done.retracted) == (2, 2, 1)
    assert done.first_retraction == RetractionAnswer(at(10), "analyst", "a victim", None, None)
    again = put(confidence="authority_data", day="2024-01-02")
    assert (again.unchanged, again.retracted) == (True, 1)
    assert [each.subject for each in list_tags(where).tags] == ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"]
    found = history(where, "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo")
    assert [(each.utc, each.what, each.by, each.reason) for each in found.events] == [
        (at(0), "imported", "importer", ""),
        (at(10), "retracted", "analyst", "a victim"),
        (at(20), "withdrawn", "importer", ""),
        (at(20), "imported", "importer", ""),
        (at(20), "kept out", "analyst", "a victim"),
    ]
    assert [each.holds for each in found.tags] == [False, False]
    assert list_tags(where, found.asked, known_at=at(9)).total == 1
    assert list_tags(where, found.asked, known_at=at(10)).total == 0
    with Database(where) as database:
        clock.seconds = 30
        lift(database, which, by="analyst", clock=clock)
    assert list_tags(where, found.asked).total == 1
    assert history(where, found.asked).events[-1].what == "lifted"


HOSTILE = (
    "Zork'$(touch pwned)",
    "Zork`touch pwned`",
    "Zork; touch pwned",
    'Zork"$(touch pwned)"',
    "Zork \\' & touch pwned",
)


@pytest.mark.parametrize("text", [*HOSTILE, "-Zork", "--undo", "plain"])
def test_a_suggested_command_hands_a_shell_the_text_and_nothing_else(tmp_path, text):
    """Bash itself reads the command, with `cointrail` being a function that prints what it was given."""
    where = str(tmp_path / "tags.sqlite")
    said = statement(label="Found")
    actor = Actor(text, "https://a", "Found", "2024-01-01", ("market",))
    with Database(where, create=True) as database:
        import_pack(database, pack([tag(text, said)], "a", actors=[actor]), f"Found {text}", by="x")
    named = finder(TagChoice(database=where))("found", 10)
    wanted = {
        "collection": ["tags", "list", f"--collection=Found {text}"],
        "actor": ["tags", "list", f"--actor={text}"],
        "tag": ["tags", "list", "--", text] if text.startswith("-") else ["tags", "list", text],
    }
    assert {each.kind for each in named} == set(wanted)
    for each in named:
        script = "cointrail() { printf '%s\\0' \"$@\"; }; " + each.next[0]
        run = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert run.stdout.split("\0")[:-1] == wanted[each.kind]
        assert run.stderr == ""
    assert [each.name for each in tmp_path.iterdir() if not each.name.startswith("tags.sqlite")] == []


def test_what_could_not_be_copied_as_it_is_shown_gets_no_command(tmp_path):
    where = str(tmp_path / "tags.sqlite")
    with Database(where, create=True) as database:
        for name in ("Found\nnext line", "Found " + "x" * 300):
            import_pack(database, pack([tag("addr")], name), name, by="x")
    assert [each.next for each in finder(TagChoice(database=where))("found", 10)] == [(), ()]
