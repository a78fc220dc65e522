"""Looking up, filtering, searching: against what Python finds in the same list."""

import random
from datetime import datetime

import numpy as np
import pytest
from tag_packs import Clock, Place, address, at, locate, pack, statement, tag

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.store.changes.importing import import_pack
from cointrail.attribution.store.changes.retraction import Which, lift, retract
from cointrail.attribution.store.choice import TagFilter
from cointrail.attribution.store.reader import open_tags
from cointrail.attribution.store.records import Retracted
from cointrail.attribution.tag import Subject, SubjectKind, Tag
from cointrail.errors import NotFound, UsageError

DATES = ("", "2023-01-01", "2024-06-01", "2024-06-01T12:00:00Z")
WIDE = "\uff22\uff29\uff2e\uff21\uff2e\uff23\uff25 cold"  # in letters of double width
LABELS = ("Binance", "binance hot", "Bitfinex", WIDE, "Straße", "Ärger", "zeta", "%", "_x")


def some_tags(count):
    chance = random.Random(5)
    for number in range(count):
        said = statement(
            label=chance.choice(LABELS),
            actor=chance.choice(["", "binance", "bitfinex"]),
            category=chance.choice(["exchange", "mixer"]),
            source=chance.choice(["https://a", "https://b"]),
            confidence=chance.choice(sorted(CONFIDENCE)),
            valid_from=chance.choice(DATES),
            valid_to=chance.choice(DATES),
        )
        yield tag(f"addr{number}", said, number + 1)


@pytest.fixture
def filled(database):
    everything = list(some_tags(300))
    import_pack(database, pack(everything[:200], "a"), "a", by="x", locate=locate)
    import_pack(database, pack(everything[200:], "b"), "b", by="x", locate=locate)
    return database, everything


def holds_on(said, asked):
    """Whether a statement holds at one of the seconds that are meant, counted by Python's own calendar."""

    def second(text, part="00:00:00"):
        return datetime.fromisoformat(text if "T" in text else f"{text}T{part}Z").timestamp()

    begun = not said.valid_from or second(said.valid_from) <= second(asked, "23:59:59")
    return begun and (not said.valid_to or second(said.valid_to) > second(asked))


CHOICES = [
    (TagFilter(), lambda said, _: True),
    (TagFilter(actor="binance"), lambda said, _: said.actor == "binance"),
    (TagFilter(category="mixer", source="https://a"), lambda s, _: (s.category, s.source) == ("mixer", "https://a")),
    (TagFilter(collection="b"), lambda said, number: number >= 200),
    (TagFilter(subject="ADDR7"), lambda said, number: number == 7),
    (TagFilter(least_level=60), lambda said, _: CONFIDENCE[said.confidence] >= 60),
    (TagFilter(name="BINA"), lambda said, _: said.label in LABELS[:2] + LABELS[3:4] or said.actor == "binance"),
    (TagFilter(name="strass"), lambda said, _: said.label == "Straße"),
    (TagFilter(name="%"), lambda said, _: said.label == "%"),
    *(
        (
            TagFilter(valid_on=day),
            lambda said, _, day=day: holds_on(said, day),
        )
        for day in (
            "2022-12-31",
            "2023-01-01",
            "2024-06-01",
            "2024-06-01T11:59:59Z",
            "2024-06-01T12:00:00Z",
            "2024-05-31",
            "2024-06-02",
            "2025-01-01",
        )
    ),
]


@pytest.mark.parametrize(("choice", "passes"), CHOICES)
def test_a_filter_lets_pass_what_python_lets_pass(filled, choice, passes):
    database, everything = filled
    wanted = [each.subject.text for number, each in enumerate(everything) if passes(each.statement, number)]
    with open_tags(database, locate=locate) as store:
        page, total = store.find(choice, 1000)
        assert [each.subject.text for each in page] == wanted
        assert total == len(wanted)
        assert total > 0
        parts = [store.find(choice, 7, first)[0] for first in range(0, total, 7)]
        assert [each for part in parts for each in part] == list(page)


