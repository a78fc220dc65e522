"""Spellings of keys and scripts against what Core, the BIPs and a curve library say."""

import hashlib
import re
from itertools import permutations

import pytest
from script_zoo import push
from spelled_keys import multisig, of_key, of_script, point
from vectors import assemble, core_cases, load_json, shared_data

from cointrail.bitcoin.address import script_of
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.script import ScriptType, classify
from cointrail.bitcoin.spelling import (
    Reveal,
    SameKeyKind,
    compressed_form,
    kind_between,
    proven_spelling,
    revealed_data,
    revealed_spelling,
    spelling_hash,
    spelling_key,
)
from cointrail.bitcoin.transaction import Transaction
from cointrail.errors import InputRefused

MAINNET, REGTEST = NETWORKS["mainnet"], NETWORKS["regtest"]
KEY, NESTED, KEY_FORM, SCRIPT = SameKeyKind

# SEC 2, section 2.4.1: the generator in both forms.
GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
LONG_GENERATOR = bytes.fromhex(
    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
)


def test_the_examples_of_bip84_are_p2wpkh_of_their_keys():
    text = (shared_data() / "vectors" / "bips" / "bip-0084.mediawiki").read_text("utf-8")
    keys = [bytes.fromhex(key) for key in re.findall(r"pubkey  = ([0-9a-f]{66})", text)]
    scripts = [script_of(address, MAINNET) for address in re.findall(r"address = (bc1\w+)", text)]
    assert len(keys) == len(scripts) == 3
    for key, script in zip(keys, scripts, strict=True):
        assert kind_between(push(key) + b"\xac", script) is KEY


def test_the_nested_examples_of_bip49_and_bip143():
    """BIP49's test vector; the P2SH-P2WPKH and P2SH-P2WSH examples of BIP143."""
    keys = (
        "03a1af804ac108a8a51782198c2d034b28bf90c8803f5a53f76276fa69a4eae77f",
        "03ad1d8e89212f0b92c74d23bb710c00662ad1470198ac48c43f7d6f93a2a26873",
    )
    hashes = ("336caa13e08b96080a32b5d818d59b4ab3b36742", "4733f37cf4db86fbc2efed2500b4f4e49f312023")
    for key, nested in zip(keys, hashes, strict=True):
        pay_to_key = push(bytes.fromhex(key)) + b"\xac"
        assert spelling_hash(pay_to_key) == bytes.fromhex(nested)
        assert kind_between(pay_to_key, b"\xa9\x14" + bytes.fromhex(nested) + b"\x87") is NESTED
    program = bytes.fromhex("0020a16b5755f7f6f96dbd65f5f0d6ab9418b89af4b1f14a1bb8a09062c35f0dcb54")
    assert kind_between(program, bytes.fromhex("a9149993a429037b5d912407a71c252019287b8d27a587")) is NESTED


def test_core_names_the_same_wrappings():
    """`decodescript` gives the P2SH, P2WSH and P2SH-P2WSH of a script, and the P2SH of a P2WSH."""
    wrapped = 0
    for text, told in core_cases("rpc_decodescript.json"):
        script = bytes.fromhex(text)
        if told["type"] == "witness_v0_scripthash":
            assert kind_between(script, script_of(told["p2sh"], REGTEST)) is NESTED
        if "segwit" not in told:
            continue
        wrapped += 1
        plain, program = script_of(told["p2sh"], REGTEST), bytes.fromhex(told["segwit"]["hex"])
        nested = script_of(told["segwit"]["p2sh-segwit"], REGTEST)
        assert kind_between(program, nested) is NESTED
        assert kind_between(plain, nested) is None
        assert proven_spelling(plain, Reveal.REDEEM_SCRIPT, script) == (spelling_hash(program), SCRIPT)
        for native in (program, nested):
            assert proven_spelling(native, Reveal.WITNESS_SCRIPT, script) == (spelling_hash(plain), SCRIPT)
    assert wrapped


def test_what_core_takes_for_a_valid_spend_fits_the_script_it_spends():
    seen = set()
    for prevouts, raw, flags in core_cases("tx_valid.json"):
        scripts = {(txid, vout & 0xFFFFFFFF): assemble(script) for txid, vout, script, *_ in prevouts}
        for each in Transaction.parse(bytes.fromhex(raw)).inputs:
            script = scripts[display(each.outpoint.txid), each.outpoint.vout]
            shown, kind = revealed_data(each.script_sig, each.witness), classify(script)
            if shown is None or {"P2SH", "WITNESS"} & set(flags.split(",")):
                continue
            if kind in (ScriptType.P2SH, ScriptType.P2WSH):
                assert proven_spelling(script, *shown) is not None
                seen.add((kind, shown[0]))
    p2sh_script, p2wsh = ScriptType.P2SH, ScriptType.P2WSH
    assert seen == {
        (p2sh_script, Reveal.REDEEM_SCRIPT), (p2sh_script, Reveal.WITNESS_SCRIPT), (p2wsh, Reveal.WITNESS_SCRIPT)
    }  # fmt: skip


