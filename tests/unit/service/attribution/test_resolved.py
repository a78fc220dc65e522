"""Tags on a chain: who is named where, what a cluster inherits, and that nobody wins a contradiction."""

from hashlib import sha256

import numpy as np
import pytest
from finder_cases import BTC, Town, script

from cointrail.attribution.claims import Reach
from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.view import Forest
from cointrail.errors import InputRefused, Unavailable, UsageError
from cointrail.service.attribution.identity import claims_about, identity
from cointrail.service.attribution.resolved import resolve
from cointrail.service.clustering.tagged import Tags
from cointrail.service.tracing.services import find_services
from cointrail.trace.services import NO_SERVICE

HEAD = """title: {name}
creator: tester
currency: BTC
network: BTC
confidence: {confidence}
is_cluster_definer: {definer}
source: https://{name}.invalid/list
lastmod: 2024-01-15
tags:
"""


@pytest.fixture
def town(open_ledger, tmp_path):
    """`hot`, `till` and `spare` of one wallet; `lone` and `cold` by themselves."""
    made = Town()
    (coin,) = made.pay([made.fresh()], ("hot", 50 * BTC))
    (other,) = made.pay([made.fresh()], ("till", 50 * BTC))
    joined = made.pay([coin, other], ("spare", 60 * BTC), ("lone", 30 * BTC), ("cold", 10 * BTC))
    (more,) = made.pay([made.fresh()], ("hot", 50 * BTC))
    made.pay([joined[0], more], ("lone", 100 * BTC))
    made.reader = open_ledger(made.chain)
    made.folder = tmp_path
    made.forest = Forest(made.reader)
    assert made.forest.root(script(made.reader, made, "hot")) == made.forest.root(script(made.reader, made, "spare"))
    return made


def address(town, name):
    return address_of(town.lock(name), REGTEST)


def pack(town, name, *tags, confidence="service_data", definer=True):
    """A file of (lock, actor, category) tags."""
    path = town.folder / f"{name}.yaml"
    lines = [
        f"- address: {address(town, lock)}\n  label: {actor.title()}\n  actor: {actor}\n  category: {category}\n"
        for lock, actor, category in tags
    ]
    head = HEAD.format(name=name, confidence=confidence, definer=str(definer).lower())
    path.write_text(head + "".join(lines))
    return path


def named(town, files, *locks, **options):
    """Whom each lock is attributed to."""
    services, used = find_services(town.reader, files, **options)
    scripts = np.array([script(town.reader, town, lock) for lock in locks])
    numbers = services.of(town.forest, scripts).tolist()
    return [None if number == NO_SERVICE else services.names[number] for number in numbers], used


def test_a_cluster_inherits_only_from_tags_that_speak_for_it(town):
    """METHODS.md 7.4: it defines clusters, and its source dealt with the service."""
    tag = ("hot", "alpha", "exchange")
    for confidence, definer, spare in (
        ("service_data", True, "alpha"),
        ("service_data", False, None),
        ("ownership", False, None),
        ("untrusted_transaction", True, None),
    ):
        found, _ = named(
            town, [pack(town, "p", tag, confidence=confidence, definer=definer)], "hot", "spare", least_confidence=0
        )
        assert found == ["alpha", spare]


def test_tags_below_the_level_and_of_other_categories_are_left_out_and_counted(town):
    sure = pack(town, "sure", ("hot", "alpha", "exchange"), ("lone", "shop", "retail"))
    crawled = pack(town, "crawl", ("cold", "omega", "exchange"), confidence="web_crawl")
    found, used = named(town, [sure, crawled], "hot", "lone", "cold")
    assert (found, used.used, used.left_out) == (["alpha", None, None], 1, 2)
    assert named(town, [sure, crawled], "hot", "lone", "cold", categories=None)[0] == ["alpha", "shop", None]


def test_a_cluster_that_tags_give_to_two_inherits_nothing_and_says_so(town):
    files = [pack(town, "one", ("hot", "alpha", "exchange")), pack(town, "two", ("till", "beta", "exchange"))]
    for order in (files, files[::-1]):
        found, used = named(town, order, "hot", "till", "spare")
        assert (found, used.mixed) == (["alpha", "beta", None], 1)


def test_an_address_that_tags_give_to_two_is_nobodys_alone(town):
    files = [pack(town, "one", ("hot", "beta", "exchange")), pack(town, "two", ("hot", "alpha", "exchange"))]
    for order in (files, files[::-1]):
        found, used = named(town, order, "hot", "spare")
        assert (found, used.mixed) == (["alpha or beta", None], 1)
        services, _ = find_services(town.reader, order)
        told = services.said[services.names.index("alpha or beta")]
        assert "https://one.invalid/list" in told
        assert "https://two.invalid/list" in told


