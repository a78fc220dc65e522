"""Blocks that break one rule each, with valid proof of work unless that is the rule.

Every function builds on `parent` (by default the tip), leaves the tip where it is, and adds the block to the tree so
that children can be built on it. `INVALID_BLOCKS` says what the kernel answers and whether the block nevertheless
lies in the block files. `prepared_chain` has what all of them need: mature outputs, one of them with a witness, and
an earlier spend.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chain_tree import RegtestChain, UnspentOutput, grind
from script_zoo import locked_zoo, material

from cointrail.bitcoin.amounts import MAX_MONEY
from cointrail.bitcoin.block import Block
from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput, TransactionOutput

TRUE_SCRIPT = b"\x51"


@dataclass(frozen=True, slots=True)
class InvalidBlock:
    """What to expect from one kind of invalid block.

    Attributes:
        build: makes the block on a chain.
        reason: Core's reject reason.
        is_stored: whether the kernel writes it to the block files before it finds the fault.
    """

    build: Callable[..., Block]
    reason: str
    is_stored: bool


def missing_input(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Spend an output that was never made."""
    invented = TransactionInput(Outpoint(material("missing", 32), 0), b"", 0xFFFFFFFF)
    return _mine(chain, parent, Transaction(2, (invented,), (_pay(1),), 0))


