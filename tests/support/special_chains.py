"""Chains made for one purpose: all scripts, very many outputs, a very large witness, and a base for invalid blocks."""

from chain_tree import COINBASE_MATURITY, FINAL_SEQUENCE, RegtestChain
from script_zoo import Form, anyone_can_spend, material, spendable_zoo, zoo

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput, TransactionOutput

TRUE_SCRIPT = b"\x51"


def prepared_chain() -> RegtestChain:
    """A chain of 103 blocks with mature coinbases, an earlier spend, and unspent outputs of every form."""
    chain = RegtestChain()
    chain.mine_empty(COINBASE_MATURITY + 2)
    prevout = chain.spendable()[0]
    scripts = [anyone_can_spend(form).script_pubkey for form in Form]
    outputs = [TransactionOutput(prevout.value_sat // len(scripts), script) for script in scripts]
    chain.mine([chain.spend([prevout], outputs)])
    return chain


def zoo_chain() -> RegtestChain:
    """A chain whose last block but one has outputs to every script of the zoo, and whose last spends what can be spent.

    Each script gets a value and a zero value; both are spent, taproot once with an annex.
    """
    chain = RegtestChain()
    chain.mine_empty(COINBASE_MATURITY + 1)
    prevout = chain.spendable()[0]
    values = [value for number in range(len(zoo())) for value in (1_000 + number, 0)]
    locks = [lock for lock in zoo() for _ in range(2)]
    outputs = [TransactionOutput(value, lock.script_pubkey) for value, lock in zip(values, locks, strict=True)]
    funding = chain.spend([prevout], outputs)
    chain.mine([funding])
    inputs = []
    for vout, lock in enumerate(locks):
        if lock.is_spendable:
            drops = 3 if lock.drops is None else lock.drops
            annex = b"\x50annex" if lock.has_annex and vout % 2 else None
            script_sig, witness = lock.unlock([b"item"] * drops, annex)
            inputs.append(TransactionInput(Outpoint(funding.txid, vout), script_sig, FINAL_SEQUENCE, witness))
    spent = sum(value for value, lock in zip(values, locks, strict=True) if lock.is_spendable)
    chain.mine([Transaction(2, tuple(inputs), (TransactionOutput(spent, TRUE_SCRIPT),), 0)])
    return chain


def mine_many_outputs(chain: RegtestChain, outputs: int = 70_000) -> Block:
    """Build a block with a transaction of that many outputs, all but the last without value.

    Args:
        chain: with a mature output at its tip.
        outputs: up to about 95,000 fit into a block.
    """
    prevout = chain.spendable()[0]
    created = [TransactionOutput(0, TRUE_SCRIPT)] * (outputs - 1) + [TransactionOutput(prevout.value_sat, TRUE_SCRIPT)]
    return chain.mine([chain.spend([prevout], created)])


def mine_many_inputs(chain: RegtestChain, inputs: int = 20_000) -> Block:
    """Build a block that makes that many outputs and one that spends them in one transaction; give the second."""
    fan_out = mine_many_outputs(chain, inputs).transactions[1]
    txid = fan_out.txid
    spenders = tuple(TransactionInput(Outpoint(txid, vout), b"", FINAL_SEQUENCE) for vout in range(inputs))
    return chain.mine([Transaction(2, spenders, (fan_out.outputs[-1],), 0)])


def mine_large_witness(chain: RegtestChain, size: int = 3_990_000) -> Block:
    """Build a block with a prevout and one that spends it with a witness item of that size; give the second.

    No rule limits the item because the Taproot leaf holds an OP_SUCCESS.

    Args:
        chain: with a mature output at its tip.
        size: bytes of the item; the block stays below 4,000,000 weight units.
    """
    lock = next(lock for lock in spendable_zoo() if lock.name == "p2tr-op-success")
    prevout = chain.spendable()[0]
    funding = chain.spend([prevout], [TransactionOutput(prevout.value_sat, lock.script_pubkey)])
    chain.mine([funding])
    script_sig, witness = lock.unlock([material("large witness", size)])
    spender = TransactionInput(Outpoint(funding.txid, 0), script_sig, FINAL_SEQUENCE, witness)
    return chain.mine([Transaction(2, (spender,), (TransactionOutput(prevout.value_sat, TRUE_SCRIPT),), 0)])
