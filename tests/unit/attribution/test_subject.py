"""From the text of a subject to its script: what the plain reference says, on every network, and never an error."""

import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import core_cases, load_json

from cointrail.attribution.subject import ALL_NETWORKS, MAX_LENGTH, locate, networks_of
from cointrail.attribution.tag import Subject, SubjectKind
from cointrail.bitcoin import base58
from cointrail.bitcoin.address import address_of, script_of
from cointrail.bitcoin.network import NETWORKS
from cointrail.errors import AddressError

KEY = "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


def address(text):
    return locate(Subject(SubjectKind.ADDRESS, text))


def slowly(text):
    """Script hash and networks by asking the reference for each network."""
    scripts, networks = set(), 0
    for place, network in enumerate(NETWORKS.values()):
        try:
            scripts.add(script_of(text, network))
        except AddressError:
            continue
        networks |= 1 << place
    return (hashlib.sha256(scripts.pop()).digest() if scripts else None), networks


def witness(version, program):
    return bytes([0x50 + version if version else 0, len(program)]) + program


SCRIPTS = st.one_of(
    st.binary(min_size=20, max_size=20).map(lambda data: b"\x76\xa9\x14" + data + b"\x88\xac"),
    st.binary(min_size=20, max_size=20).map(lambda data: b"\xa9\x14" + data + b"\x87"),
    st.binary(min_size=20, max_size=20).map(lambda data: witness(0, data)),
    st.binary(min_size=32, max_size=32).map(lambda data: witness(0, data)),
    st.binary(min_size=32, max_size=32).map(lambda data: witness(1, data)),
    st.builds(witness, st.integers(1, 16), st.binary(min_size=2, max_size=40)),
)
ANY_NETWORK = st.sampled_from(list(NETWORKS.values()))


@given(SCRIPTS, ANY_NETWORK, st.booleans())
def test_an_address_leads_to_its_script(script, network, upper):
    text = address_of(script, network)
    if upper and text.lower().startswith(network.bech32_prefix + "1"):
        text = text.upper()
    found = address(text)
    assert found.script_hash == hashlib.sha256(script).digest()
    assert (found.script_hash, found.networks) == slowly(text)
    assert found.networks >> list(NETWORKS).index(network.name) & 1


@given(SCRIPTS, ANY_NETWORK, st.data())
def test_a_damaged_address_is_what_the_reference_says(script, network, data):
    """One character replaced, removed, doubled or two exchanged; a few of them are addresses again."""
    text = address_of(script, network)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l1BCTbo0OIl é\n"))
    damage = {
        "replaced": text[:place] + letter + text[place + 1 :],
        "removed": text[:place] + text[place + 1 :],
        "doubled": text[:place] + text[place] + text[place:],
        "swapped": text[:place] + text[place : place + 2][::-1] + text[place + 2 :],
        "raised": text[:place] + text[place].upper() + text[place + 1 :],
    }
    for changed in damage.values():
        found = address(changed)
        assert (found.script_hash, found.networks) == slowly(changed)


def test_the_known_addresses_of_bitcoin_core():
    cases = [each for each in core_cases("key_io_valid.json") if not each[2]["isPrivkey"]]
    assert len(cases) > 20
    for text, script, about in cases:
        found = address(text)
        assert found.script_hash == hashlib.sha256(bytes.fromhex(script)).digest(), text
        chain = {"main": "mainnet", "test": "testnet3"}.get(about["chain"], about["chain"])
        assert found.networks >> list(NETWORKS).index(chain) & 1, text


def test_the_invalid_addresses_of_bitcoin_core():
    for (text,) in core_cases("key_io_invalid.json"):
        assert address(text).script_hash is None, text[:20]


def test_every_real_pool_address_has_a_script():
    pools = load_json("tags/mining-pools-v2.json")
    texts = [text for pool in pools for text in pool["addresses"]]
    assert len(texts) > 100
    assert all(address(text).networks for text in texts)


def test_a_public_key_is_of_every_network():
    script = b"\x21" + bytes.fromhex(KEY) + b"\xac"
    for subject in (Subject(SubjectKind.PUBKEY, KEY), Subject(SubjectKind.ADDRESS, KEY.upper())):
        assert locate(subject)[:2] == (hashlib.sha256(script).digest(), ALL_NETWORKS)
    assert locate(Subject(SubjectKind.PUBKEY, KEY[:-2])).script_hash is None
    assert locate(Subject(SubjectKind.PUBKEY, "05" + KEY[2:])).script_hash is None


def test_a_script_may_be_stated():
    script = bytes.fromhex("5121" + KEY + "51ae")
    assert address("script:" + script.hex())[:2] == (hashlib.sha256(script).digest(), ALL_NETWORKS)
    assert address("script:0").script_hash is None


@pytest.mark.parametrize(
    "kind", [kind for kind in SubjectKind if kind not in (SubjectKind.ADDRESS, SubjectKind.PUBKEY)]
)
def test_other_subjects_have_no_script(kind):
    text = "aa" * 32
    assert locate(Subject(kind, text)) == (None, 0)


@pytest.mark.parametrize(
    "text",
    [
        "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
        "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1",
        "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        "",
    ],
)
def test_an_address_of_another_chain_has_none(text):
    assert address(text).script_hash is None
    assert address(text).networks == 0


def test_a_private_key_has_no_script():
    assert address(base58.encode_check(b"\x80" + bytes(range(32)) + b"\x01")).script_hash is None


@given(st.one_of(st.text(), st.text(st.characters(categories=["Cs", "Nd", "Lu"]))), st.sampled_from(SubjectKind))
def test_any_text_has_an_answer(text, kind):
    found = locate(Subject(kind, text))
    assert (found.script_hash is None) == (found.networks == 0)


@pytest.mark.parametrize("letter", ["1", "z", "q", "a", "bc1", "bc1q", "script:"])
def test_a_long_text_is_answered_at_once(letter):
    """Plain decoding takes time by the square of the length: here a million characters, and just below every cap."""
    started = time.process_time()
    for length in (40, 41, 90, 100, 101, MAX_LENGTH - 7, MAX_LENGTH, 1_000_000):
        for text in (letter + "q" * length, letter * length, "bc1" + letter * length):
            address(text[:length])
    assert time.process_time() - started < 1


@pytest.mark.parametrize("said", ["", "BTC", "btc", "XBT", "Bitcoin"])
def test_a_tag_that_names_bitcoin_or_no_chain_may_be_on_every_network(said):
    assert networks_of(said, "") == networks_of("", said) == networks_of(said, "BTC") == ALL_NETWORKS


@pytest.mark.parametrize("other", ["BCH", "BSV", "ETH", "USDT", "OMNI", "L-BTC", "RBTC", "BTG", "bitcoin cash", "?"])
def test_a_tag_that_names_another_chain_is_on_none(other):
    pairs = [(other, ""), ("", other), ("BTC", other), (other, "BTC")]
    assert [networks_of(*pair) for pair in pairs] == [0] * 4


def test_a_tag_may_name_one_network():
    for place, name in enumerate(NETWORKS):
        assert networks_of("BTC", name) == 1 << place
    assert networks_of("", "testnet") == networks_of("", "testnet3") | networks_of("", "testnet4")
