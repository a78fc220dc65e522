"""Keys of the plot: curve arithmetic, BIP32 trees and BIP39 phrases, against the vectors of the BIPs."""

import hashlib
import inspect
import re
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import load_json, shared_data

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import MAINNET
from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.keys import script_of_key
from cointrail.simulation.plot import bip32, bip39, curve
from cointrail.simulation.plot.bip32 import HARDENED, ExtendedKey
from cointrail.simulation.plot.curve import FIELD, GENERATOR, ORDER, add, compress, decompress, public_points

MAINNET_VERSIONS = {"private": bytes.fromhex("0488ade4"), "public": bytes.fromhex("0488b21e")}


def slow_multiple(number):
    """Double and add, one inversion each: not how the product does it."""
    total, power = None, GENERATOR
    while number:
        if number & 1:
            total = power if total is None else slow_add(total, power)
        power, number = slow_add(power, power), number >> 1
    return total


def slow_add(one, other):
    if one == other:
        slope = 3 * one[0] ** 2 * pow(2 * one[1], FIELD - 2, FIELD)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], FIELD - 2, FIELD)
    x = (slope * slope - one[0] - other[0]) % FIELD
    return x, (slope * (one[0] - x) - one[1]) % FIELD


EDGES = [1, 2, 3, 63, 64, 65, 1_023, 1_024, 2**255, ORDER - 1, ORDER - 2, ORDER // 2, 2**256 % ORDER]


@pytest.mark.parametrize("count", [1, 100])
def test_multiples_of_the_generator_at_the_edges_for_few_and_for_many(count):
    assert public_points(EDGES * count) == [slow_multiple(number) for number in EDGES] * count


@settings(max_examples=30)
@given(st.lists(st.integers(1, ORDER - 1), min_size=1, max_size=5))
def test_multiples_of_the_generator(numbers):
    assert public_points(numbers) == [slow_multiple(number) for number in numbers]


@pytest.mark.parametrize("number", [0, ORDER, -1, ORDER + 5])
def test_numbers_that_are_no_secret_are_refused(number):
    with pytest.raises(ValueError, match="outside"):
        public_points([5, number])


def test_sums_of_equal_opposite_and_other_points():
    two, three, five = public_points([2, 3, 5])
    opposite = (three[0], FIELD - three[1])
    assert add([(two, three), (three, three), (three, opposite), (three, two)]) == [
        five,
        public_points([6])[0],
        None,
        five,
    ]
    assert add([]) == []
    assert public_points([]) == []


def test_compressed_keys_go_both_ways():
    for point in public_points(EDGES):
        assert decompress(compress(point)) == point
    for wrong in (b"\x02" + bytes(32), b"\x04" + bytes(32), compress(GENERATOR)[:-1], b"\x02" + b"\xff" * 32):
        with pytest.raises(ValueError, match="compressed"):
            decompress(wrong)


def bip32_vectors():
    vectors = load_json("vectors/bip32_test_vectors.json")
    return [(seed, *case) for seed, cases in vectors.items() for case in cases]


def test_trees_are_those_of_bip32():
    cases = bip32_vectors()
    assert len(cases) >= 17
    for seed, path, public, private in cases:
        node = ExtendedKey.of_seed(bytes.fromhex(seed))
        if path != "m":
            node = node.derive(path.removeprefix("m/"))
        assert node.serialize(**MAINNET_VERSIONS) == private
        assert node.neuter().serialize(**MAINNET_VERSIONS) == public
        assert ExtendedKey.parse(private, **MAINNET_VERSIONS) == node
        assert ExtendedKey.parse(public, **MAINNET_VERSIONS) == node.neuter()


def test_public_derivation_gives_the_keys_of_private_derivation():
    for seed, path, public, _ in bip32_vectors():
        steps = path.split("/")[1:]
        if not steps or steps[-1][-1] in "H'h":
            continue
        parent = ExtendedKey.of_seed(bytes.fromhex(seed))
        if len(steps) > 1:
            parent = parent.derive("/".join(steps[:-1]))
        assert parent.neuter().child(int(steps[-1])).serialize(**MAINNET_VERSIONS) == public


def test_account_and_addresses_are_those_of_bip84():
    text = (shared_data() / "vectors/bips/bip-0084.mediawiki").read_text("utf-8")
    phrase = re.search(r"mnemonic = (.+)", text)
    assert phrase is not None
    master = ExtendedKey.of_seed(bip39.seed_of(phrase[1].strip()))
    account = master.derive("84'/0'/0'")
    zpub = {"private": bytes.fromhex("04b2430c"), "public": bytes.fromhex("04b24746")}
    assert account.serialize(**zpub) in text
    assert account.neuter().serialize(**zpub) in text
    for path in ("0/0", "0/1", "1/0"):
        script = script_of_key(ScriptType.P2WPKH, account.neuter().derive(path).public_key)
        assert f"address = {address_of(script, MAINNET)}" in text


def test_ranges_of_children_are_the_single_children():
    account = ExtendedKey.of_seed(b"ranges" * 4).derive("84h/1h/0h")
    branch = account.child(0)
    numbers = [*range(70), 5, 1_000_000, HARDENED - 1]
    single = [branch.child(number) for number in numbers]
    assert list(branch.neuter().public_keys(numbers)) == [each.public_key for each in single]
    assert branch.secrets(numbers) == [each.secret for each in single]


def test_a_large_range_is_derived_piece_by_piece(monkeypatch):
    asked = []
    branch = ExtendedKey.of_seed(b"memory" * 4).neuter()
    monkeypatch.setattr(bip32, "public_points", lambda secrets: asked.append(len(secrets)) or public_points(secrets))
    first = list(islice(branch.public_keys(range(1_300_000)), 3_000))
    assert len(set(first)) == 3_000
    assert sum(asked) <= 8_192
    assert max(asked) <= 4_096


def test_hardened_children_need_the_secret():
    node = ExtendedKey.of_seed(b"hardened" * 4)
    assert node.child(HARDENED).secret
    with pytest.raises(ValueError, match="hardened"):
        node.neuter().child(HARDENED)


def test_extended_keys_of_other_networks_are_refused():
    node = ExtendedKey.of_seed(b"networks" * 4)
    assert node.serialize().startswith("tprv")
    assert node.neuter().serialize().startswith("tpub")
    with pytest.raises(ValueError, match="versions"):
        ExtendedKey.parse(node.serialize(**MAINNET_VERSIONS))


def test_secrets_do_not_show():
    node = ExtendedKey.of_seed(b"shown" * 4)
    assert node.secret.hex() not in repr(node)
    assert str(node.secret) not in repr(node)
    assert str(node.chain_code) not in repr(node)


def test_phrases_are_those_of_bip39():
    cases = load_json("vectors/bip39_test_vectors.json")["english"]
    assert len(cases) >= 20
    for entropy, phrase, seed, private in cases:
        assert bip39.phrase_of(bytes.fromhex(entropy)) == phrase
        assert bip39.seed_of(phrase, "TREZOR").hex() == seed
        assert ExtendedKey.of_seed(bytes.fromhex(seed)).serialize(**MAINNET_VERSIONS) == private
        assert bip39.is_valid(phrase)


def test_phrases_with_a_wrong_word_are_not_valid():
    phrase = bip39.phrase_of(bytes(16))
    assert not bip39.is_valid(phrase.replace("about", "abandon"))
    assert not bip39.is_valid(phrase.replace("about", "abut"))
    assert not bip39.is_valid(phrase.removesuffix(" about"))
    assert not bip39.is_valid("")


def test_the_word_list_is_the_published_one():
    text = "\n".join(bip39.words()) + "\n"
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    )


def test_there_is_no_signing_code():
    for module in (curve, bip32, bip39):
        names = [name.lower() for name, _ in inspect.getmembers(module)]
        assert not [name for name in names if "sign" in name or "ecdsa" in name or "schnorr" in name]