def test_the_order_of_files_changes_nothing(town):
    files = [
        pack(town, "one", ("hot", "alpha", "exchange"), ("lone", "shop", "retail")),
        pack(town, "two", ("till", "alpha", "exchange"), ("cold", "omega", "mixer")),
    ]
    one, two = (find_services(town.reader, order, categories=None) for order in (files, files[::-1]))
    assert one[1] == two[1]
    for name in ("names", "kinds", "categories", "sanctions", "digest", "mixed", "said"):
        assert getattr(one[0], name) == getattr(two[0], name)
    for name in ("scripts", "script_service", "roots", "root_service"):
        assert np.array_equal(getattr(one[0], name), getattr(two[0], name))


def test_a_table_is_the_askers_own_word(town):
    table = town.folder / "mine.csv"
    table.write_text(f"address,actor\n{address(town, 'hot')},Mine\n")
    assert named(town, [table], "hot", "spare")[0] == ["Mine", "Mine"]
    assert named(town, {address(town, "hot"): "Mine"}, "spare")[0] == ["Mine"]
    table.write_text(f"address,actor\n{address(town, 'hot')},Mine\n1BoatSLRHtKNngkdXEeobR76b53LETtpyT,Boat\n")
    with pytest.raises(InputRefused, match="is no address of regtest"):
        named(town, [table], "hot")


def test_a_row_that_gives_a_confidence_is_taken_at_that(town):
    """`unknown` is one, and less than `heuristic`."""
    table = town.folder / "mine.csv"
    rows = [("hot", "Mine", ""), ("lone", "Alpha", "unknown"), ("cold", "Beta", "heuristic")]
    table.write_text(
        "address,actor,confidence\n"
        + "".join(f"{address(town, lock)},{actor},{confidence}\n" for lock, actor, confidence in rows)
    )
    found, used = named(town, [table], "hot", "spare", "lone", "cold")
    assert (found, used.used, used.left_out) == (["Mine", "Mine", None, None], 1, 2)


def test_tags_of_other_chains_and_of_unused_addresses_are_counted(town):
    path = pack(town, "p", ("hot", "alpha", "exchange"))
    unused = address_of(b"\x00\x14" + bytes(20), REGTEST)
    path.write_text(
        path.read_text()
        + f"- address: {unused}\n  label: Nobody\n"
        + "- address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n  label: Boat\n"
        + "- address: '0x7f367cc41522ce07553e823bf3be79a889debe1b'\n  label: Ether\n  currency: ETH\n"
    )
    _, used = named(town, [path], "hot")
    assert (used.used, used.absent, used.elsewhere) == (1, 1, 2)


@pytest.mark.parametrize("column", ["currency", "network"])
def test_an_address_that_two_chains_spell_alike_is_taken_for_the_one_its_tag_names(town, column):
    table = town.folder / "mine.csv"
    rows = [("hot", "alpha", "BTC"), ("lone", "beta", "BCH"), ("cold", "gamma", ""), ("cold", "delta", "mainnet")]
    table.write_text(
        f"address,actor,{column}\n"
        + "".join(f"{address(town, lock)},{actor},{chain}\n" for lock, actor, chain in rows)
        + "0x7f367cc41522ce07553e823bf3be79a889debe1b,ether,ETH\n"
    )
    found, used = named(town, [table], "hot", "lone", "cold")
    assert (found, used.used, used.elsewhere) == (["alpha", None, "gamma"], 2, 3)


def test_claims_say_how_they_reach_an_address(town):
    """Tags of `hot` and `till` speak for the cluster or not; `spare` is asked about."""
    speaks = pack(town, "one", ("hot", "alpha", "exchange"))
    alone = pack(town, "two", ("till", "omega", "market"), confidence="web_crawl", definer=False)
    direct = pack(town, "three", ("spare", "gamma", "exchange"), definer=False)
    tags = resolve(town.reader, [speaks, alone, direct])
    asked = np.array([script(town.reader, town, "spare")])
    members = np.sort(town.forest.members(int(asked[0]))[0])
    found = {each.stated.name: each.reach for each in claims_about(town.reader, tags, asked, members)}
    assert found == {"alpha": Reach.CLUSTER, "omega": Reach.OTHER, "gamma": Reach.DIRECT}
    told = identity(town.reader, tags, asked, members)
    assert [each.name for each in told.hypotheses] == ["alpha", "gamma", "omega"]
    assert {each.standing for each in told.hypotheses} == {"lead only"}
    assert (told.claims, told.mixed, len(told.structural)) == (3, False, 1)
    alpha = told.hypotheses[0]
    assert alpha.for_claims[0].basis == "inference resting on an assertion"
    assert alpha.for_claims[0].statement == "attributed to alpha by https://one.invalid/list"
    assert {each.name for each in alpha.against_claims} == {"gamma", "omega"}