def double_spend_in_block(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Spend one output in two transactions of the block."""
    prevout = _prevout(chain, parent)
    first, second = (chain.spend([prevout], [_pay(prevout.value_sat - fee)]) for fee in (0, 1))
    return _mine(chain, parent, first, second)


def double_spend_of_spent(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Spend what an earlier block of the branch has spent."""
    spent = next((tx for node in chain.branch(parent)[::-1] for tx in node.block.transactions[1:]), None)
    if spent is None:
        raise ValueError("no block of this branch spends anything yet")
    return _mine(chain, parent, replace(spent, outputs=(_pay(0),), lock_time=0))


def spend_before_creation(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Put a transaction before the one that it spends from."""
    prevout = _prevout(chain, parent)
    first = chain.spend([prevout], [_pay(prevout.value_sat)])
    created = UnspentOutput(first.txid, 0, prevout.value_sat, TRUE_SCRIPT, 0, is_coinbase=False)
    second = chain.spend([created], [_pay(0)])
    return _mine(chain, parent, second, first)


def overspend(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Pay one satoshi more than the inputs hold."""
    prevout = _prevout(chain, parent)
    return _mine(chain, parent, chain.spend([prevout], [_pay(prevout.value_sat + 1)]))


def immature_coinbase(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Spend a coinbase output one block too early."""
    prevout = chain.spendable(parent, mature=False)[0]
    return _mine(chain, parent, chain.spend([prevout], [_pay(prevout.value_sat)]))


def coinbase_claims_too_much(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Claim one satoshi more than subsidy and fees."""
    height = chain.height_of(parent or chain.tip) + 1
    return chain.mine(parent=parent, claim_sat=chain.reward_sat(height, ()) + 1, move_tip=False)


def failing_script(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Spend what nobody can spend: every value is right, only a script fails."""
    locked = next(lock for lock in locked_zoo() if lock.name == "p2pkh")
    prevout = _prevout(chain, parent)
    funding = chain.spend([prevout], [TransactionOutput(prevout.value_sat, locked.script_pubkey)])
    spender = TransactionInput(Outpoint(funding.txid, 0), b"", 0xFFFFFFFF)
    return _mine(chain, parent, funding, Transaction(2, (spender,), (_pay(prevout.value_sat),), 0))


def relative_lock_not_passed(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Spend an output with a sequence that asks for more blocks than have passed (BIP68)."""
    prevout = _prevout(chain, parent)
    blocks = chain.height_of(parent or chain.tip) + 2 - prevout.height
    return _mine(chain, parent, chain.spend([prevout], [_pay(0)], sequences=[blocks]))


def lock_time_not_passed(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Include a transaction whose lock time is the block's own height."""
    prevout, height = _prevout(chain, parent), chain.height_of(parent or chain.tip) + 1
    return _mine(chain, parent, chain.spend([prevout], [_pay(0)], sequences=[0xFFFFFFFE], lock_time=height))


def duplicate_input(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Spend one output twice in a transaction (CVE-2018-17144)."""
    prevout = _prevout(chain, parent)
    return _mine(chain, parent, chain.spend([prevout, prevout], [_pay(prevout.value_sat)]))


def value_too_large(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Pay more than MAX_MONEY in one output."""
    return _mine(chain, parent, chain.spend([_prevout(chain, parent)], [_pay(MAX_MONEY + 1)]))


def value_sum_overflow(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Pay twice 92,233,720,368.54277039 BTC, which wraps a signed sum of 64 bits (CVE-2010-5139)."""
    return _mine(chain, parent, chain.spend([_prevout(chain, parent)], [_pay(9_223_372_036_854_277_039)] * 2))


def total_too_large(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Pay MAX_MONEY twice: each output is allowed, the sum is not."""
    return _mine(chain, parent, chain.spend([_prevout(chain, parent)], [_pay(MAX_MONEY)] * 2))


def negative_value(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Pay minus one satoshi."""
    return _mine(chain, parent, chain.spend([_prevout(chain, parent)], [_pay(2**64 - 1)]))


def wrong_merkle_root(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """State a merkle root that is not the transactions'; the tree has the true block."""
    block = chain.mine(parent=parent, move_tip=False)
    return replace(block, header=grind(replace(block.header, merkle_root=material("root", 32))))


def repeated_transactions(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Repeat the last transaction, which keeps merkle root and hash (CVE-2012-2459); the tree has the true block."""
    pair = [chain.spend([prevout], [_pay(prevout.value_sat)]) for prevout in chain.spendable(parent)[:2]]
    block = chain.mine(pair, parent=parent, move_tip=False)
    return replace(block, transactions=(*block.transactions, block.transactions[-1]))


def bad_witness_commitment(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Commit to other witnesses than those of the block."""
    tx, commitment = _witness_spend(chain, parent), material("commitment", 32)
    return chain.mine([tx], parent=parent, commitment=commitment, move_tip=False)


def missing_witness_commitment(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Include a witness without any commitment."""
    return chain.mine([_witness_spend(chain, parent)], parent=parent, commitment=False, move_tip=False)


def bad_proof_of_work(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """Miss the target; the tree has the true block."""
    block = chain.mine(parent=parent, move_tip=False)
    return replace(block, header=grind(block.header, valid=False))


def wrong_coinbase_height(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """State the height of the next block in the coinbase (BIP34)."""
    height = chain.height_of(parent or chain.tip) + 1
    return chain.mine(parent=parent, coinbase_height=height + 1, move_tip=False)


def time_too_old(chain: RegtestChain, parent: bytes | None = None) -> Block:
    """State the median time past itself, which is one second too early."""
    return chain.mine(parent=parent, time=chain.median_time_past(parent), move_tip=False)


INVALID_BLOCKS: dict[str, InvalidBlock] = {
    build.__name__: InvalidBlock(build, reason, is_stored)
    for build, reason, is_stored in (
        (missing_input, "bad-txns-inputs-missingorspent", True),
        (double_spend_in_block, "bad-txns-inputs-missingorspent", True),
        (double_spend_of_spent, "bad-txns-inputs-missingorspent", True),
        (spend_before_creation, "bad-txns-inputs-missingorspent", True),
        (overspend, "bad-txns-in-belowout", True),
        (immature_coinbase, "bad-txns-premature-spend-of-coinbase", True),
        (coinbase_claims_too_much, "bad-cb-amount", True),
        (failing_script, "block-script-verify-flag-failed", True),
        (relative_lock_not_passed, "bad-txns-nonfinal", True),
        (lock_time_not_passed, "bad-txns-nonfinal", False),
        (duplicate_input, "bad-txns-inputs-duplicate", False),
        (value_too_large, "bad-txns-vout-toolarge", False),
        (value_sum_overflow, "bad-txns-vout-toolarge", False),
        (total_too_large, "bad-txns-txouttotal-toolarge", False),
        (negative_value, "bad-txns-vout-negative", False),
        (wrong_merkle_root, "bad-txnmrklroot", False),
        (repeated_transactions, "bad-txns-duplicate", False),
        (bad_witness_commitment, "bad-witness-merkle-match", False),
        (missing_witness_commitment, "unexpected-witness", False),
        (bad_proof_of_work, "high-hash", False),
        (wrong_coinbase_height, "bad-cb-height", False),
        (time_too_old, "time-too-old", False),
    )
}


def _mine(chain: RegtestChain, parent: bytes | None, *transactions: Transaction) -> Block:
    """A block beside the tip that claims no fees."""
    height = chain.height_of(parent or chain.tip) + 1
    return chain.mine(transactions, parent=parent, claim_sat=chain.reward_sat(height, ()), move_tip=False)


def _prevout(chain: RegtestChain, parent: bytes | None) -> UnspentOutput:
    """The oldest output with a value that a block may spend."""
    return next(output for output in chain.spendable(parent) if output.value_sat > 1)


def _pay(value_sat: int) -> TransactionOutput:
    return TransactionOutput(value_sat, TRUE_SCRIPT)


def _witness_spend(chain: RegtestChain, parent: bytes | None) -> Transaction:
    """A transaction with a witness."""
    prevout = next((o for o in chain.spendable(parent) if chain.locks[o.script_pubkey].witness), None)
    if prevout is None:
        raise ValueError("no unspent output of this branch needs a witness")
    return chain.spend([prevout], [_pay(0)])
