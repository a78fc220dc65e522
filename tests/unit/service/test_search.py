"""The search box: what a text holds is found at its place, what is nothing gets a reason, no secret leaves."""

import hashlib
import json
import re
import string
import tarfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naughty_texts import NAUGHTY, SECRETS, telling_parts
from random_chain import random_chain
from vectors import core_cases, load_json, shared_data

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import MAINNET, NETWORKS, REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.service.search.answers import Kind, Named, State
from cointrail.service.search.search import MOST_CHARACTERS, MOST_HITS, search

PAYMENT = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"  # the first payment, block 170
GENESIS = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
KEY_9 = (
    "0411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5c"
    "b2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3"
)
SATOSHI = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Mainnet's first 600 blocks."""
    folder = tmp_path_factory.mktemp("search")
    with tarfile.open(shared_data() / "blocks" / "mainnet-0-599" / "mainnet600_xor.datadir.tar.gz") as packed:
        packed.extractall(folder / "node", filter="data")
    ingest(folder / "node", folder / "ledger", cluster=bring_up)
    with Reader(folder / "ledger") as opened:
        yield opened


def only(text, reader=None, **options):
    (hit,) = search(text, reader, **options).hits
    return hit


# One query.


def test_what_the_chain_holds_is_found_with_the_command_to_go_on(reader):
    found = {
        PAYMENT: (Kind.TRANSACTION, f"cointrail tx {PAYMENT}"),
        PAYMENT.upper(): (Kind.TRANSACTION, f"cointrail tx {PAYMENT}"),
        bytes.fromhex(PAYMENT)[::-1].hex(): (Kind.TRANSACTION, f"cointrail tx {PAYMENT}"),
        GENESIS: (Kind.BLOCK, f"cointrail block {GENESIS}"),
        "170": (Kind.HEIGHT, "cointrail block 170"),
        "block 170": (Kind.HEIGHT, "cointrail block 170"),
        f"{PAYMENT}:1": (Kind.OUTPOINT, f"cointrail trace {PAYMENT}:1"),
        KEY_9: (Kind.PUBLIC_KEY, f"cointrail address script:41{KEY_9}ac"),
        f"script:41{KEY_9}ac": (Kind.SCRIPT, f"cointrail address script:41{KEY_9}ac"),
        f"raw(41{KEY_9}ac)": (Kind.DESCRIPTOR, f"cointrail address script:41{KEY_9}ac"),
        f"pk({KEY_9})": (Kind.DESCRIPTOR, f"cointrail address script:41{KEY_9}ac"),
        "2009-01-12": (Kind.TIME, "cointrail block"),
        "2009-01-12T03:30:25Z": (Kind.TIME, "cointrail block"),
        "1231731025": (Kind.TIME, "cointrail block"),
        "1231731025000": (Kind.TIME, "cointrail block"),
    }
    for text, (kind, command) in found.items():
        hit = only(text, reader)
        assert (hit.kind, hit.state) == (kind, State.FOUND), text
        assert any(each.startswith(command) for each in hit.next), hit.next
        assert hit.basis == "fact"


def test_every_address_of_a_chain_is_found(open_ledger):
    reader = open_ledger(random_chain(Random(5), 12, 5))
    scripts = [reader.script_pubkey(row) for row in range(reader.counts.script)]
    addresses = [address for script in scripts if (address := address_of(script, REGTEST))]
    assert len(addresses) > 10
    for address in addresses:
        hit = only(address, reader)
        assert (hit.kind, hit.state, hit.text) == (Kind.ADDRESS, State.FOUND, address)
        assert f"cointrail address {address}" in hit.next
        cluster = only(f"cluster:{address}", reader)
        assert (cluster.kind, cluster.state) == (Kind.CLUSTER, State.FOUND)
        assert f"cointrail cluster {address}" in cluster.next


def test_every_valid_address_of_a_node_says_its_networks(reader):
    tests = ("testnet3", "testnet4", "signet")
    chains = {"main": ("mainnet",), "regtest": ("regtest",)} | dict.fromkeys(("test", "signet", "testnet4"), tests)
    count = 0
    for text, _, facts in core_cases("key_io_valid.json"):
        hit = only(text, reader)
        if facts["isPrivkey"]:
            assert (hit.state, hit.text) == (State.SECRET, "")
            continue
        expected = set(chains[facts["chain"]])
        base58_of_test = facts["chain"] != "main" and text[0] in "2mn"
        assert set(hit.networks) == (set(NETWORKS) - {"mainnet"} if base58_of_test else expected), text
        assert hit.state is (State.ABSENT if facts["chain"] == "main" else State.ELSEWHERE)
        count += 1
    assert count > 50


