"""The economy as a chain: every block is sound, value is conserved, and the same seed gives the same bytes."""

import gc
import hashlib
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from ingest_runs import build
from simulated_economy import TINY, Kept, Simulated, simulate, simulated, spends

from cointrail.bitcoin.amounts import subsidy_sat
from cointrail.bitcoin.block import Block, check_proof_of_work, median_time_past
from cointrail.bitcoin.merkle import check_witness_commitment, merkle_root
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import MAX_BLOCK_WEIGHT, check_transaction
from cointrail.ledger.verify import verify
from cointrail.simulation.chain import PRELUDE_BLOCKS, START_TIME, Chain
from cointrail.simulation.economy import Economy
from cointrail.simulation.keys import Script
from cointrail.simulation.models import HOLDOUT_MODELS, MODELS
from cointrail.simulation.scale import SMALL
from cointrail.simulation.world import World

KINDS = set(
    """coinbase payment undercover withdrawal batch_withdrawal deposit deposit_sweep cold_move market_sweep
    consolidation peel_step self_transfer bet payout mixer_in mixer_out coinjoin_tx0 coinjoin payjoin""".split()  # noqa: SIM905
)
BOTH = pytest.mark.parametrize("holdout", [False, True], ids=["everyday", "holdout"])

DIGEST = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from simulated_economy import SMALL, replace, simulate
run = simulate(replace(SMALL, transactions=4_000, weeks=10), seed=5)
print(hashlib.sha256(b"".join(run.raw)).hexdigest())
print(hashlib.sha256(repr(run.links).encode()).hexdigest())
"""


@BOTH
def test_every_block_is_sound(holdout):
    run = simulated(holdout=holdout)
    blocks = [Block.parse(raw) for raw in run.raw]
    times: list[int] = []
    earlier = 0
    for height, block in enumerate(blocks):
        check_proof_of_work(block.header, REGTEST)
        check_witness_commitment(block)
        for transaction in block.transactions:
            check_transaction(transaction)
        root, mutated = merkle_root([transaction.txid for transaction in block.transactions])
        assert (root, mutated) == (block.header.merkle_root, False)
        assert block.weight <= MAX_BLOCK_WEIGHT
        if height:
            assert block.header.previous_hash == blocks[height - 1].block_hash
            assert block.header.time > median_time_past(times)
            earlier += height > PRELUDE_BLOCKS and block.header.time < times[-1]
        times.append(block.header.time)
    after = len(blocks) - 1 - PRELUDE_BLOCKS
    assert after == TINY.blocks
    assert times[PRELUDE_BLOCKS] == START_TIME
    assert after // 100 < earlier < after // 25, "about one block in fifty is earlier than the one before"


@BOTH
def test_every_block_conserves_value_and_waits_for_coinbases(holdout):
    """An independent walk: values and heights come from the bytes, nothing from the generator."""
    run = simulated(holdout=holdout)
    unspent: dict[tuple[bytes, int], tuple[int, int, bool]] = {}
    modest = 0
    for height, raw in enumerate(run.raw):
        fees = 0
        transactions = Block.parse(raw).transactions
        for transaction in transactions[1:]:
            spent = [unspent.pop((each.outpoint.txid, each.outpoint.vout)) for each in transaction.inputs]
            assert all(not coinbase or height - born >= 100 for _, born, coinbase in spent)
            fee = sum(value for value, _, _ in spent) - sum(output.value_sat for output in transaction.outputs)
            assert fee > 0
            fees += fee
            _add(unspent, transaction, height)
        allowed = subsidy_sat(height, REGTEST.halving_interval) + fees
        claimed = sum(output.value_sat for output in transactions[0].outputs)
        assert claimed <= allowed
        modest += claimed < allowed
        if height:
            _add(unspent, transactions[0], height)
    assert modest > 5, "some coinbases claim less than they may"
    held = [coin for wallet in run.world.wallets for coin in (*wallet.coins.values(), *wallet.maturing)]
    lost = sum(value for value, _, _ in unspent.values()) - sum(coin.value_sat for coin in held)
    assert 0 <= lost < 1_000_000, "but for crumbs of miners, wallets hold what is unspent"


def _add(unspent, transaction, height):
    txid = transaction.txid
    for vout, output in enumerate(transaction.outputs):
        unspent[txid, vout] = (output.value_sat, height, transaction.is_coinbase)


@BOTH
def test_what_was_recorded_is_what_stands_in_the_blocks(holdout):
    run = simulated(holdout=holdout)
    chain = {each.txid: each for each in spends(holdout=holdout)}
    recorded = [each for each in run.kept.sents if each.inputs]
    assert len(recorded) == len(chain)
    known = {script.script_pubkey: script for script in run.kept.scripts}
    assert len(known) == len(run.kept.scripts), "no script was made twice"
    entities = {entity.entity_id for entity in run.kept.entities}
    for sent in recorded:
        seen = chain[sent.txid]
        assert (seen.height, seen.position) == (sent.height, sent.position)
        assert [(coin.value_sat, coin.script.script_pubkey) for coin in sent.inputs] == list(seen.inputs)
        outputs = [(payment.value_sat, payment.script.script_pubkey) for payment in sent.outputs]
        assert outputs + [(0, sent.data)] * bool(sent.data) == list(seen.outputs)
        assert sent.fee_sat == sum(value for value, _ in seen.inputs) - sum(value for value, _ in seen.outputs)
        assert sent.kind in KINDS
        for script in (*(coin.script for coin in sent.inputs), *(payment.script for payment in sent.outputs)):
            assert known[script.script_pubkey] is script
            assert script.entity_id in entities
    assert sum(each.kind == "coinbase" for each in run.kept.sents) == len(run.raw) - 1


def test_a_chain_has_about_as_many_transactions_as_its_scale_says():
    for run in (simulated(), simulated(holdout=True), simulated(2), simulate(SMALL, seed=3)):
        aimed = run.economy.scale.transactions
        counted = run.world.transactions + len(run.raw)
        assert abs(counted - aimed) <= aimed // 10


def test_the_same_seed_gives_the_same_bytes_in_any_process():
    folder = str(Path(__file__).parents[2] / "support")
    printed = set()
    for hash_seed in ("0", "1", "4294967295"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST, folder], env=environment, capture_output=True, text=True, check=True
        )
        printed.add(done.stdout)
    assert len(printed) == 1
    other = simulate(replace(SMALL, transactions=4_000, weeks=10), seed=6)
    assert hashlib.sha256(b"".join(other.raw)).hexdigest() not in printed.pop()


def test_what_is_recorded_changes_nothing():
    raw: list[bytes] = []
    world = World(1, Chain(1, TINY.spacing, lambda block: raw.append(block.raw)))
    Economy(world, TINY).run()
    assert raw == simulated().raw


def test_without_a_recorder_only_live_coins_keep_their_scripts():
    """Nothing grows with the chain: what is left are scripts of coins, of accounts, and a few a wallet."""
    world = World(7, Chain(7, SMALL.spacing, lambda block: None))
    gc.collect()
    before = sum(isinstance(each, Script) for each in gc.get_objects())
    Economy(world, SMALL).run()
    gc.collect()
    alive = sum(isinstance(each, Script) for each in gc.get_objects()) - before
    coins = sum(len(wallet.coins) + len(wallet.maturing) for wallet in world.wallets)
    made = sum(wallet.made for wallet in world.wallets)
    assert all(wallet.scripts is None for wallet in world.wallets)
    assert alive <= coins + 6 * len(world.wallets) + SMALL.merchant_addresses + 100
    assert alive < made // 5


def test_people_use_all_models_and_the_holdout_only_others():
    def people(run: Simulated) -> Counter[str]:
        homes = {person.wallet.number for person in run.economy.people.everybody}
        models = {wallet.number: wallet.model.name for wallet in run.kept.wallets}
        spent = (coin.script.wallet_id for sent in run.kept.sents for coin in sent.inputs)
        return Counter(models[number] for number in spent if number in homes)

    everyday, holdout = people(simulated()), people(simulated(holdout=True))
    assert set(everyday) == {model.name for model in MODELS}
    assert set(holdout) == {model.name for model in HOLDOUT_MODELS}
    assert min(everyday.values()) > 100
    services = [{wallet.model.name for wallet in run.kept.wallets} for run in (simulated(), simulated(holdout=True))]
    assert not services[0] & services[1], "services too have other programs"


def test_a_grant_is_paid_in_the_prelude_and_the_agenda_keeps_its_order():
    kept = Kept()
    world = World(3, Chain(3, 4 * 3_600, lambda block: None), kept)
    economy = Economy(world, replace(SMALL, transactions=2_500, weeks=3))
    wallet = world.add_wallet(world.add_entity("Guest", "buyer", "XH"), MODELS[0], "guest")
    economy.grant(world.new_script(wallet), 123_456_789)
    done: list[tuple[int, str]] = []
    economy.schedule(430, lambda: done.append((world.chain.height, "b")))
    economy.schedule(430, lambda: done.append((world.chain.height, "c")))
    economy.at_time(24 * 3_600, lambda: done.append((world.chain.height, "a")))
    economy.run()
    assert done == [(406, "a"), (430, "b"), (430, "c")]
    assert world.chain.height - 1 == economy.last_height == 400 + 3 * 7 * 6
    (coin,) = wallet.coins.values()
    assert coin.value_sat == 123_456_789
    assert coin.height <= PRELUDE_BLOCKS
    assert wallet.scripts == [coin.script], "a wallet of the plot keeps its scripts"


@BOTH
def test_the_page_shows_what_the_command_prints(holdout):
    root = Path(__file__).parents[3]
    words = ["small", "1", "holdout"] if holdout else ["small", "1"]
    script = root / "benchmarks" / "simulator_shape.py"
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, check=True)
    page = (root / "docs" / "explanation" / "the-simulator.md").read_text().splitlines()
    printed = done.stdout.splitlines()
    assert len(printed) > 10
    assert [row for row in printed if not any(line.startswith(row) for line in page)] == []


@pytest.mark.slow
def test_the_product_ingests_the_chain_and_refuses_nothing(tmp_path):
    run = simulated()
    report = build(tmp_path, run.raw)
    assert report.complete
    assert report.refused == report.gaps == []
    assert report.blocks == len(run.raw)
    assert report.transactions == run.world.transactions + len(run.raw)
    assert verify(tmp_path / "ledger") == []
