"""Invalid blocks: the kernel names the rule, the tip stays, and the files hold what RELIABILITY 8.1 says."""

from random import Random

import pytest
from judge import Judge
from regtest import INVALID_BLOCKS, obfuscate, prepared_chain, random_chain

from cointrail.bitcoin.block import check_proof_of_work
from cointrail.bitcoin.network import REGTEST
from cointrail.errors import BlockRefused


def stored_bytes(judge: Judge) -> bytes:
    raw = (judge.blocks_folder / "blk00000.dat").read_bytes()
    return obfuscate(raw, (judge.blocks_folder / "xor.dat").read_bytes())


@pytest.mark.parametrize("name", INVALID_BLOCKS)
def test_kernel_gives_the_reason(name):
    case, chain = INVALID_BLOCKS[name], prepared_chain()
    block = case.build(chain)
    with Judge() as judge:
        assert set(judge.submit_all(chain.serialized()[1:])) == {"valid"}
        assert judge.submit(block.serialize()) == case.reason
        assert judge.tip == chain.tip
        judge.close()
        assert (block.serialize() in stored_bytes(judge)) is case.is_stored


@pytest.mark.parametrize("name", INVALID_BLOCKS)
def test_proof_of_work_holds_unless_it_is_the_fault(name):
    header = INVALID_BLOCKS[name].build(prepared_chain()).header
    if name == "bad_proof_of_work":
        with pytest.raises(BlockRefused):
            check_proof_of_work(header, REGTEST)
    else:
        check_proof_of_work(header, REGTEST)


@pytest.mark.parametrize("name", INVALID_BLOCKS)
def test_can_be_built_on_a_random_chain(name):
    chain = random_chain(Random(name), blocks=10, transactions_per_block=20)
    block = INVALID_BLOCKS[name].build(chain)
    with Judge() as judge:
        judge.submit_all(chain.serialized()[1:])
        assert judge.submit(block.serialize()) == INVALID_BLOCKS[name].reason
        assert judge.tip == chain.tip


@pytest.mark.parametrize("name", [name for name, case in INVALID_BLOCKS.items() if case.is_stored])
def test_invalid_block_under_the_longest_headers(name):
    """The branch with most work lies complete in the files, and the kernel stays on the other one."""
    chain = prepared_chain()
    tip = chain.tip
    block = INVALID_BLOCKS[name].build(chain)
    children = [chain.mine(parent=block.header.block_hash), chain.mine(), chain.mine()]
    with Judge() as judge:
        judge.submit_all(chain.serialized(tip)[1:])
        assert all(judge.submit_header(b.header.serialize()) for b in (block, *children))
        assert judge.submit_all([b.serialize() for b in children]) == ["stored"] * 3
        assert judge.submit(block.serialize()) == INVALID_BLOCKS[name].reason
        assert judge.tip == tip
        judge.close()
        stored = stored_bytes(judge)
    assert all(b.serialize() in stored for b in (block, *children))


def test_children_of_a_known_invalid_block_are_refused():
    chain = prepared_chain()
    block = INVALID_BLOCKS["overspend"].build(chain)
    with Judge() as judge:
        judge.submit_all(chain.serialized()[1:])
        judge.submit(block.serialize())
        child = chain.mine(parent=block.header.block_hash)
        assert not judge.submit_header(child.header.serialize())
        assert judge.submit(child.serialize()) == "bad-prevblk"
        assert judge.submit(block.serialize()) == "duplicate-invalid"
