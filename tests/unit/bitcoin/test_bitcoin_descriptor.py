"""Descriptors, key expressions and extended keys against the vectors of the BIPs and of a node's own tests."""

import re

import pytest
from coincurve import PublicKey
from hypothesis import given
from hypothesis import strategies as st
from vectors import load_json, shared_data

from cointrail.bitcoin import base58
from cointrail.bitcoin.address import script_of
from cointrail.bitcoin.descriptor import descriptor_checksum, parse_descriptor
from cointrail.bitcoin.extended_key import PREFIXES, VERSIONS, parse_extended_public_key
from cointrail.bitcoin.key_expression import KeyKind, parse_key
from cointrail.bitcoin.network import MAINNET
from cointrail.bitcoin.public_key import is_public_key, is_x_coordinate
from cointrail.errors import InputRefused

BIP84_KEY = "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c"  # account 0, first receiving address


def bip380(heading, end):
    """Texts of the list between two sentences of the BIP."""
    text = (shared_data() / "vectors" / "bips" / "bip-0380.mediawiki").read_text("utf-8")
    listed = re.findall(r"^\* .*<tt>(.*)</tt>$", text.partition(heading)[2].partition(end)[0], re.MULTILINE)
    return [entry.replace("</tt><tt>", "") for entry in listed if "</tt> as" not in entry]


def valid_keys():
    return [re.sub(r".*<tt>", "", entry) for entry in bip380("\nValid expressions:", "\nInvalid expression:")]


def bip32_invalid():
    text = (shared_data() / "vectors" / "bips" / "bip-0032.mediawiki").read_text("utf-8")
    return re.findall(r"^\* (\w+) \((.*)\)$", text.split("Test vector 5")[1], re.MULTILINE)


# Checksums.


def test_checksums_are_those_a_node_computes():
    cases = load_json("vectors/descriptor_checksums.json")
    assert len(cases) > 10
    for case in cases:
        assert descriptor_checksum(case["desc"]) == case["checksum"]
        read = parse_descriptor(f"{case['desc']}#{case['checksum']}")
        assert (read.checksum, read.has_checksum) == (case["checksum"], True)
        assert not parse_descriptor(case["desc"]).has_checksum


def test_vectors_of_the_checksum_are_told_apart():
    cases = bip380("checksum and character set:", "The following tests cover key")
    good = [text for text in cases if text in ("raw(deadbeef)#89f8spxm", "raw(deadbeef)")]
    assert (len(good), len(cases)) == (2, 8)
    for text in cases:
        if text in good:
            assert parse_descriptor(text).scripts == (bytes.fromhex("deadbeef"),)
        else:
            with pytest.raises(InputRefused):
                parse_descriptor(text)


@given(st.data())
def test_one_wrong_character_is_always_noticed(data):
    text = f"wpkh({BIP84_KEY})"
    whole = f"{text}#{descriptor_checksum(text)}"
    place = data.draw(st.integers(0, len(whole) - 1).filter(lambda at: whole[at] != "#"))
    other = data.draw(st.sampled_from("0123456789abcdefghijklmnopqrstuvwxyzABCXYZ()[]/*'").filter(whole[place].__ne__))
    with pytest.raises(InputRefused):
        parse_descriptor(whole[:place] + other + whole[place + 1 :])


# Keys.


def test_vectors_of_key_expressions_are_told_apart():
    good, bad = valid_keys(), bip380("\nInvalid expression:", "\n==")
    assert len(good) > 15
    assert len(bad) > 10
    for text in good:
        read = parse_key(text)
        assert read.is_private is (
            "prv" in text or "WIF" in text or re.search(r"(^|\])[5KL]\w{50,51}$", text) is not None
        )
        assert not read.is_private or not read.public_key
    for text in bad:
        with pytest.raises(InputRefused) as refused:
            parse_key(text)
        assert not any(part in str(refused.value) for part in re.findall(r"\w{40,}", text))


def test_public_extended_keys_of_bip32_are_read():
    count = 0
    for chain in load_json("vectors/bip32_test_vectors.json").values():
        above = {}
        for path, public, private in chain:
            key = parse_extended_public_key(public)
            steps = path.split("/")[1:]
            assert key.depth == len(steps)
            if steps:
                number = int(steps[-1].rstrip("H'"))
                assert key.child_number == number + ((1 << 31) if steps[-1][-1] in "H'" else 0)
            if path.rpartition("/")[0] in above:
                assert key.parent_fingerprint == above[path.rpartition("/")[0]]
            above[path] = key.fingerprint
            assert (key.version.prefix, key.version.networks) == ("xpub", ("mainnet",))
            with pytest.raises(InputRefused, match="private key") as refused:
                parse_extended_public_key(private)
            assert private[4:] not in str(refused.value)
            count += 1
    assert count > 10