def test_no_invalid_address_of_a_node_is_taken_for_one(reader):
    for (text,) in core_cases("key_io_invalid.json"):
        answer = search(text, reader)
        assert all(hit.state in (State.REFUSED, State.SECRET) for hit in answer.hits), text


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        (SATOSHI[:-1] + "b", Kind.ADDRESS, "checksum mismatch"),
        (SATOSHI.replace("1z", "lz"), Kind.ADDRESS, "'l' at position 3 .*base58 has no 0, O, I or l"),
        (SATOSHI.replace("Q", "O"), Kind.ADDRESS, "base58 has no 0, O, I or l"),
        (SEGWIT[:-1] + "q", Kind.ADDRESS, "checksum mismatch"),
        (SEGWIT[:9] + SEGWIT[9:].upper(), Kind.ADDRESS, "mixed case"),
        (SEGWIT[:9] + "b" + SEGWIT[10:], Kind.ADDRESS, "'b' at position 10 .*never b, i or o"),
        (SEGWIT[:12] + "\u200b" + SEGWIT[12:], Kind.ADDRESS, "U\\+200B ZERO WIDTH SPACE at position 13"),
        ("\u0391" + SATOSHI[1:], Kind.UNKNOWN, ""),
        (SATOSHI.replace("A", "\u0410"), Kind.ADDRESS, "U\\+0410 CYRILLIC CAPITAL LETTER A at position 2"),
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", Kind.ADDRESS, "is bech32, .*needs bech32m"),
        ("bc1qw508d6qejx" + "q" * 90, Kind.ADDRESS, "of 104 characters"),
        (PAYMENT[:-1], Kind.UNKNOWN, "63 hex digits: a txid"),
        (f"{PAYMENT}:4294967296", Kind.OUTPOINT, "larger than 4294967295"),
        ("0411" * 32 + "04", Kind.PUBLIC_KEY, "no point of the curve"),
        ("02" + "ff" * 32, Kind.PUBLIC_KEY, "no point of the curve"),
        ("raw(deadbeef)#89f8spxn", Kind.DESCRIPTOR, "checksum mismatch"),
        (f"addr({SATOSHI[:-1]}b)", Kind.DESCRIPTOR, "addr\\(\\) holds no address"),
        ("pk(00)", Kind.DESCRIPTOR, "no public key"),
        ("xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet9",
         Kind.EXTENDED_KEY, "checksum mismatch"),
        ("2024-02-30", Kind.TIME, "no date or time"),
        ("1999-01-01", Kind.TIME, "outside the years"),
        ("script:abc", Kind.SCRIPT, "odd number"),
        ("", Kind.UNKNOWN, "empty"), ("  '\" ", Kind.UNKNOWN, "empty"),
    ],
)  # fmt: skip
def test_what_is_nothing_is_told_why(reader, text, kind, says):
    answer = search(text, reader)
    if not says:
        assert answer.hits == ()
        return
    hit = answer.hits[0]
    assert {each.state for each in answer.hits} == {State.REFUSED}
    assert hit.kind is kind
    assert re.search(says, hit.says), hit.says


def test_absent_and_later_things_say_so(reader):
    for text in (
        "ab" * 32,
        f"{PAYMENT}:2",
        f"{'ab' * 32}:0",
        "600",
        "999999999",
        "2020-01-01",
        SEGWIT,
        "2008-12-31",
        "02" + PAYMENT,
    ):
        hits = search(text, reader).hits
        assert [hit.state for hit in hits] in ([State.ABSENT], [State.REFUSED]), text
    assert only("ab" * 32, reader).text == "ababab...ababab"  # a private key looks the same


def test_without_a_ledger_things_are_recognised(reader):
    for text in (PAYMENT, SATOSHI, "170", "2009-01-12", f"pk({KEY_9})", KEY_9):
        assert only(text).state is State.UNCHECKED
    assert search(PAYMENT).snapshot is None
    assert search(PAYMENT, reader).snapshot.height == 599