def test_a_search_gives_each_name_once(filled):
    database, _ = filled
    with open_tags(database, locate=locate) as store:
        found = store.search("bin", 100)
        assert {each.label for each in found if each.actor != "binance"} == {
            "Binance",
            "binance hot",
            WIDE,
        }
        assert len({(each.label, each.actor) for each in found}) == len(found)
        assert len(store.search("bin", 2)) == 2
        assert store.search("nobody", 5) == ()
        assert store.search("", 5) == ()


def test_a_name_whose_tags_are_gone_is_not_found(database):
    import_pack(database, pack([tag("x", statement(label="Gone"))]), "list.yaml", by="x", locate=locate)
    import_pack(database, pack([tag("x", statement(label="Here"))]), "list.yaml", by="x", locate=locate)
    with open_tags(database, locate=locate) as store:
        assert store.search("gone", 5) == ()
        assert [each.label for each in store.search("here", 5)] == ["Here"]


def test_scripts_come_as_columns(filled):
    database, everything = filled
    with open_tags(database, locate=locate) as store:
        chunks = list(store.all_scripts(portion=64))
        assert [len(chunk.tag_id) for chunk in chunks] == [64, 64, 64, 64, 44]
        hashes = np.concatenate([chunk.script_hash for chunk in chunks])
        assert {bytes(row) for row in hashes} == {locate(each.subject).script_hash for each in everything}
        numbers = np.concatenate([chunk.statement_id for chunk in chunks])
        stated = store.statements(numbers.tolist())
        by_hash = {locate(each.subject).script_hash: each.statement for each in everything}
        assert all(by_hash[bytes(row)] == stated[number] for row, number in zip(hashes, numbers.tolist(), strict=True))
        assert sum(len(chunk.tag_id) for chunk in store.all_scripts(network=0)) == 300
        assert sum(len(chunk.tag_id) for chunk in store.all_scripts(network=1)) == 0


def test_a_subject_is_found_however_it_is_spelled(database):
    subjects = [address("bc1QXY"), Subject(SubjectKind.TRANSACTION, "ab" * 32), Subject(SubjectKind.COINBASE, "/Pool/")]
    import_pack(database, pack([Tag(each, statement()) for each in subjects]), "list.yaml", by="x", locate=locate)
    with open_tags(database, locate=locate) as store:
        for text, kind in (
            ("bc1qxy", SubjectKind.ADDRESS), ("BC1QXY", SubjectKind.ADDRESS), ("AB" * 32, SubjectKind.TRANSACTION),
            ("/Pool/", SubjectKind.COINBASE),
        ):  # fmt: skip
            assert [each.subject.kind for each in store.tags_of_subject(text)] == [kind]
        assert store.tags_of_subject("/pool/") == ()
        assert store.tags_of_subject("") == ()


def test_scripts_whose_hashes_begin_alike_are_not_confused(database):
    """The key is eight bytes of a hash; whoever makes two scripts with the same eight gets no tag of the other."""

    def crowded(subject):
        return Place(b"12345678" + subject.text.encode().ljust(24), 1)

    listed = [tag("one", 1), tag("two", 2)]
    import_pack(database, pack(listed), "list.yaml", by="x", locate=crowded)
    with open_tags(database, locate=crowded) as store:
        one = crowded(address("one")).script_hash
        found = store.tags_of([one, crowded(address("six")).script_hash])
        assert list(found) == [one]
        assert [each.subject.text for each in found[one]] == ["one"]
        assert [each.subject.text for each in store.tags_of_subject("two")] == ["two"]


