"""A block that cannot be part of the chain, and the plain reference that says why.

The kernels find *that* a block is bad; the reference in `bitcoin` then names the reason, so every rule has one text.
"""

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.hashes import display, double_sha256
from cointrail.bitcoin.merkle import check_witness_commitment, merkle_root
from cointrail.bitcoin.transaction import check_transaction
from cointrail.errors import BlockRefused, CointrailError
from cointrail.ingest.raw_blocks import RawBlocks

MAX_WEIGHT = 4_000_000


class BadBlock(BlockRefused):
    """A block that cannot be part of the chain.

    Attributes:
        number: its position in the batch.
        damaged: True if the bytes do not fit the header: an undamaged copy may be valid.
    """

    def __init__(self, message: str, number: int, *, damaged: bool) -> None:
        super().__init__(message)
        self.number = number
        self.damaged = damaged


def block_name(blocks: RawBlocks, number: int) -> str:
    """How messages name a block of a batch."""
    header = blocks.raw[blocks.start[number] : blocks.start[number] + 80].tobytes()
    return f"block {display(double_sha256(header))} at height {blocks.first_height + number}"


def name_fault(blocks: RawBlocks, number: int) -> BadBlock:
    """Say what is wrong with a block whose own bytes are at fault."""
    raw = blocks.raw[blocks.start[number] : blocks.end[number]].tobytes()
    reason, damaged = _reason(raw)
    return BadBlock(f"{block_name(blocks, number)} refused: {reason}", number, damaged=damaged)


def _reason(raw: bytes) -> tuple[str, bool]:
    try:
        block = Block.parse(raw)
    except CointrailError as error:
        return str(error), True
    root, mutated = merkle_root([transaction.txid for transaction in block.transactions])
    if root != block.header.merkle_root or mutated:
        return "its transactions do not fit the merkle root in its header", True
    try:
        for transaction in block.transactions:
            check_transaction(transaction)
    except CointrailError as error:
        return str(error), False
    if [transaction.is_coinbase for transaction in block.transactions] != [True] + [False] * (
        len(block.transactions) - 1
    ):
        return "it does not begin with its one coinbase", False
    if block.weight > MAX_WEIGHT:
        return f"its weight {block.weight} is over {MAX_WEIGHT}", False
    try:
        check_witness_commitment(block)
    except CointrailError as error:
        return str(error), True
    return "it carries witnesses before segwit was active", False
