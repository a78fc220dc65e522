"""Chains of our own in which a coinbase comes again, byte for byte: two transactions of one txid (BIP30)."""

from collections.abc import Sequence

from chain_tree import BITS, BLOCK_INTERVAL, COINBASE_OUTPOINT, FINAL_SEQUENCE, Node, RegtestChain, UnspentOutput, grind

from cointrail.bitcoin.block import Block, BlockHeader
from cointrail.bitcoin.merkle import merkle_root
from cointrail.bitcoin.transaction import Transaction, TransactionInput, TransactionOutput

COIN = 100_000_000
TRUE_SCRIPT = b"\x51"

# The reward halves every 150 blocks: what is claimed here may be claimed at every height used.
SHARES = (7 * COIN, 0, 5 * COIN)


def coinbase(tag: bytes, shares: Sequence[int] = SHARES) -> Transaction:
    """A coinbase whose id depends on nothing but its arguments."""
    spender = TransactionInput(COINBASE_OUTPOINT, b"\x04" + tag, FINAL_SEQUENCE)
    return Transaction(1, (spender,), tuple(TransactionOutput(value, TRUE_SCRIPT) for value in shares), 0)


TWIN = coinbase(b"twin")


def mine(chain: RegtestChain, first: Transaction, others: Sequence[Transaction] = ()) -> None:
    """Put a block with this very coinbase on the tip."""
    above = chain.nodes[chain.tip]
    txids = (first.txid, *(tx.txid for tx in others))
    time = above.block.header.time + BLOCK_INTERVAL
    header = BlockHeader(0x20000000, above.block_hash, merkle_root(txids)[0], time, BITS, 0)
    block = Block(grind(header), (first, *others))
    chain.tip = block.header.block_hash
    chain.nodes[chain.tip] = Node(block, chain.tip, above.block_hash, above.height + 1, txids)


def fill(chain: RegtestChain, blocks: int, tag: bytes = b"") -> None:
    """Blocks with a coinbase of their own each; another tag makes other blocks."""
    for _ in range(blocks):
        mine(chain, coinbase(tag + chain.height_of(chain.tip).to_bytes(4, "little"), (1,)))


def output_of(tx: Transaction, vout: int) -> UnspentOutput:
    """An output of a coinbase made here, to be spent."""
    return UnspentOutput(tx.txid, vout, tx.outputs[vout].value_sat, TRUE_SCRIPT, 0, is_coinbase=True)


def spend(chain: RegtestChain, tx: Transaction, *vouts: int) -> Transaction:
    """Spend outputs of a coinbase made here; the same arguments give the same txid."""
    prevouts = [output_of(tx, vout) for vout in vouts]
    total = sum(prevout.value_sat for prevout in prevouts)
    return chain.spend(prevouts, [TransactionOutput(total, b"\x52"), TransactionOutput(0, b"\x53")], version=1)