def test_a_retraction_outlives_the_list_that_brings_the_tag_again(database):
    clock = Clock()
    with_it, without = [tag("x"), tag("y")], [tag("y")]

    def put(tags):
        clock.seconds += 10
        import_pack(database, pack(tags), "list.yaml", by="x", clock=clock, locate=locate)

    put(with_it)
    clock.seconds = 15
    assert retract(database, Which("x"), reason="typing error", by="me", clock=clock, locate=locate).tags == 1
    put(without)
    put(with_it)
    with open_tags(database, locate=locate) as store:
        assert store.tags_of_subject("x") == ()
        first, second = store.tags_of_subject("x", history=True)
        assert (first.until is not None, second.until) == (True, None)
        assert [each.reason for each in second.retracted] == ["typing error"]
    clock.seconds = 50
    assert lift(database, Which("x"), by="me", clock=clock, locate=locate).tags == 1
    for second, holds in ((10, True), (14, True), (15, False), (35, False), (49, False), (50, True)):
        with open_tags(database, at(second), locate) as store:
            assert bool(store.tags_of_subject("x")) == holds, second


@pytest.mark.parametrize(
    ("anew", "stays"),
    [
        ({"lastmod": "2024-02-02"}, True),
        ({"confidence": "authority_data"}, True),
        ({"category": "mixer", "concepts": ("mixer",)}, True),
        ({"label": "Another"}, False),
        ({"actor": "another"}, False),
        ({"source": "https://another"}, False),
    ],
)
def test_a_retraction_outlives_what_a_list_changes_beside_the_claim(database, anew, stays):
    """The reviewed case: a header's `lastmod` is a day later, and the tag that was taken back is there again."""
    clock = Clock()
    said = {"label": "Scammer Jones", "actor": "jones", "source": "https://forum", "lastmod": "2024-02-01"}

    def put(spelled, **fields):
        clock.seconds += 10
        listed = [tag(spelled, statement(**(said | fields))), tag("y", statement(**said))]
        import_pack(database, pack(listed), "list.yaml", by="x", clock=clock, locate=locate)

    put("bc1qx")
    clock.seconds = 15
    assert retract(database, Which("bc1qx"), reason="a victim", by="me", clock=clock, locate=locate).tags == 1
    put("BC1QX", **anew)
    with open_tags(database, locate=locate) as store:
        assert bool(store.tags_of_subject("bc1qx")) != stays
        kept_out, first = store.kept_out("list.yaml")
        assert kept_out == stays
        assert first == (Retracted(at(15), "me", "a victim") if stays else None)
        whole = store.tags_of_subject("bc1qx", history=True)
        assert [[each.reason for each in one.retracted] for one in whole] == [["a victim"], ["a victim"] * stays]
        assert len(store.tags_of_subject("y")) == 1
    for second, holds in ((14, True), (15, False), (24, False), (25, not stays)):
        with open_tags(database, at(second), locate) as store:
            assert bool(store.tags_of_subject("bc1qx")) == holds, second
    clock.seconds = 50
    assert lift(database, Which("bc1qx"), by="me", clock=clock, locate=locate).tags == 1
    with open_tags(database, locate=locate) as store:
        assert len(store.tags_of_subject("bc1qx")) == 1
        assert store.kept_out("list.yaml") == (0, None)


def test_only_what_is_meant_is_taken_back(database):
    import_pack(database, pack([tag("x", 1), tag("x", 2), tag("y", 1)], "a"), "a", by="x", locate=locate)
    import_pack(database, pack([tag("x", 1)], "b"), "b", by="x", locate=locate)
    which = Which("X", "a", statement(1).source, None, "Service 1")
    assert retract(database, which, reason="r", by="x", locate=locate).tags == 1
    with open_tags(database, locate=locate) as store:
        assert [(each.collection, each.statement) for each in store.tags_of_subject("x")] == [
            ("a", statement(2)),
            ("b", statement(1)),
        ]
    with pytest.raises(NotFound):
        retract(database, which, reason="r", by="x", locate=locate)
    with pytest.raises(UsageError):
        retract(database, Which(), reason="r", by="x", locate=locate)
    with pytest.raises(UsageError):
        retract(database, Which("y"), reason=" ", by="x", locate=locate)
    with pytest.raises(UsageError):
        lift(database, Which(), by="x", locate=locate)
