"""Branches: the kernel's best chain is the longer one, and its callbacks show the way there."""

from random import Random

from judge import Judge
from regtest import RegtestChain, extend_randomly, forked_chain


def test_reorg_of_100_blocks_there_and_back():
    chain, left, right = forked_chain(Random("reorg"), common=10, left=100, right=101, transactions_per_block=4)
    left_hashes, right_hashes = chain.block_hashes(left), chain.block_hashes(right)
    fork = 111
    with Judge() as judge:
        judge.submit_all(chain.serialized(left)[1:])
        assert judge.active_chain() == left_hashes
        verdicts = judge.submit_all(chain.serialized(right)[fork:])
        assert verdicts == ["stored"] * 100 + ["valid"]
        assert judge.active_chain() == right_hashes
        assert judge.disconnected == left_hashes[: fork - 1 : -1]
        assert judge.connected[-101:] == right_hashes[fork:]
        assert {judge.verdicts[block_hash] for block_hash in right_hashes[fork:]} == {"valid"}
        assert judge.unspent().keys() == {(o.txid, o.vout) for o in chain.unspent(right)}

        extend_randomly(chain, Random("back"), 2, 4, parent=left)
        assert judge.submit_all(chain.serialized()[len(left_hashes) :]) == ["stored", "valid"]
        assert judge.active_chain() == chain.block_hashes()
        assert len(judge.disconnected) == 201
        assert judge.unspent().keys() == {(o.txid, o.vout) for o in chain.unspent()}


def test_equal_work_keeps_the_branch_seen_first():
    chain = RegtestChain()
    fork = chain.mine_empty(3)[-1].header.block_hash
    first, second = chain.mine(parent=fork), chain.mine(parent=fork)
    assert first != second
    with Judge() as judge:
        judge.submit_all(chain.serialized(fork)[1:])
        assert judge.submit(first.serialize()) == "valid"
        assert judge.submit(second.serialize()) == "stored"
        assert judge.tip == first.header.block_hash


def test_headers_first_blocks_in_any_order():
    chain = RegtestChain()
    chain.mine_empty(50)
    blocks = [node.block for node in chain.branch()[1:]]
    with Judge() as judge:
        assert all(judge.submit_header(block.header.serialize()) for block in blocks)
        Random("order").shuffle(blocks)
        verdicts = judge.submit_all([block.serialize() for block in blocks])
        assert verdicts.count("stored") > 40
        assert judge.active_chain() == chain.block_hashes()
        assert set(judge.verdicts.values()) == {"valid"}


def test_block_without_its_parent_is_refused():
    chain = RegtestChain()
    _, child = chain.mine_empty(2)
    with Judge() as judge:
        assert judge.submit(child.serialize()) == "prev-blk-not-found"
        assert not judge.submit_header(child.header.serialize())


def test_unspent_outputs_of_a_branch_can_be_spent_on_both():
    chain = RegtestChain()
    chain.mine_empty(102)
    fork, prevout = chain.tip, chain.spendable()[0]
    outputs = chain.nodes[fork].block.transactions[0].outputs
    tips = []
    for lock_time in (1, 2):
        chain.mine([chain.spend([prevout], outputs, lock_time=lock_time)], parent=fork)
        tips.append(chain.tip)
        assert prevout.outpoint not in chain.unspent()
    chain.mine(parent=tips[0])
    assert prevout.outpoint in chain.unspent(fork)
    with Judge() as judge:
        judge.submit_all(chain.serialized(tips[1])[1:] + chain.serialized()[104 - 1 :])
        assert judge.active_chain() == chain.block_hashes()