def test_blanks_quotes_and_payment_links_are_removed(reader):
    address = address_of(reader.script_pubkey(int(reader.column("output", "script")[0])), MAINNET) or SATOSHI
    forms = (
        "  {}\n", '"{}"', "\u201c{}\u201d", "<{}>", "({})", "{}.", "bitcoin:{}", "BITCOIN:{}?amount=0.1&label=x",
        "https://example.invalid/address/{}",
    )  # fmt: skip
    for form in forms:
        text = form.format(address)
        hit = only(text, reader)
        assert hit.text == address
        assert text[hit.offset : hit.offset + hit.length] == address


# Times.


def test_times_lead_to_heights_by_median_time(reader):
    times = [int(value) for value in reader.column("block", "time")]
    medians = [sorted(times[max(0, height - 10) : height + 1])[len(times[max(0, height - 10) : height + 1]) // 2]
               for height in range(600)]  # fmt: skip
    for seconds in (medians[0], medians[5] - 1, medians[5], medians[170] + 1, medians[599]):
        last = max(height for height, median in enumerate(medians) if median <= seconds)
        assert f"cointrail block {last}" in only(str(seconds), reader).next
    for day in ("2009-01-09", "2009-01-12"):
        inside = [h for h, m in enumerate(medians) if datetime.fromtimestamp(m, UTC).strftime("%Y-%m-%d") == day]
        assert f"heights {inside[0]:,} to {inside[-1]:,} by" in only(day, reader).says


# Pasted texts.

WITHIN = st.text(alphabet=string.printable + "äß€\u200b\u4e2d", max_size=60)
EDGE = st.sampled_from((" ", "\n", ",", ";", "\t", "(", ")", "'", '"', "<", "\u200b", "é", "/", "=", "|", "#"))


@st.composite
def addresses(draw):
    network = draw(st.sampled_from(sorted(NETWORKS)))
    size = draw(st.sampled_from((20, 32)))
    program = draw(st.binary(min_size=size, max_size=size))
    if size == 32:
        script = bytes([draw(st.sampled_from((0, 0x51)))]) + b"\x20" + program
    else:
        before, after = draw(
            st.sampled_from(((b"\x76\xa9\x14", b"\x88\xac"), (b"\xa9\x14", b"\x87"), (b"\x00\x14", b"")))
        )
        script = before + program + after
    return address_of(script, NETWORKS[network])


THINGS = st.one_of(
    addresses(), st.binary(min_size=32, max_size=32).map(bytes.hex),
    st.builds(lambda txid, vout: f"{txid.hex()}:{vout}", st.binary(min_size=32, max_size=32), st.integers(0, 10**5)),
)  # fmt: skip


@given(st.lists(st.tuples(WITHIN, EDGE, THINGS, EDGE), min_size=1, max_size=5), WITHIN)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_thing_in_a_text_is_found_at_its_place(pieces, tail):
    text, expected = "", []
    for before, left, thing, right in pieces:
        text += before + left
        expected.append((len(text), thing))
        text += thing + right
    text += tail
    hits = {(hit.offset, text[hit.offset : hit.offset + hit.length]) for hit in search(text).hits}
    spans = [(hit.offset, hit.offset + hit.length) for hit in search(text).hits]
    for place, thing in expected:
        inside = any(begin <= place and place + len(thing) <= end for begin, end in spans)
        assert (place, thing) in hits or inside, (place, thing)  # a descriptor or seed words may hold it
    assert spans == sorted(spans)


@given(st.text(max_size=400) | st.text(alphabet="pkhwaddr()#:,/ 0123bc1qxX[]'", max_size=400))
def test_any_text_has_an_answer(text):
    answer = search(text)
    assert answer.characters == len(text)
    assert all(0 <= hit.offset <= len(text) - hit.length for hit in answer.hits)
    json.dumps(asdict(answer))


def test_naughty_texts_have_an_answer(reader):
    for text in NAUGHTY:
        answer = search(text, reader)
        assert all(hit.state is not State.SECRET for hit in answer.hits)
        assert all(hit.says.isprintable() for hit in answer.hits)


@pytest.mark.parametrize("unit", [
    "x", "1", "(", "pk(", "addr(", ")", "pk()", "a ", "abandon ", f"{SATOSHI} ", f"{PAYMENT}:", "cluster:",
    "script:ab", "block ",
    "5", "9,", "2024-01-01T", "bitcoin:", "1,000", "xprv", "\0", "\u200b", "lnbc1", "[", f"pk({PAYMENT}",
    "sh(wsh(multi(1,",
    f"raw({'00' * 900})", "Zoo ", "3" * 34 + " ", "bc1" + "q" * 40 + " ",
])  # fmt: skip
def test_a_long_text_takes_linear_time_and_its_caps_are_said(unit):
    text = unit * (MOST_CHARACTERS // len(unit) + 2)
    begin = time.process_time()
    answer = search(text)
    assert time.process_time() - begin < 15  # a quadratic step would take minutes
    assert any("characters were read" in limit for limit in answer.limits)
    assert len(answer.hits) <= MOST_HITS


def test_more_hits_than_shown_are_said():
    text = "\n".join(hashlib.sha256(b"%d" % number).hexdigest() for number in range(MOST_HITS + 1))
    answer = search(text)
    assert len(answer.hits) == MOST_HITS
    assert answer.limits == (
        f"stopped after {MOST_HITS:,} hits, at character {65 * MOST_HITS:,}: search for the rest apart",
    )


# Secrets.


@pytest.mark.parametrize("secret", SECRETS, ids=lambda text: text[:8].strip())
@pytest.mark.parametrize(
    "around", ["{}", "the key is {}, found on a note", "'{}'", "{}:0", f"{SATOSHI} {{}} {PAYMENT}", "\n{}\n"]
)
def test_no_secret_is_repeated(reader, secret, around):
    text = around.format(secret)
    asked = []

    def find(name, limit):
        asked.append((name, limit))
        return ()

    for ledger in (None, reader):
        answer = search(text, ledger, find_tags=find)
        shown = json.dumps(asdict(answer))
        assert answer.has_secret
        assert not asked
        for part in telling_parts(secret):
            assert part not in shown
        (hit,) = [hit for hit in answer.hits if hit.state is State.SECRET]
        assert "not repeated" in hit.says
        assert str(hit.length) in hit.says


def test_every_private_key_of_published_vectors_is_kept_back():
    keys = [text for text, _, facts in core_cases("key_io_valid.json") if facts["isPrivkey"]]
    keys += [private for chain in load_json("vectors/bip32_test_vectors.json").values() for _, _, private in chain]
    words = [case[1] for case in load_json("vectors/bip39_test_vectors.json")["english"]]
    assert len(keys) > 20
    assert len(words) > 20
    for text in (*keys, *words):
        answer = search(text)
        assert answer.has_secret
        assert text not in json.dumps(asdict(answer))


def test_what_is_not_recognised_is_not_repeated():
    for text in ("correct horse battery", "hunter2hunter2hunter2", "0123456789abcdef0123456789abcdef", "Tr0ub4dor&3"):
        assert text not in json.dumps(asdict(search(text)))


# Names.


def test_names_are_asked_for_and_cut():
    named = [Named("actor", f"Market {number}", SATOSHI, "a list") for number in range(40)]
    asked = []

    def find(text, limit):
        asked.append((text, limit))
        return [each for each in named if each.name.lower().startswith(text.lower())][:limit]

    answer = search('  "market 1" ', find_tags=find)
    assert asked == [("market 1", 26)]
    assert [each.name for each in answer.names] == ["Market 1", *(f"Market 1{n}" for n in range(10))]
    assert {each.basis for each in answer.names} == {"assertion"}
    assert search("market", find_tags=find).limits == ("showing the first 25 names that begin like this",)
    assert search("x" * 201, find_tags=find).names == ()


def test_a_query_costs_less_than_people_notice(reader):
    for text in (PAYMENT, SATOSHI, "2009-01-12", KEY_9, f"pk({KEY_9})", "nothing at all"):
        times = []
        for _ in range(3):
            begin = time.process_time()
            search(text, reader)
            times.append(time.process_time() - begin)
        assert min(times) < 0.2


def test_displayed_hashes_of_all_blocks_are_found(reader):
    for height in (0, 1, 170, 599):
        assert only(display(reader.block_hash(height)), reader).says.startswith(f"block {height:,}")
