"""Random chains: valid for the kernel, varied, reproducible; and the kernel's own tables equal the builder's."""

from collections import Counter
from hashlib import sha256
from random import Random

import pytest
from judge import Judge, SpentOutput
from regtest import RegtestChain, extend_randomly, forked_chain, random_chain

from cointrail.bitcoin.script import ScriptType, classify


@pytest.fixture(scope="module")
def chain() -> RegtestChain:
    return random_chain(Random("a few hundred blocks"), blocks=240, transactions_per_block=25)


@pytest.fixture(scope="module")
def judge(chain):
    with Judge() as judge:
        judge.submit_all(chain.serialized()[1:])
        yield judge


def test_kernel_accepts_thousands_of_transactions_block_by_block(chain):
    with Judge() as judge:
        for node in chain.branch()[1:]:
            assert judge.submit(node.block.serialize()) == "valid", f"height {node.height}"
            assert judge.tip == node.block_hash
    assert sum(len(node.txids) for node in chain.branch()) > 5_000
    assert chain.height_of(chain.tip) == 340  # two halvings, at 150 and 300


@pytest.mark.parametrize("seed", range(20))
def test_kernel_accepts_many_short_chains(seed):
    chain = random_chain(Random(seed), blocks=5, transactions_per_block=30)
    with Judge() as judge:
        assert set(judge.submit_all(chain.serialized()[1:])) == {"valid"}


def test_kernel_accepts_full_blocks():
    chain = random_chain(Random("full"), blocks=40, transactions_per_block=10)
    extend_randomly(chain, Random("full too"), blocks=1, transactions_per_block=50_000)
    block = chain.nodes[chain.tip].block
    assert 3_000_000 < block.weight < 4_000_000
    with Judge() as judge:
        assert set(judge.submit_all(chain.serialized()[1:])) == {"valid"}


def test_same_seed_same_bytes():
    first, again, other = (
        sha256(b"".join(random_chain(Random(seed), 5, 20, warm_up=102).serialized())).digest() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_kernel_and_builder_agree_on_ids(chain, judge):
    assert judge.active_chain() == chain.block_hashes()
    for node in chain.branch()[::10]:
        expected = [(tx.txid, tx.wtxid) for tx in node.block.transactions]
        assert judge.transaction_ids(node.block_hash) == expected
        assert judge.block_bytes(node.block_hash) == node.block.serialize()


def test_kernel_and_builder_agree_on_spent_outputs(chain, judge):
    created = {}
    for node in chain.branch()[1:]:
        for number, (txid, tx) in enumerate(zip(node.txids, node.block.transactions, strict=True)):
            for vout, output in enumerate(tx.outputs):
                created[txid, vout] = SpentOutput(output.value_sat, output.script_pubkey, node.height, number == 0)
        spent = [[created[i.outpoint.txid, i.outpoint.vout] for i in tx.inputs] for tx in node.block.transactions[1:]]
        assert judge.spent_outputs(node.block_hash) == spent


def test_kernel_and_builder_agree_on_unspent_outputs(chain, judge):
    expected = {(o.txid, o.vout): SpentOutput(*o[2:]) for o in chain.unspent().values()}
    assert judge.unspent() == expected
    assert len(expected) > 1_000


def test_chain_holds_every_shape(chain):
    seen: Counter[str] = Counter()
    scripts: Counter[bytes] = Counter()
    for node in chain.branch()[1:]:
        coinbase, *others = node.block.transactions
        above = chain.nodes[node.parent_hash].block.header
        reward = chain.reward_sat(node.height, others)
        seen["time steps back"] += node.block.header.time < above.time
        seen["unclaimed reward"] += sum(output.value_sat for output in coinbase.outputs) < reward
        seen["nothing claimed"] += sum(output.value_sat for output in coinbase.outputs) == 0
        seen["several coinbase outputs"] += len(coinbase.outputs) > 2
        seen["commitment without need"] += coinbase.has_witness and not any(tx.has_witness for tx in others)
        for tx in others:
            seen["spends from its own block"] += any(i.outpoint.txid in node.txids for i in tx.inputs)
            seen["many inputs"] += len(tx.inputs) > 10
            seen["many outputs"] += len(tx.outputs) > 10
            seen["no fee"] += chain.fee_sat(tx) == 0
            seen["a fee"] += chain.fee_sat(tx) > 0
            seen["zero value"] += any(output.value_sat == 0 for output in tx.outputs)
            seen["no witness"] += not tx.has_witness
            seen["lock time"] += tx.lock_time > 0
            seen["negative version"] += tx.version < 0
            seen["relative lock"] += tx.version >= 2 and any(0 < i.sequence < 0xFFFF for i in tx.inputs)
            seen["annex"] += any(len(i.witness) > 2 and i.witness[-1][:1] == b"\x50" for i in tx.inputs)
            scripts.update(output.script_pubkey for output in tx.outputs)
    assert min(seen.values()) > 0, seen
    assert scripts.most_common(1)[0][1] > 10
    assert {classify(script) for script in scripts} == set(ScriptType)


def test_branches_spend_differently():
    chain, left, right = forked_chain(Random("fork"), common=5, left=4, right=5, transactions_per_block=20)
    left_nodes, right_nodes = chain.branch(left), chain.branch(right)
    assert (len(left_nodes), len(right_nodes)) == (110, 111)
    assert left_nodes[:106] == right_nodes[:106]
    left_ids, right_ids = ({txid for node in nodes[106:] for txid in node.txids} for nodes in (left_nodes, right_nodes))
    assert not left_ids & right_ids
