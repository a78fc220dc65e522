"""What was known at every second, against a plain model: full copies of the state after each change."""

from collections import Counter

from both_databases import emptied
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tag_packs import Clock, at, locate, pack, statement, tag

from cointrail.attribution.store.changes.importing import import_pack
from cointrail.attribution.store.changes.retraction import Which, lift, retract
from cointrail.attribution.store.reader import open_tags
from cointrail.errors import NotFound

COLLECTIONS = ("a.yaml", "b.yaml")
SUBJECTS = tuple(f"addr{number}" for number in range(5))
STATEMENTS = (
    statement(0, actor="actor0"),
    statement(1, actor="actor1"),
    statement(0, actor="actor0", lastmod="2024-02-01", confidence="service_data", category="exchange"),
)
"""The last is the first, written anew by its list: a retraction of either is one of both."""

listed = st.lists(st.tuples(st.sampled_from(SUBJECTS), st.integers(0, 2)), max_size=8)
change = st.one_of(
    st.tuples(st.just("import"), st.sampled_from(COLLECTIONS), listed),
    st.tuples(
        st.sampled_from(["retract", "lift"]),
        st.sampled_from([*SUBJECTS, None]),
        st.sampled_from([*COLLECTIONS, None]),
        st.sampled_from(["actor0", None]),
    ),
)
history = st.lists(st.tuples(change, st.integers(0, 2)), min_size=1, max_size=12)


class Model:
    """The state, as anybody would keep it who has all the room in the world."""

    def __init__(self) -> None:
        self.lists: dict[str, tuple[tuple[str, int], ...]] = {}
        self.retracted: set[tuple[str, str, int]] = set()
        self.copies: dict[int, Model] = {}

    def visible(self) -> Counter:
        every = Counter((name, subject, said) for name, rows in self.lists.items() for subject, said in rows)
        return Counter({key: count for key, count in every.items() if not self.is_retracted(key)})

    def is_retracted(self, key: tuple[str, str, int]) -> bool:
        name, subject, said = key
        return any((name, subject, other) in self.retracted for other in range(3) if other % 2 == said % 2)

    def chosen(self, subject, collection, actor) -> set:
        every = {(name, text, said) for name, rows in self.lists.items() for text, said in rows} | self.retracted
        return {
            (name, text, said)
            for name, text, said in every
            if subject in (None, text) and collection in (None, name) and actor in (None, f"actor{said % 2}")
        }

    def effective(self) -> frozenset:
        """What two users share who have the same files and took the same tags back."""
        there = {(name, subject, said) for name, rows in self.lists.items() for subject, said in rows}
        return frozenset([*self.lists.items(), *filter(self.is_retracted, there)])

    def remember(self, second: int) -> None:
        self.copies[second] = Model()
        self.copies[second].lists, self.copies[second].retracted = dict(self.lists), set(self.retracted)

    def known_at(self, second: int) -> "Model":
        past = [when for when in self.copies if when <= second]
        return self.copies[max(past)] if past else Model()


def apply(database, model: Model, clock: Clock, step: tuple) -> None:
    if step[0] == "import":
        _, name, rows = step
        tags = [tag(subject, STATEMENTS[said], line) for line, (subject, said) in enumerate(rows, 1)]
        before = model.lists.get(name)
        done = import_pack(database, pack(tags, name), name, by="tester", clock=clock, locate=locate)
        assert done.unchanged == (before == tuple(rows))
        if not done.unchanged:
            gone, come = Counter(before or ()), Counter(rows)
            assert (done.record.added, done.record.withdrawn) == ((come - gone).total(), (gone - come).total())
        model.lists[name] = tuple(rows)
        return
    what, subject, collection, actor = step
    if (subject, collection, actor) == (None, None, None):
        return
    which, chosen = Which(subject, collection, None, actor), model.chosen(subject, collection, actor)
    if what == "retract":
        hit = {key for key in chosen if key in model.visible()}
        model.retracted |= hit
    else:
        hit = chosen & model.retracted
        model.retracted -= hit
    try:
        arguments = {"by": "tester", "clock": clock, "locate": locate}
        taken = (
            retract(database, which, reason="wrong", **arguments)
            if what == "retract"
            else lift(database, which, **arguments)
        )
        assert taken.tags == len(hit)
    except NotFound:
        assert not hit


