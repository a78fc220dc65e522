"""Addresses: every type on every network comes back; every refusal has its reason; secrets are not repeated."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin import base58, bech32
from cointrail.bitcoin.address import MAX_LENGTH, address_of, script_of
from cointrail.bitcoin.network import MAINNET, NETWORKS, REGTEST, SIGNET, TESTNET3, TESTNET4
from cointrail.bitcoin.script import ScriptType, script_from_payload
from cointrail.errors import AddressError

NETWORK = st.sampled_from(list(NETWORKS.values()))
TWENTY, THIRTY_TWO = st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32)
HASH_SCRIPTS = st.one_of(
    st.builds(script_from_payload, st.sampled_from([ScriptType.P2PKH, ScriptType.P2SH, ScriptType.P2WPKH]), TWENTY),
    st.builds(script_from_payload, st.sampled_from([ScriptType.P2WSH, ScriptType.P2TR]), THIRTY_TWO),
)
PROGRAM_SCRIPTS = st.builds(
    lambda version, program: bytes([0x50 + version, len(program)]) + program,
    st.integers(1, 16),
    st.binary(min_size=2, max_size=40),
)
SCRIPTS = st.one_of(HASH_SCRIPTS, PROGRAM_SCRIPTS, st.just(bytes.fromhex("51024e73")))

P2PKH, P2WPKH = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
WIF = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"
XPUB = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"


@given(SCRIPTS, NETWORK)
def test_every_address_leads_back_to_its_script(script, network):
    text = address_of(script, network)
    assert text is not None
    assert len(text) <= MAX_LENGTH
    assert script_of(text, network) == script


@given(SCRIPTS, NETWORK, NETWORK)
def test_an_address_is_taken_only_where_its_prefix_is_used(script, network, other):
    text = address_of(script, network)
    if address_of(script, other) == text:
        assert script_of(text, other) == script
    else:
        with pytest.raises(AddressError, match=f"is an address of .*{network.name}.*, this ledger is {other.name}"):
            script_of(text, other)


@given(SCRIPTS, NETWORK, st.data())
def test_a_single_wrong_character_is_always_refused(script, network, data):
    text = address_of(script, network)
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(max_codepoint=0x2FFF).filter(lambda c: c != text[position]))
    damaged = text[:position] + other + text[position + 1 :]
    for known in NETWORKS.values():
        with pytest.raises(AddressError):
            script_of(damaged, known)


@given(st.text(max_size=120))
def test_no_text_crashes(text):
    reading = script_or_error(text)
    if isinstance(reading, AddressError):
        assert str(reading).isascii()
        assert str(reading).isprintable()
    else:
        assert address_of(reading, MAINNET) in (text, text.lower())


def script_or_error(text: str) -> bytes | AddressError:
    try:
        return script_of(text, MAINNET)
    except AddressError as error:
        return error


@given(st.binary(max_size=80))
def test_what_has_an_address_comes_back(script):
    text = address_of(script, REGTEST)
    assert text is None or script_of(text, REGTEST) == script


@pytest.mark.parametrize(
    "script",
    [
        "",
        "21" + "02" + "11" * 32 + "ac",
        "41" + "04" + "11" * 64 + "ac",
        "5121" + "02" + "11" * 32 + "51ae",
        "6a",
        "6a0400000000",
        "0015" + "00" * 21,
        "51",
        "4cff",
    ],
)
def test_scripts_without_an_address(script):
    assert address_of(bytes.fromhex(script), MAINNET) is None


def test_known_addresses():
    genesis_key_hash = bytes.fromhex("62e907b15cbf27d5425399ebf6f0fb50ebb88f18")
    script = script_from_payload(ScriptType.P2PKH, genesis_key_hash)
    assert address_of(script, MAINNET) == "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
    assert address_of(bytes.fromhex("51024e73"), MAINNET) == "bc1pfeessrawgf"
    assert script_of(P2WPKH.upper(), MAINNET) == script_of(P2WPKH, MAINNET)


@pytest.mark.parametrize(
    ("text", "network", "reason"),
    [
        ("mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r", MAINNET, "testnet3/testnet4/signet/regtest, this ledger is mainnet"),
        ("2NC2hEhe28ULKAJkW5MjZ3jtTMJdvXmByvK", MAINNET, "testnet3/testnet4/signet/regtest, this ledger is mainnet"),
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", MAINNET, "testnet3/testnet4/signet, this ledger is mainnet"),
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", TESTNET4, "an address of regtest, this ledger is testnet4"),
        (P2PKH, SIGNET, "an address of mainnet, this ledger is signet"),
        (P2WPKH, TESTNET3, "an address of mainnet, this ledger is testnet3"),
    ],
)
def test_the_wrong_network_is_named(text, network, reason):
    with pytest.raises(AddressError, match=reason):
        script_of(text, network)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the text is empty"),
        (" " + P2PKH, r"U\+0020 SPACE at position 1 "),
        (P2PKH + "\n", r"U\+000A CONTROL CHARACTER at position 35 "),
        (P2PKH[:10] + "\u200b" + P2PKH[10:], r"U\+200B ZERO WIDTH SPACE at position 11 "),
        ("\ufeff" + P2WPKH, r"U\+FEFF ZERO WIDTH NO-BREAK SPACE at position 1 "),
        ("\u202e" + P2WPKH, r"U\+202E RIGHT-TO-LEFT OVERRIDE at position 1 "),
        ("b\u0441" + P2WPKH[2:], r"U\+0441 CYRILLIC SMALL LETTER ES at position 2 "),
        ("\uff11" + P2PKH[1:], r"U\+FF11 FULLWIDTH DIGIT ONE at position 1 "),
        (P2PKH + "\x00", r"U\+0000 CONTROL CHARACTER at position 35 "),
        (P2PKH.replace("B", "O"), "character 'O' at position 2 is not in the base58 alphabet"),
        (P2PKH[:-1], "base58 checksum mismatch"),
        (P2PKH.lower(), "character 'l'|base58 checksum mismatch"),
        ("1" + P2PKH, "checksum mismatch"),
        (P2WPKH[:-1] + "5", "bech32 checksum mismatch"),
        ("Bc" + P2WPKH[2:], "mixed case"),
        ("bitcoin:" + P2PKH, "character ':' at position 8|character 'l'|base58 alphabet"),
        (base58.encode_check(b"\x30" + bytes(20)), "version byte 48 belongs to no network"),
        (base58.encode_check(b"\x00" + bytes(19)), "20 bytes, 21 are needed"),
        (base58.encode_check(b"\x00" + bytes(21)), "22 bytes, 21 are needed"),
        (base58.encode_check(b""), "0 bytes, 21 are needed"),
        (bech32.encode("ltc", 0, bytes(20)), "prefix 'ltc' belongs to no network"),
        (XPUB, r"an extended public key \(xpub\) is not an address"),
        ("z" * 101, "text of 101 characters is longer than any address"),
    ],
)
def test_every_refusal_says_why(text, reason):
    with pytest.raises(AddressError, match=reason):
        script_of(text, MAINNET)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize(
    "secret",
    [
        WIF,
        WIF[:-1],
        WIF[:-1] + "0",
        "5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf",
        base58.encode_check(b"\xef" + bytes(31) + b"\x01\x01"),
        "xprv" + XPUB[4:],
        "zebra zebra zebra zebra zebra zebra zebra zebra zebra zebra zebra wrong",
        "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
    ],
)
def test_a_text_that_may_be_secret_is_refused_and_not_repeated(secret, network):
    with pytest.raises(AddressError) as caught:
        script_of(secret, network)
    assert secret not in str(caught.value)
    assert secret[10:30] not in str(caught.value)
    assert secret not in str(caught.value.__cause__)


def test_a_private_key_is_refused_by_name():
    with pytest.raises(AddressError, match="the text is a private key, not an address; it is not repeated here"):
        script_of(WIF, MAINNET)


@pytest.mark.parametrize("text", ["1" * 10_000_000, "bc1" + "q" * 10_000_000, "z" * 10_000_000])
def test_a_very_long_text_costs_nothing(text):
    start = time.perf_counter()
    with pytest.raises(AddressError, match="longer than any address") as caught:
        script_of(text, MAINNET)
    assert time.perf_counter() - start < 0.5
    assert len(str(caught.value)) < 200
