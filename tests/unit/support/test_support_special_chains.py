"""All scripts, very many outputs and inputs, a very large witness: the kernel accepts each."""

import pytest
from judge import Judge
from regtest import mine_large_witness, mine_many_inputs, mine_many_outputs, prepared_chain, zoo, zoo_chain


def test_kernel_accepts_the_script_zoo():
    chain = zoo_chain()
    with Judge() as judge:
        assert set(judge.submit_all(chain.serialized()[1:])) == {"valid"}
        left = {output.script_pubkey for output in judge.unspent().values()}
        assert left >= {lock.script_pubkey for lock in zoo() if lock.is_kept and not lock.is_spendable}
        assert not left & {lock.script_pubkey for lock in zoo() if not lock.is_kept}
        spent = judge.spent_outputs(chain.tip)[0]
    assert {output.script_pubkey for output in spent} == {lock.script_pubkey for lock in zoo() if lock.is_spendable}


def test_kernel_accepts_70000_outputs():
    chain = prepared_chain()
    block = mine_many_outputs(chain, 70_000)
    assert len(block.transactions[1].outputs) == 70_000
    spender = chain.spendable()[-1]
    assert spender.vout == 69_999
    chain.mine([chain.spend([spender], block.transactions[1].outputs[-1:])])
    with Judge() as judge:
        assert set(judge.submit_all(chain.serialized()[1:])) == {"valid"}
        assert judge.spent_outputs(chain.tip)[0][0].value_sat == spender.value_sat


@pytest.mark.parametrize("mine", [mine_many_inputs, mine_large_witness])
def test_kernel_accepts_blocks_near_the_weight_limit(mine):
    chain = prepared_chain()
    block = mine(chain)
    assert 3_200_000 < block.weight <= 4_000_000
    with Judge() as judge:
        assert set(judge.submit_all(chain.serialized()[1:])) == {"valid"}