def seen(tags) -> Counter:
    return Counter((each.collection, each.subject.text, STATEMENTS.index(each.statement)) for each in tags)


def compare(database, model: Model, second: int | None, digests: dict) -> None:
    state = model if second is None else model.known_at(second)
    expected = state.visible()
    with open_tags(database, None if second is None else at(second), locate) as store:
        assert set(store.collections) == set(state.lists)
        tags = [each for name in COLLECTIONS for each in store.tags_in(name)]
        assert seen(tags) == expected
        assert all(each.holds for each in tags)
        ids = [number for chunk in store.all_scripts(portion=3) for number in chunk.tag_id.tolist()]
        assert sorted(ids) == sorted(each.tag_id for each in tags)
        hashes = [locate(tag(text).subject).script_hash for text in SUBJECTS]
        by_hash = store.tags_of(hashes)
        assert seen(each for found in by_hash.values() for each in found) == expected
        for text in SUBJECTS:
            wanted = Counter({key: count for key, count in expected.items() if key[1] == text})
            assert seen(store.tags_of_subject(text)) == wanted
            whole = store.tags_of_subject(text, history=True)
            assert seen(each for each in whole if each.holds) == wanted
        if second is None:
            for name, rows in state.lists.items():
                order = [(each.subject.text, STATEMENTS.index(each.statement)) for each in store.tags_in(name)]
                assert order == [row for row in rows if not state.is_retracted((name, *row))]
                kept_out, first = store.kept_out(name)
                assert kept_out == len(rows) - len(order)
                assert (first is None) == (kept_out == 0)
        # One digest a state, and one state a digest.
        assert digests.setdefault(store.digest, state.effective()) == state.effective()
        assert list(digests.values()).count(state.effective()) == 1


DIGESTS: dict = {}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=history)
def test_what_was_known_is_what_the_model_says(database, steps):
    emptied(database)
    model, clock = Model(), Clock()
    for step, wait in steps:
        clock.seconds += wait
        apply(database, model, clock, step)
        model.remember(clock.seconds)
    compare(database, model, None, DIGESTS)
    for second in range(-1, clock.seconds + 2):
        compare(database, model, second, DIGESTS)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=listed, second=listed, retracted=st.sampled_from(SUBJECTS), chance=st.randoms(use_true_random=False))
def test_the_digest_does_not_know_order_clock_or_rows(database, first, second, retracted, chance):
    digests = set()
    for _ in range(3):
        emptied(database)
        clock = Clock()
        clock.seconds = chance.randrange(10**6)
        if chance.random() < 0.5:  # an older version, and a list that takes row numbers
            import_pack(database, pack([tag("x")], "a.yaml"), "a.yaml", by="x", clock=clock, locate=locate)
        files = [("a.yaml", first), ("b.yaml", second)]
        chance.shuffle(files)
        for name, rows in files:
            clock.seconds += chance.randrange(100)
            tags = [tag(subject, STATEMENTS[said]) for subject, said in rows]
            import_pack(database, pack(tags, name), name, by=chance.choice("xyz"), clock=clock, locate=locate)
        if any(subject == retracted for subject, _ in [*first, *second]):
            retract(database, Which(retracted), reason=chance.choice("xyz"), by="x", clock=clock, locate=locate)
        with open_tags(database, locate=locate) as store:
            digests.add(store.digest)
    assert len(digests) == 1


def test_time_never_runs_backwards(database):
    clock = Clock()
    clock.seconds = 100
    import_pack(database, pack([tag("x")]), "list.yaml", by="x", clock=clock, locate=locate)
    clock.seconds = 50
    done = import_pack(database, pack([tag("y")]), "list.yaml", by="x", clock=clock, locate=locate)
    assert done.record.imported_utc == at(100)
    with open_tags(database, at(99), locate) as store:
        assert store.collections == {}
    with open_tags(database, at(100), locate) as store:
        assert [each.subject.text for each in store.tags_in("list.yaml")] == ["y"]
