"""Merkle trees: the root over transactions, branches that prove one of them, and the witness commitment of BIP141.

The tree doubles the last hash of an odd row, so a list with repeated tail hashes can have the root of a shorter one
(CVE-2012-2459); `merkle_root` reports that as Core's `ComputeMerkleRoot` does.
"""

from collections.abc import Sequence

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.hashes import NULL_HASH, display, double_sha256
from cointrail.bitcoin.transaction import Transaction
from cointrail.errors import BlockRefused, InputRefused

_COMMITMENT_HEADER = bytes.fromhex("6a24aa21a9ed")
_COMMITMENT_SIZE = 38


def merkle_root(hashes: Sequence[bytes]) -> tuple[bytes, bool]:
    """Return the root over the hashes and whether the list is mutated.

    Args:
        hashes: txids or wtxids in block order; an empty list has the root of 32 zero bytes, as in Core.

    Returns:
        The root, and True when two hashes that are joined are equal, so that a shorter list has the same root.
    """
    row, mutated = list(hashes), False
    while len(row) > 1:
        mutated = mutated or any(row[i] == row[i + 1] for i in range(0, len(row) - 1, 2))
        row = _next_row(row)
    return (row[0] if row else NULL_HASH), mutated


def merkle_branch(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from one leaf to the root, lowest first.

    Args:
        hashes: all leaves in block order.
        index: which leaf.

    Raises:
        InputRefused: there is no such leaf.
    """
    if not 0 <= index < len(hashes):
        raise InputRefused(f"no leaf {index} among {len(hashes)}")
    row, branch = list(hashes), []
    while len(row) > 1:
        neighbour = min(index ^ 1, len(row) - 1)  # the last hash of an odd row is its own neighbour
        branch.append(row[neighbour])
        row, index = _next_row(row), index >> 1
    return branch


def root_from_branch(leaf: bytes, index: int, branch: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its branch lead to.

    A branch alone does not show that the leaf is a transaction: 64 bytes of two joined hashes can be read as one.
    Whoever verifies a proof hashes the transaction's own bytes and checks that they are not 64 long.

    Args:
        leaf: the txid or wtxid.
        index: position of the leaf, which says at each step on which side it stands.
        branch: hashes as `merkle_branch` gives them.

    Raises:
        InputRefused: no tree with a branch of this length has such a leaf.
    """
    if not 0 <= index < 1 << len(branch):
        raise InputRefused(f"no leaf {index} in a tree of {len(branch)} rows")
    node = leaf
    for neighbour in branch:
        node = double_sha256(neighbour + node if index & 1 else node + neighbour)
        index >>= 1
    return node


def witness_commitment(coinbase: Transaction) -> bytes | None:
    """Return the 32 bytes a coinbase commits to the witnesses with, or None; the last such output counts (BIP141)."""
    for output in reversed(coinbase.outputs):
        script = output.script_pubkey
        if len(script) >= _COMMITMENT_SIZE and script.startswith(_COMMITMENT_HEADER):
            return script[len(_COMMITMENT_HEADER) : _COMMITMENT_SIZE]
    return None


def check_witness_commitment(block: Block) -> None:
    """Check a block's witnesses against its coinbase (Core `CheckWitnessMalleation`).

    To be asked from the network's `segwit_height` on: earlier blocks may carry a commitment nobody checked.

    Raises:
        BlockRefused: naming the block and Core's reject reason.
    """
    name = display(block.block_hash)
    if not block.transactions or not block.transactions[0].inputs:
        raise BlockRefused(f"block {name} refused: bad-cb-missing (no coinbase)")
    coinbase = block.transactions[0]
    commitment = witness_commitment(coinbase)
    if commitment is None:
        if any(transaction.has_witness for transaction in block.transactions):
            raise BlockRefused(f"block {name} refused: unexpected-witness (no commitment in the coinbase)")
        return
    reserved = coinbase.inputs[0].witness
    if len(reserved) != 1 or len(reserved[0]) != 32:
        raise BlockRefused(f"block {name} refused: bad-witness-nonce-size (one item of 32 bytes is needed)")
    # The coinbase cannot commit to its own witness, so its leaf is zero.
    leaves = [NULL_HASH, *(transaction.wtxid for transaction in block.transactions[1:])]
    if double_sha256(merkle_root(leaves)[0] + reserved[0]) != commitment:
        raise BlockRefused(f"block {name} refused: bad-witness-merkle-match (commitment does not fit the witnesses)")


def _next_row(row: list[bytes]) -> list[bytes]:
    if len(row) % 2:
        row = [*row, row[-1]]
    return [double_sha256(row[i] + row[i + 1]) for i in range(0, len(row), 2)]