def test_tags_of_two_actors_on_one_cluster_name_nobody(town):
    files = [
        pack(town, "one", ("hot", "alpha", "exchange"), confidence="authority_data"),
        pack(town, "two", ("till", "beta", "exchange"), confidence="authority_data"),
    ]
    asked = np.array([script(town.reader, town, "spare")])
    members = np.sort(town.forest.members(int(asked[0]))[0])
    told = identity(town.reader, resolve(town.reader, files), asked, members)
    assert (told.mixed, [each.standing for each in told.hypotheses]) == (True, ["lead only", "lead only"])
    assert "different actors" in told.note


def asked_about(town, files, *locks):
    """What is claimed about one address, or about the cluster of `hot` if none is named."""
    members = np.sort(town.forest.members(script(town.reader, town, "hot"))[0])
    scripts = np.array([script(town.reader, town, lock) for lock in locks]) if locks else members
    told = identity(town.reader, resolve(town.reader, files), scripts, members)
    return told, {each.name: (each.standing, [claim.reach for claim in each.for_claims]) for each in told.hypotheses}


def test_a_tag_of_one_address_does_not_name_the_cluster_that_is_asked_about(town):
    """METHODS.md 7.4: to ask for the whole makes no tag speak for it."""
    alone = pack(town, "one", ("hot", "alpha", "exchange"), confidence="authority_data", definer=False)
    for locks in ((), ("spare",)):
        assert asked_about(town, [alone], *locks)[1] == {"alpha": ("lead only", ["other address"])}
    assert asked_about(town, [alone], "hot")[1] == {"alpha": ("attributed", ["direct"])}
    speaks = pack(town, "two", ("hot", "alpha", "exchange"), confidence="authority_data")
    told, found = asked_about(town, [speaks])
    assert found == {"alpha": ("attributed", ["cluster"])}
    assert told.hypotheses[0].for_claims[0].basis == "inference resting on an assertion"


def test_a_mixed_cluster_has_no_name_however_it_is_asked_about(town):
    files = [
        pack(town, "one", ("hot", "alpha", "exchange"), confidence="authority_data"),
        pack(town, "two", ("till", "beta", "exchange"), confidence="authority_data"),
    ]
    told, found = asked_about(town, files)
    assert told.mixed
    assert found == {name: ("lead only", ["other address"]) for name in ("alpha", "beta")}


def test_a_wallet_of_one_address_is_that_address(town):
    tags = resolve(town.reader, [pack(town, "one", ("lone", "alpha", "exchange"), definer=False)])
    lone = np.array([script(town.reader, town, "lone")])
    for members in (lone, lone[:0]):
        assert [each.reach for each in claims_about(town.reader, tags, lone, members)] == [Reach.DIRECT]


def test_one_list_under_two_names_is_one_basis(town):
    row = f"address,actor,confidence\n{address(town, 'lone')},alpha,web_crawl\n"
    copies = [town.folder / "one.csv", town.folder / "two.csv"]
    for path in copies:
        path.write_text(row)
    _, found = asked_about(town, copies, "lone")
    assert found == {"alpha": ("lead only", ["direct", "direct"])}
    copies[1].write_text(row + f"{address(town, 'cold')},beta,web_crawl\n")
    assert asked_about(town, copies, "lone")[1]["alpha"][0] == "attributed"


def test_guards_hear_sure_tags_and_the_askers_own(town):
    sure = pack(town, "sure", ("hot", "alpha", "exchange"))
    crawled = pack(town, "crawl", ("lone", "omega", "market"), confidence="web_crawl")
    assert Tags.of(town.reader, [sure, crawled]).actors == ("alpha",)
    assert Tags.of(town.reader, {address(town, "lone"): "own"}).actors == ("own",)
    assert Tags.of(town.reader, None) is None


def test_scripts_are_found_by_their_hash(town):
    reader = town.reader
    scripts = [reader.script_pubkey(each) for each in range(reader.counts.script)]
    digests = [sha256(each).digest() for each in scripts] + [sha256(b"nothing").digest()]
    # The first eight bytes of a key lead to a row; the rest of it decides.
    digests.append(digests[0][:8] + bytes(24))
    asked = np.frombuffer(b"".join(digests[::-1]), np.uint8).reshape(-1, 32)
    assert reader.find_script_hashes(asked).tolist() == [-1, -1, *reversed(range(len(scripts)))]


def test_what_is_no_source_of_tags_is_refused(town):
    from cointrail.cli.attribution.tag_choice import tag_choice

    with pytest.raises(Unavailable):
        resolve(town.reader, [town.folder / "absent.yaml"])
    for files, known_at in ((["none", "x.yaml"], None), (["x.yaml"], "2024-01-01")):
        with pytest.raises(UsageError):
            tag_choice([town.folder.__class__(each) for each in files], known_at)