@pytest.mark.parametrize("height", [169, 91721, 150012])
def test_keys_shown_in_real_blocks_fit_what_they_spend(height):
    """Blocks given with the outputs they spend: every long key is a point and hashes to the script."""
    told = load_json(f"oracles/prevouts/full_{height}.json")
    spent = [each for tx in told["blocks"][0]["data"]["transactions"][1:] for each in tx["inputs"]]
    found = 0
    for each in spent:
        script = bytes.fromhex(each["previous_output"]["data"]["pk_script"][2:])
        shown = revealed_data(bytes.fromhex(each["script"][2:]), ())
        if len(script) == 67 or (shown and shown[0] is Reveal.KEY):
            found += 1
            assert revealed_spelling(script, bytes.fromhex(each["script"][2:]), ())[1] is KEY_FORM
    assert found or height == 91721


def test_the_two_forms_of_the_generator():
    assert compressed_form(LONG_GENERATOR) == GENERATOR
    assert compressed_form(b"\x06" + LONG_GENERATOR[1:]) == GENERATOR
    with pytest.raises(InputRefused, match="no point of the curve"):
        compressed_form(b"\x07" + LONG_GENERATOR[1:])
    with pytest.raises(InputRefused, match="no point of the curve"):
        compressed_form(LONG_GENERATOR[:-1] + b"\xba")
    with pytest.raises(InputRefused, match="is not an uncompressed public key"):
        compressed_form(GENERATOR)


def test_compressed_forms_are_those_of_a_curve_library():
    curve = pytest.importorskip("coincurve", reason="coincurve is not installed")
    for number in range(1, 40):
        key = curve.PublicKey.from_secret(number.to_bytes(32, "big"))
        assert compressed_form(key.format(compressed=False)) == key.format()


def test_which_spellings_meet():
    names = {name: each.script_pubkey for name, each in of_key("alice").items()}
    short, long = ("p2pk", "p2pkh", "p2wpkh", "nested_p2wpkh"), ("long_p2pk", "long_p2pkh")
    for a, b in permutations(names, 2):
        together = {a, b} <= set(short) or {a, b} <= set(long)
        wanted = None if not together else NESTED if "nested_p2wpkh" in (a, b) else KEY
        assert kind_between(names[a], names[b]) is wanted
    assert all(kind_between(script, script) is None for script in names.values())
    others = {name: each.script_pubkey for name, each in of_script(multisig("alice", "bob")).items()}
    assert all(kind_between(a, b) is None for a in names.values() for b in others.values())


def test_types_without_spellings():
    for script in (b"", b"\x6a", b"\x51\x20" + bytes(32), b"\x00\x15" + bytes(21), multisig("alice")):
        assert spelling_hash(script) is None
        assert kind_between(script, script + b"\x51") is None
        assert spelling_key(script) == int.from_bytes(hashlib.sha256(script).digest()[:8], "little")
    script = b"\xa9\x14" + bytes(range(20)) + b"\x87"
    assert spelling_key(script) == int.from_bytes(bytes(range(8)), "little")


def test_shapes_of_other_spends_are_no_scripts():
    long, short = point("alice")
    script = multisig("alice")
    program = b"\x00\x20" + bytes(32)
    assert revealed_data(push(b"\x01") + push(long), ()) == (Reveal.KEY, long)
    assert revealed_data(push(script), ()) == (Reveal.REDEEM_SCRIPT, script)
    assert revealed_data(push(program), (b"", script)) == (Reveal.WITNESS_SCRIPT, script)
    for script_sig, witness in (
        (b"", ()),
        (push(short), ()),
        (push(program), ()),
        (push(script) + b"\x51", ()),
        (push(script) + b"\xac", ()),
        (push(script) + b"\x05a", ()),
        (b"", (b"\x01", short)),
        (b"", (bytes(64),)),
        (b"", (b"\x01", b"\x51", b"\xc0" + bytes(32))),
        (b"", (b"",)),
        (push(b"\x00\x14" + bytes(20)), (b"\x01", short)),
        (push(script), (b"\x01", script)),
    ):
        assert revealed_data(script_sig, witness) is None


def test_data_must_be_committed_to():
    alice, bob = of_key("alice"), of_key("bob")
    long, script = point("alice")[0], multisig("alice")
    assert proven_spelling(alice["long_p2pkh"].script_pubkey, Reveal.KEY, long) is not None
    assert proven_spelling(bob["long_p2pkh"].script_pubkey, Reveal.KEY, long) is None
    assert proven_spelling(alice["p2wpkh"].script_pubkey, Reveal.KEY, long) is None
    wrapped = of_script(script)
    assert proven_spelling(wrapped["p2wsh"].script_pubkey, Reveal.REDEEM_SCRIPT, script) is None
    assert proven_spelling(wrapped["p2sh"].script_pubkey, Reveal.WITNESS_SCRIPT, script) is None
    off = long[:-1] + bytes([long[-1] ^ 2])
    assert proven_spelling(push(off) + b"\xac", Reveal.KEY, off) is None
