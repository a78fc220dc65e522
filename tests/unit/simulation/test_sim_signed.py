"""A chain whose keys are real is accepted by Bitcoin Core's consensus kernel, block by block."""

import re
from pathlib import Path

import pytest
from judge import STORED, VALID, Judge
from sighash import Spending
from signer import Signer
from toy_economy import ToyEconomy, all_kinds
from vectors import core_cases, load_json
from world_files import best_chain

import cointrail.simulation
from cointrail.bitcoin.block import Block
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.script import ScriptType
from cointrail.bitcoin.transaction import Transaction
from cointrail.simulation.generate import simulate
from cointrail.simulation.keys import Keys, Script, Signing
from cointrail.simulation.scale import SMALL
from cointrail.simulation.truth import Truth

EXTENSION = ("a1", "a2", "a3", "b1", "b2", "b3", "b4", "b5")


def spending_of(raw, values=(), scripts=()):
    transaction = Transaction.parse(bytes.fromhex(raw))
    return Spending(
        transaction.version,
        transaction.lock_time,
        tuple(i.outpoint.txid + i.outpoint.vout.to_bytes(4, "little") for i in transaction.inputs),
        tuple(i.sequence for i in transaction.inputs),
        tuple(values),
        tuple(scripts),
        tuple((o.value_sat, o.script_pubkey) for o in transaction.outputs),
    )


def test_legacy_hashes_are_those_of_core():
    cases = core_cases("sighash.json")
    for raw, script, position, hash_type, expected in cases:
        assert display(spending_of(raw).legacy(position, bytes.fromhex(script), hash_type)) == expected
    assert len(cases) == 500


def test_taproot_hashes_keys_and_signatures_are_those_of_bip341():
    data = load_json("vectors/core/bip341_wallet_vectors.json")["keyPathSpending"][0]
    spent = data["given"]["utxosSpent"]
    scripts = [bytes.fromhex(each["scriptPubKey"]) for each in spent]
    spending = spending_of(data["given"]["rawUnsignedTx"], [each["amountSats"] for each in spent], scripts)
    for case in data["inputSpending"]:
        given, position = case["given"], case["given"]["txinIndex"]
        message = spending.taproot(position, given["hashType"])
        assert message.hex() == case["intermediary"]["sigHash"]
    # The first input commits to no script tree: that is how the signer makes its keys (BIP86).
    case = data["inputSpending"][0]
    signer, secret = Signer(), bytes.fromhex(case["given"]["internalPrivkey"])
    lock = Script(scripts[0], ScriptType.P2TR, secret, b"", 0, 0, "", low_r=False)
    assert b"\x51\x20" + signer.taproot_key(secret) == scripts[0]
    signing = Signing(
        spending.version,
        spending.lock_time,
        spending.outpoints,
        spending.sequences,
        spending.values,
        spending.scripts,
        spending.outputs,
        (lock,) * len(scripts),
        (case["given"]["hashType"],) * len(scripts),
    )
    assert [item.hex() for item in signer.unlock(signing, 0)[1]] == case["expected"]["witness"]


# BIP143, "Native P2WPKH" and "P2SH-P2WPKH".
BIP143 = (
    (
        "0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffff"
        "ef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff"
        "02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac"
        "9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000",
        1,
        600_000_000,
        "76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac",
        "c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670",
    ),
    (
        "0100000001db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000000feffffff"
        "02b8b4eb0b000000001976a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac"
        "0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac92040000",
        0,
        1_000_000_000,
        "76a91479091972186c449eb1ded22b78e40d009bdf008988ac",
        "64f3b0f4dd2bb3aa1ce8566d220cc74dda9df97d8490cc81d89d735c92e59fb6",
    ),
)


@pytest.mark.parametrize(("raw", "position", "value", "code", "expected"), BIP143)
def test_witness_hashes_are_those_of_bip143(raw, position, value, code, expected):
    spending = spending_of(raw, (0,) * position + (value,))
    assert spending.witness_v0(position, bytes.fromhex(code), 1).hex() == expected


def test_r_is_low_where_the_wallet_grinds():
    signer = Signer()
    keys = Keys(1, signer)
    sizes = {True: set(), False: set()}
    for number in range(40):
        secret = bytes((number + 1,)) * 32
        script, public_key = keys.script(ScriptType.P2WPKH, secret)
        for low_r in (True, False):
            lock = Script(script, ScriptType.P2WPKH, secret, public_key, 0, 0, "", low_r)
            signing = Signing(2, 0, (bytes(36),), (0,), (5,), (script,), ((4, script),), (lock,), (1,))
            sizes[low_r].add(len(signer.unlock(signing, 0)[1][0]) in (72,))
    assert sizes == {True: {False}, False: {False, True}}


def judged(judge, raws):
    """Verdicts other than valid, by height."""
    verdicts = [(height, judge.submit(raw)) for height, raw in enumerate(raws) if height]
    return [(height, verdict) for height, verdict in verdicts if verdict != VALID]


@pytest.mark.slow
def test_the_kernel_accepts_a_signed_toy_chain_of_all_models():
    signer = Signer()
    toy = ToyEconomy(seed=11, blocks=40, per_block=25, recorder=Truth(), signer=signer).run()
    with Judge() as judge:
        assert judged(judge, toy.raws) == []
    assert signer.signatures > 1000
    assert len(all_kinds(toy.recorder.scripts)) == 4


@pytest.mark.slow
@pytest.mark.parametrize("holdout", [False, True])
def test_the_kernel_accepts_every_block_of_the_signed_small_world(tmp_path, holdout):
    """And follows its extension: three blocks, then four that win, then the move once more."""
    signer = Signer()
    manifest = simulate(tmp_path / "world", SMALL, 1, holdout=holdout, signer=signer)
    chain, stale = best_chain(tmp_path / "world")
    extension = [(tmp_path / "world/chain/extension" / f"{name}.blk").read_bytes() for name in EXTENSION]
    with Judge() as judge:
        assert judged(judge, chain) == []
        assert display(judge.tip) == manifest.chain.block_hash
        assert judge.submit_all(stale) == [STORED] * 3
        assert judge.submit_all(extension) == [*[VALID] * 3, *[STORED] * 3, *[VALID] * 2]
        assert len(judge.disconnected) == 3
    assert signer.signatures > SMALL.transactions


@pytest.mark.slow
def test_the_kernel_refuses_the_same_chain_unsigned():
    toy = ToyEconomy(seed=11, blocks=1, per_block=2).run()
    first = next(height for height, raw in enumerate(toy.raws) if len(Block.parse(raw).transactions) > 1)
    with Judge() as judge:
        verdicts = judge.submit_all(toy.raws[1 : first + 1])
    assert set(verdicts[:-1]) == {VALID}
    assert "script" in verdicts[-1]


def test_the_product_itself_cannot_sign():
    sources = sorted((Path(cointrail.simulation.__file__).parents[1]).rglob("*.py"))
    assert len(sources) > 50
    assert [path for path in sources if re.search(r"coincurve|libsecp256k1", path.read_text("utf-8"))] == []
