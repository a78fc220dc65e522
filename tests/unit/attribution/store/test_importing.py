"""Imports: whole or not at all, order and repetitions kept, statements once, and what cannot be kept refused."""

import json
import threading
from dataclasses import replace

import pytest
from both_databases import emptied
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from tag_packs import Clock, address, locate, pack, statement, tag

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.store.changes.importing import import_pack
from cointrail.attribution.store.reader import open_tags
from cointrail.attribution.store.tables import STATEMENT, TAG
from cointrail.attribution.tag import Actor, Statement, Subject, SubjectKind, Tag
from cointrail.database import Database
from cointrail.errors import InputRefused, Unavailable


def put(database, one, name="list.yaml", **options):
    return import_pack(database, one, name, by="tester", locate=locate, **options)


def content(database, name="list.yaml"):
    with open_tags(database, locate=locate) as store:
        return [(each.subject, each.statement) for each in store.tags_in(name)]


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
full = text.filter(bool)
statements = st.builds(
    Statement,
    label=full,
    source=full,
    confidence=st.sampled_from(sorted(CONFIDENCE)),
    actor=text,
    category=text,
    concepts=st.lists(full, max_size=3).map(tuple),
    abuse=text,
    tag_type=text,
    is_cluster_definer=st.sampled_from([None, True, False]),
    context=text,
    lastmod=text,
    valid_from=text,
    valid_to=text,
    author=text,
    currency=text,
    network=text,
    extra=st.dictionaries(full, full.map(json.dumps), max_size=2).map(lambda each: tuple(sorted(each.items()))),
)
tags = st.builds(Tag, st.builds(Subject, st.sampled_from(SubjectKind), full), statements, st.integers(0, 2**40))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(listed=st.lists(tags, max_size=6))
def test_what_goes_in_comes_out(database, listed):
    emptied(database)
    put(database, pack(listed))
    assert content(database) == [(each.subject, each.statement) for each in listed]
    with open_tags(database, locate=locate) as store:
        assert sorted(each.line for each in store.tags_in("list.yaml")) == sorted(each.line for each in listed)


def test_actors_go_in_and_come_out_and_are_withdrawn(database):
    one = Actor(
        "binance", "https://b.example", "Binance", "2024-01-01", ("exchange",), ("MT",), ("bnb",), "x", (("a", "1"),)
    )
    two = replace(one, id="kraken", label="Kraken")
    put(database, pack([], actors=[one, two], form="actorpack"))
    put(database, pack([], actors=[two, replace(one, label="Binance Ltd"), two], form="actorpack"))
    with open_tags(database) as store:
        assert [each.actor for each in store.actors()] == [two, replace(one, label="Binance Ltd"), two]
        assert [each.actor.label for each in store.actors(["binance"])] == ["Binance Ltd"]
        record = store.collections["list.yaml"]
        assert (record.tags, record.added, record.withdrawn) == (3, 2, 1)
        first = store.imports[1].imported_utc
    with open_tags(database, first) as store:
        assert {each.actor.id for each in store.actors()} == {"binance", "kraken"}


def test_a_million_addresses_of_one_service_make_one_statement(database):
    put(database, pack(tag(f"addr{number}") for number in range(25_000)))
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(STATEMENT)).scalar() == 1
        assert connection.execute(select(func.count()).select_from(TAG)).scalar() == 25_000


def test_rows_that_repeat_a_tag_are_kept_and_counted(database):
    put(database, pack([tag("x"), tag("y"), tag("x"), tag("x")]))
    assert [subject.text for subject, _ in content(database)] == ["x", "y", "x", "x"]
    done = put(database, pack([tag("x"), tag("y"), tag("x")]))
    assert (done.record.added, done.record.withdrawn) == (0, 1)
    assert [subject.text for subject, _ in content(database)] == ["x", "y", "x"]


def test_the_same_version_is_not_read_again(database):
    put(database, pack([tag("x")]))

    def unread():
        raise AssertionError("it was read")
        yield

    again = put(database, replace(pack([tag("x")]), tags=unread()))
    assert again.unchanged
    for other in ({"version": 2}, {"form": "table"}, {"name": "other.yaml"}):
        assert not put(database, pack([tag("x")], **other)).unchanged
    assert not put(database, pack([tag("x")]), options={"mapping": "{}"}).unchanged


def test_what_the_reader_skipped_is_kept_though_it_knows_it_late(database):
    skipped: dict[str, int] = {}

    def late():
        yield tag("x")
        skipped["of another chain"] = 3

    done = put(database, replace(pack([]), tags=late(), skipped=skipped))
    assert done.record.skipped == {"of another chain": 3}