def test_invalid_extended_keys_of_bip32_are_refused_for_the_reason_given():
    reasons = {
        "pubkey version / prvkey mismatch": "no point", "invalid pubkey prefix 04": "no point",
        "invalid pubkey prefix 01": "no point", "zero depth with non-zero parent fingerprint": "no parent",
        "zero depth with non-zero index": "no child", "unknown extended key version": "belong to no extended key",
        "invalid checksum": "checksum",
    }  # fmt: skip
    cases = bip32_invalid()
    assert len(cases) > 10
    for text, reason in cases:
        with pytest.raises(InputRefused) as refused:
            parse_extended_public_key(text)
        expected = "private key|checksum" if text.startswith("xprv") else reasons.get(reason, "no point")
        assert re.search(expected, str(refused.value)), reason
        assert text not in str(refused.value)


def test_versions_write_the_prefix_they_are_named_for():
    assert len(PREFIXES) == len(VERSIONS) == 20
    for version, means in VERSIONS.items():
        for filler in (b"\x00", b"\xff"):
            assert base58.encode_check(version + filler * 74).startswith(means.prefix)


def test_a_zpub_of_bip84_says_its_scripts():
    text = (shared_data() / "vectors" / "bips" / "bip-0084.mediawiki").read_text("utf-8")
    for zpub in re.findall(r"= (zpub\w+)", text):
        key = parse_extended_public_key(zpub)
        assert (key.version.scripts, key.version.networks) == ("p2wpkh", ("mainnet",))


@given(st.binary(min_size=32, max_size=32))
def test_points_are_those_that_another_library_accepts(x):
    for data in (b"\x02" + x, b"\x03" + x):
        try:
            point = PublicKey(data)
        except ValueError:
            point = None
        assert is_public_key(data) is (point is not None)
        assert is_x_coordinate(x) is (point is not None)
        if point is not None:
            whole = point.format(compressed=False)
            assert is_public_key(whole)
            assert is_public_key(bytes([6 + (whole[-1] & 1)]) + whole[1:])
            assert not is_public_key(bytes([7 - (whole[-1] & 1)]) + whole[1:])
            assert not is_public_key(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert not is_public_key(x)
    assert not is_public_key(b"\x04" + x)


# Scripts.


def test_scripts_are_those_of_the_published_addresses():
    # BIP84 publishes key and address; the others follow from a node's decoding of the same address forms.
    assert parse_descriptor(f"wpkh({BIP84_KEY})").scripts == (
        script_of("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", MAINNET),
    )
    generator = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    expected = {
        "pkh": "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH",
        "wpkh": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "sh(wpkh": "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN",
    }
    scripts = [script_of(address, MAINNET) for address in expected.values()]
    for function, script in zip(expected, scripts, strict=True):
        assert parse_descriptor(f"{function}({generator})" + ")" * function.count("(")).scripts == (script,)
    pay_to_key = bytes.fromhex(f"21{generator}ac")
    assert parse_descriptor(f"pk([deadbeef/1h]{generator})").scripts == (pay_to_key,)
    assert parse_descriptor(f"combo({generator})").scripts == (pay_to_key, *scripts)


def test_what_has_to_be_derived_gives_no_script():
    (xpub, *_), *_ = ([public] for _, public, _ in next(iter(load_json("vectors/bip32_test_vectors.json").values())))
    for text in (f"pkh({xpub}/0/*)", f"wsh(multi(1,{BIP84_KEY}))", f"tr({BIP84_KEY[2:]})", f"wpkh({xpub}/<0;1>/*)"):
        read = parse_descriptor(text)
        assert (read.scripts, read.is_private) == ((), False)
    assert parse_descriptor("addr(1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH)").address == "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"


@pytest.mark.parametrize("text", [
    "", "pk", "pk(", "pk)", "pk()", "pk()()", "nope(00)", "raw()", "raw(0)", "raw(zz)",
    f"wpkh(04{'00' * 64})", "pk(00)",
    f"pk({BIP84_KEY}))", f"pk({BIP84_KEY})x", f" pk({BIP84_KEY})", f"pkh({BIP84_KEY[2:]})", "addr(x)#", "pk(\0)",
    "(" * 30_000, "raw(" + "00" * 30_000 + ")",
])  # fmt: skip
def test_what_is_no_descriptor_is_refused(text):
    with pytest.raises(InputRefused):
        parse_descriptor(text)


def test_a_descriptor_with_a_private_key_is_a_secret():
    for text in valid_keys():
        if parse_key(text).is_private:
            read = parse_descriptor(f"pkh({text})")
            assert (read.is_private, read.scripts) == (True, ())
            assert text not in repr(read)


def test_kinds_of_keys():
    assert parse_key(BIP84_KEY).kind is KeyKind.PUBLIC
    assert parse_key(BIP84_KEY[2:]).kind is KeyKind.X_ONLY
