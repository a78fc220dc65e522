"""Imported tags on a chain: the same as from files, as they were known, remembered and never mistaken."""

import numpy as np
import pytest
from finder_cases import BTC, Town, script

from cointrail.attribution.store.changes.retraction import Which
from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.service.attribution import remembered, stored
from cointrail.service.attribution.choice import TagChoice
from cointrail.service.attribution.identity import identity
from cointrail.service.attribution.imports import import_files
from cointrail.service.attribution.resolved import resolve
from cointrail.service.attribution.retraction import retract_tags
from cointrail.service.remembered import KEPT
from cointrail.service.tracing import remembered as services_remembered
from cointrail.service.tracing import services as named
from cointrail.service.tracing.services import STOPS, find_services

LOCKS = ("hot", "till", "lone")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home folder of its own, where every tag set is remembered."""
    monkeypatch.setenv("COINTRAIL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(stored, "FEWEST", 0)
    return tmp_path / "home"


@pytest.fixture
def town(open_ledger):
    made = Town()
    (coin,) = made.pay([made.fresh()], ("hot", 50 * BTC))
    made.pay([coin], *((lock, 10 * BTC) for lock in LOCKS))
    made.reader = open_ledger(made.chain)
    return made


def address(town, lock):
    return address_of(town.lock(lock), REGTEST)


@pytest.fixture
def packs(town, tmp_path):
    """Three packs about the same locks, which differ in what they say."""
    folder = tmp_path / "packs"
    folder.mkdir()
    for number, lock in enumerate(LOCKS):
        head = f"title: p{number}\ncreator: x\ncurrency: BTC\nconfidence: service_data\nis_cluster_definer: true\n"
        tags = "".join(
            f"- address: {address(town, each)}\n  label: Of {each}\n  actor: a{number}\n  category: exchange\n"
            for each in (lock, "hot")
        )
        (folder / f"{number}.yaml").write_text(f"{head}source: https://s{number}.invalid\ntags:\n{tags}")
    return sorted(folder.iterdir())


def filled(path, packs):
    import_files(str(path), packs, by="tester")
    return TagChoice(database=str(path))


def told(found):
    """What is said of each script, without where and since when it was read."""
    rows = zip(found.script_id.tolist(), found.number.tolist(), strict=True)
    said = [(script, found.stated[number].statement, found.stated[number].collection) for script, number in rows]
    return sorted(said, key=repr)


def test_the_database_says_what_its_files_say(town, packs, tmp_path):
    choice = filled(tmp_path / "tags.sqlite", packs)
    stored_tags, read = resolve(town.reader, choice), resolve(town.reader, packs)
    assert told(stored_tags) == told(read)
    assert (stored_tags.digest, stored_tags.lists, stored_tags.absent) == (read.digest, read.lists, read.absent)
    few = np.array([script(town.reader, town, "till")])
    assert told(resolve(town.reader, choice, few)) == [row for row in told(read) if row[0] == few[0]]
    ours, theirs = (find_services(town.reader, source)[0] for source in (choice, packs))
    assert (ours.names, ours.kinds, ours.said, ours.digest) == (theirs.names, theirs.kinds, theirs.said, theirs.digest)
    assert np.array_equal(ours.scripts, theirs.scripts)


def test_what_was_remembered_is_given_again(town, packs, tmp_path, home, monkeypatch):
    choice = filled(tmp_path / "tags.sqlite", packs)
    first = resolve(town.reader, choice)
    assert len(list((home / "cache").iterdir())) == 1

    def never(*_):
        raise AssertionError("looked up again")

    monkeypatch.setattr(stored, "_of_all", never)
    again = resolve(town.reader, choice)
    assert told(again) == told(first)
    assert (again.stated, again.digest) == (first.stated, first.digest)


def test_another_database_of_the_same_tags_is_not_mistaken(town, packs, tmp_path):
    """It numbers the same statements otherwise, and shares the home folder and the digest."""
    one = filled(tmp_path / "one.sqlite", packs)
    other = filled(tmp_path / "other.sqlite", packs[::-1])
    first, second = resolve(town.reader, one), resolve(town.reader, other)
    assert first.digest == second.digest
    assert told(first) == told(second)
    assert told(resolve(town.reader, one)) == told(first)


@pytest.mark.parametrize("damage", [lambda _: b"", lambda raw: raw[: len(raw) // 2], lambda raw: b"x" * len(raw)])
def test_a_damaged_memory_is_looked_up_again(town, packs, tmp_path, home, damage):
    choice = filled(tmp_path / "tags.sqlite", packs)
    first = resolve(town.reader, choice)
    (file,) = (home / "cache").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert told(resolve(town.reader, choice)) == told(first)


def test_numbers_beyond_the_ledger_are_not_believed(town, packs, tmp_path, home):
    choice = filled(tmp_path / "tags.sqlite", packs)
    first = resolve(town.reader, choice)
    known = remembered.recall(town.reader, first.digest)
    lying, meaning = known
    wrong = remembered.Lying(lying.script_id + town.reader.counts.script, lying.statement_id, lying.import_id, 0)
    remembered.remember(town.reader, first.digest, wrong, meaning)
    assert told(resolve(town.reader, choice)) == told(first)


def test_a_few_are_kept_and_a_home_that_cannot_be_written_is_no_fault(town, packs, tmp_path, home):
    choice = filled(tmp_path / "tags.sqlite", packs)
    found = resolve(town.reader, choice)
    known = remembered.recall(town.reader, found.digest)
    for number in range(KEPT + 3):
        remembered.remember(town.reader, f"{number}", *known)
    assert len(list((home / "cache").iterdir())) == KEPT
    for file in (home / "cache").iterdir():
        file.unlink()
    (home / "cache").rmdir()
    (home / "cache").write_text("in the way")
    assert told(resolve(town.reader, choice)) == told(found)


def everything(found):
    """All that services and what was used of their tags hold, in plain values."""
    services, used = found
    columns = [getattr(services, name).tolist() for name in ("scripts", "script_service", "roots", "root_service")]
    return columns, services.names, services.kinds, services.said, services.categories, services.mixed, used


def test_whom_tags_name_is_remembered_for_each_question(town, packs, tmp_path, home, monkeypatch):
    """Another level of confidence, other categories, and tags retracted meanwhile are other questions."""
    choice = filled(tmp_path / "tags.sqlite", packs)

    def asked():
        return [
            everything(find_services(town.reader, choice, least_confidence=least, categories=categories))
            for least in (0, 90)
            for categories in (None, STOPS, ("mixer",))
        ]

    plain = asked()
    monkeypatch.setattr(services_remembered, "FEWEST", 0)
    assert asked() == plain

    def never(*_, **__):
        raise AssertionError("worked out again")

    with monkeypatch.context() as context:
        context.setattr(named, "services_from", never)
        assert asked() == plain
    for file in (home / "cache").glob("services-*"):
        file.write_bytes(file.read_bytes()[:-100])
    assert asked() == plain
    retract_tags(choice.database, Which(actor="a0"), reason="wrong", by="tester")
    assert "a0" not in everything(find_services(town.reader, choice))[1]


def test_a_category_that_does_not_count_contradicts_one_that_does(town, tmp_path):
    """Whoever asks for exchanges must still learn that somebody calls this one a market."""
    files = []
    for actor, category in (("alpha", "exchange"), ("omega", "market"), ("third", "merchant")):
        lock = "lone" if actor == "third" else "hot"
        files.append(tmp_path / f"{actor}.yaml")
        files[-1].write_text(
            f"title: {actor}\ncreator: x\ncurrency: BTC\nconfidence: service_data\nis_cluster_definer: true\n"
            f"source: https://{actor}.invalid\ntags:\n- address: {address(town, lock)}\n  label: Of {actor}\n"
            f"  actor: {actor}\n  category: {category}\n"
        )
    services, used = find_services(town.reader, files, categories=STOPS)
    (whose,) = services.script_service
    assert (services.names[whose], services.categories[whose]) == ("alpha or omega", ("exchange", "market"))
    assert services.scripts.tolist() == [script(town.reader, town, "hot")]
    assert (len(services.roots), used.used, used.left_out, used.mixed) == (0, 2, 1, 1)
    alone, _ = find_services(town.reader, files[:1], categories=STOPS)
    assert (alone.names, len(alone.roots)) == (("alpha",), 1)
    markets, _ = find_services(town.reader, files[2:], categories=STOPS)
    assert (markets.names, len(markets.scripts), len(markets.roots)) == ((), 0, 0)


def test_retracted_tags_are_heard_no_more_but_known_before(town, packs, tmp_path):
    choice = filled(tmp_path / "tags.sqlite", packs)
    before = resolve(town.reader, choice)
    retract_tags(choice.database, Which(actor="a0"), reason="wrong", by="tester")
    after = resolve(town.reader, choice)
    assert {statement.actor for _, statement, _ in told(after)} == {"a1", "a2"}
    assert after.digest != before.digest
    earlier = TagChoice(database=choice.database, known_at="2001-01-01")
    nothing, used = find_services(town.reader, earlier)
    assert (nothing.names, used.lists, used.used) == ((), "", 0)
    assert used.known_at == resolve(town.reader, earlier).known_at == "2001-01-01T23:59:59Z"


def test_an_alias_is_no_other_name(town, tmp_path):
    """One list knows the actor, the other only what it is called."""
    head = (
        "title: t\ncreator: x\ncurrency: BTC\nconfidence: service_data\nis_cluster_definer: true\nsource: {}\ntags:\n"
    )
    one, two, actors = (tmp_path / name for name in ("one.yaml", "two.yaml", "actors.yaml"))
    one.write_text(head.format("a") + f"- address: {address(town, 'hot')}\n  label: Alpha Ltd\n  actor: alpha\n")
    two.write_text(head.format("b") + f"- address: {address(town, 'hot')}\n  label: ALPHA exchange\n")
    actors.write_text(
        "title: t\ncreator: x\nactors:\n- id: alpha\n  uri: https://a.invalid\n  label: Alpha\n"
        "  lastmod: 2024-01-01\n  categories: [exchange]\n  aliases: [Alpha Exchange]\n"
    )
    choice = filled(tmp_path / "tags.sqlite", [one, two])
    assert set(find_services(town.reader, choice)[0].names) == {"alpha", "ALPHA exchange", "ALPHA exchange or alpha"}
    import_files(choice.database, [actors], by="tester")
    assert find_services(town.reader, choice)[0].names == ("alpha",)
    asked = np.array([script(town.reader, town, "hot")])
    told = identity(town.reader, resolve(town.reader, choice), asked, asked)
    (alpha,) = told.hypotheses
    said = [(each.named, each.statement, each.alias_by) for each in alpha.for_claims]
    assert sorted(said) == [
        ("ALPHA exchange", "attributed to ALPHA exchange by b", "actors.yaml"),
        ("alpha", "attributed to alpha by a", ""),
    ]
    assert alpha.aliases == ("ALPHA exchange is called alpha by actors.yaml",)
    other = filled(tmp_path / "other.sqlite", [two, actors])
    (said,) = find_services(town.reader, other)[0].said
    assert said.startswith("actors.yaml, by whom ALPHA exchange is called so, and b (two.yaml, service_data")
    assert said.endswith("who says ALPHA exchange")


def test_an_imported_table_is_nobodys_own_word(town, tmp_path):
    """A stranger's table without confidences is a lead; with the question it would be the asker's word."""
    table = tmp_path / "stranger.csv"
    table.write_text(f"address,actor,source\n{address(town, 'hot')},alpha,a forum\n")
    services, used = find_services(town.reader, filled(tmp_path / "tags.sqlite", [table]))
    assert (services.names, used.used, used.left_out) == ((), 0, 1)
    assert find_services(town.reader, [table])[0].names == ("alpha",)


def test_an_imported_tag_that_names_another_chain_is_not_on_this_one(town, packs, tmp_path):
    """Its address is spelled as one of this network: in the database it lies as before, and is not looked up."""
    for path, chain in zip(packs, ("BTC", "BCH", "bitcoin"), strict=True):
        path.write_text(path.read_text().replace("currency: BTC", f"currency: {chain}"))
    choice = filled(tmp_path / "tags.sqlite", packs)
    everything_there = resolve(town.reader, choice)
    assert {statement.actor for _, statement, _ in told(everything_there)} == {"a0", "a2"}
    assert everything_there.absent == 0
    few = np.array([script(town.reader, town, lock) for lock in ("hot", "till")])
    assert {statement.actor for _, statement, _ in told(resolve(town.reader, choice, few))} == {"a0", "a2"}
    assert told(everything_there) == told(resolve(town.reader, packs))