@pytest.mark.parametrize("line", [1, 10_001, 20_000])
def test_a_fault_in_any_line_leaves_nothing(database, line):
    put(database, pack([tag("old")]))
    before = content(database)

    def broken():
        for number in range(1, line):
            yield tag(f"addr{number}", number % 7, number)
        raise InputRefused(f"line {line} of list.yaml: no tag")

    with pytest.raises(InputRefused, match=f"line {line}"):
        put(database, replace(pack([tag("new")]), tags=broken()))
    assert content(database) == before
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(STATEMENT)).scalar() == 1
    put(database, pack([tag("new")]))  # nothing is left in the way
    assert content(database) == [(address("new"), statement())]


@pytest.mark.parametrize("stage", ["reading", "comparing"])
def test_a_person_who_interrupts_finds_the_former_state(database, stage):
    put(database, pack([tag("old")]))

    def progress(what, _tags):
        if what == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put(database, pack([tag("new")]), progress=progress)
    assert content(database) == [(address("old"), statement())]
    put(database, pack([tag("new")]))


@pytest.mark.parametrize(
    "bad",
    [
        tag("a\0b"),
        tag("\ud800"),
        tag("x", statement(label="a\0b")),
        tag("x", statement(context="\udcff")),
        tag("x", statement(concepts=("a\0b",))),
        tag("x", statement(confidence="certain")),
        tag("x", statement(source="")),
        tag("x", statement(label="")),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_line(database, bad):
    with pytest.raises(InputRefused, match=r"line 7 of list\.yaml"):
        put(database, pack([tag("good"), replace(bad, line=7)]))
    with open_tags(database) as store:
        assert store.collections == {}


def test_names_that_try_to_be_sql_are_names(database):
    evil = "'; DROP TABLE tag; --"
    put(database, pack([tag(evil, statement(label=evil, source='"; --', actor="%_\\"))], evil), evil)
    with open_tags(database, locate=locate) as store:
        assert store.tags_of_subject(evil)[0].statement.actor == "%_\\"
        assert [each.label for each in store.search("'; drop", 5)] == [evil]
        assert store.search("%", 5)[0].actor == "%_\\"
        assert store.search("_", 5) == ()


def test_importers_wait_for_one_another(where):
    """Each reads while the other wants to write; both versions come in, whole, one after the other."""
    with Database(where, create=True):
        pass
    begun, errors = threading.Barrier(2, timeout=30), []

    def importer(name):
        def slowly():
            for number in range(5_000):
                yield tag(f"{name}{number}", number)

        try:
            with Database(where, patience=60) as own:
                begun.wait()
                put(own, replace(pack([tag(name)], name), tags=slowly()), name)
                put(own, pack([tag(f"{name} in both")], "both"), "both")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=importer, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Database(where) as database, open_tags(database) as store:
        assert [len(list(store.tags_in(name))) for name in ("a", "b", "both")] == [5_000, 5_000, 1]
        assert [each.added for each in store.imports.values()].count(5_000) == 2


def test_a_writer_does_not_wait_for_ever(where):
    with Database(where, create=True) as first, Database(where, patience=0) as second:
        with first.write():
            put_again = Clock()
            with pytest.raises(Unavailable, match="somebody else is writing to the database") as caught:
                put(second, pack([tag("x")]), clock=put_again)
            assert "try again" in caught.value.hint
        put(second, pack([tag("x")]))


def test_a_reader_sees_one_state_while_another_writes(where):
    with Database(where, create=True) as first, Database(where) as second:
        put(first, pack([tag("old")]))
        with open_tags(second, locate=locate) as store:
            digest = store.digest
            put(first, pack([tag("new")]))
            assert [each.subject.text for each in store.tags_in("list.yaml")] == ["old"]
        with open_tags(second, locate=locate) as store:
            assert store.digest != digest


def test_a_file_under_another_name_has_the_digest_of_what_was_read(database):
    """A reader may take the file's name for a source; a list has one name, and its files have many."""

    def digest_after(source, file_name):
        emptied(database)
        one = pack([tag("x", statement(source=source))], file_name)
        put(database, replace(one, sha256="00" * 32), "ofac")
        with open_tags(database) as store:
            return store.digest

    same = digest_after("treasury", "march.txt")
    assert digest_after("treasury", "april.txt") == same
    assert digest_after("march.txt", "march.txt") != same
