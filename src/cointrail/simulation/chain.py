"""The chain being written: transactions wait in creation order, blocks are made of them, records go to a sink.

Blocks carry BIP34 heights, a witness commitment, merkle roots and regtest proof of work. About one block in fifty has a
time below its predecessor's, yet above the median time past; some coinbases claim less than they may.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cointrail.bitcoin.amounts import subsidy_sat
from cointrail.bitcoin.block import median_time_past
from cointrail.bitcoin.encoding import write_compact_size
from cointrail.bitcoin.hashes import double_sha256
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import MAX_BLOCK_WEIGHT
from cointrail.simulation.stream import Stream
from cointrail.simulation.transactions import Built

PRELUDE_BLOCKS = 400
PRELUDE_SPACING = 600
START_TIME = 1_704_067_200
"""2024-01-01T00:00:00Z, when the prelude ends."""

GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51"
    "323a9fb8aa4b1e5e4adae5494dffff7f20020000000101000000010000000000000000000000000000000000000000000000000000000000000000"
    "ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f662073"
    "65636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828"
    "e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)

_BITS = (0x207FFFFF).to_bytes(4, "little")
_TARGET = 0x7FFFFF << 232
_COMMITMENT = bytes.fromhex("6a24aa21a9ed")
_CROWDED_WEIGHT = MAX_BLOCK_WEIGHT // 2
_HEADER_WEIGHT = 4 * (80 + 5)  # with a count of transactions of any length
_VERSION = (0x20000000).to_bytes(4, "little")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A finished block.

    Attributes:
        raw: its bytes; block_hash; height; time.
    """

    raw: bytes
    block_hash: bytes
    height: int
    time: int


class Chain:
    """Regtest chain under construction.

    Args:
        seed: the world's seed.
        spacing: seconds between blocks after the prelude.
        sink: is given every block, the genesis block first.
    """

    def __init__(self, seed: int, spacing: int, sink: Callable[[Block], None]) -> None:
        self.spacing, self._sink = spacing, sink
        self._stream = Stream(seed, "blocks")
        self._tip = double_sha256(GENESIS[:80])
        self.times = [int.from_bytes(GENESIS[68:72], "little")]
        """Time of every finished block, by height."""
        self.height = 1
        """Height of the block that is being filled."""
        self._waiting: list[Built] = []
        self._fees = 0
        self.weight = 0
        """Weight of the transactions in the block that is being filled, without the coinbase."""
        sink(Block(GENESIS, self._tip, 0, self.times[0]))

    @property
    def time(self) -> int:
        """Scheduled time of the block that is being filled."""
        if self.height <= PRELUDE_BLOCKS:
            return START_TIME - (PRELUDE_BLOCKS - self.height) * PRELUDE_SPACING
        return START_TIME + (self.height - PRELUDE_BLOCKS) * self.spacing

    @property
    def waiting(self) -> int:
        """Transactions in the block that is being filled, without the coinbase."""
        return len(self._waiting)

    @property
    def crowded(self) -> bool:
        """True when what can wait should wait for another block. Only chains for benchmarks are ever that full."""
        return self.weight > _CROWDED_WEIGHT

    def add(self, transaction: Built, fee_sat: int) -> None:
        """Take a transaction into the block; what it spends must stand before it."""
        self._waiting.append(transaction)
        self._fees += fee_sat
        self.weight += transaction.weight

    def mine(self, outputs: Callable[[int], Sequence[tuple[bytes, int]]]) -> tuple[Block, Built]:
        """Finish the block.

        Args:
            outputs: given subsidy + fees, says what the coinbase pays as (scriptPubKey, value).

        Returns:
            The block and its coinbase.
        """
        reward = subsidy_sat(self.height, REGTEST.halving_interval) + self._fees
        coinbase = make_coinbase(self.height, outputs(reward), [each.wtxid for each in self._waiting])
        assert self.weight + coinbase.weight + _HEADER_WEIGHT <= MAX_BLOCK_WEIGHT, "a block is too heavy"
        time = self._block_time()
        block = assemble(self._tip, self.height, time, [coinbase, *self._waiting])
        self._sink(block)
        self._tip = block.block_hash
        self.times.append(time)
        self.height += 1
        self._waiting, self._fees, self.weight = [], 0, 0
        return block, coinbase

    def _block_time(self) -> int:
        earliest = median_time_past(self.times[-11:]) + 1
        time = self.time
        if self.height > PRELUDE_BLOCKS and self._stream.chance(1, 50):
            time = self.times[-1] - self._stream.between(1, 30)
        return max(time, earliest)


def assemble(previous: bytes, height: int, time: int, transactions: Sequence[Built]) -> Block:
    """A block with proof of work, from the hash before it and its transactions, the coinbase first."""
    root = _merkle_root([each.txid for each in transactions])
    start = _VERSION + previous + root + time.to_bytes(4, "little") + _BITS
    for nonce in range(1 << 32):
        header = start + nonce.to_bytes(4, "little")
        block_hash = hashlib.sha256(hashlib.sha256(header).digest()).digest()
        if int.from_bytes(block_hash, "little") <= _TARGET:
            break
    raw = b"".join((header, write_compact_size(len(transactions)), *(each.raw for each in transactions)))
    return Block(raw, block_hash, height, time)


def _merkle_root(row: list[bytes]) -> bytes:
    sha256 = hashlib.sha256
    while len(row) > 1:
        if len(row) % 2:
            row.append(row[-1])
        row = [sha256(sha256(row[i] + row[i + 1]).digest()).digest() for i in range(0, len(row), 2)]
    return row[0]


def make_coinbase(
    height: int, outputs: Sequence[tuple[bytes, int]], wtxids: list[bytes], extra_nonce: int = 0
) -> Built:
    """A coinbase with the height (BIP34) and a commitment to the witnesses (BIP141)."""
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    script_sig = bytes((0x50 + height,)) if height <= 16 else bytes((len(number),)) + number
    script_sig += bytes((extra_nonce,))
    reserved = bytes(32)
    commitment = double_sha256(_merkle_root([bytes(32), *wtxids]) + reserved)
    parts = [b"\x01", bytes(32), b"\xff\xff\xff\xff", bytes((len(script_sig),)), script_sig, b"\xff\xff\xff\xff"]
    parts.append(write_compact_size(len(outputs) + 1))
    for script_pubkey, value_sat in (*outputs, (_COMMITMENT + commitment, 0)):
        parts += (value_sat.to_bytes(8, "little"), write_compact_size(len(script_pubkey)), script_pubkey)
    body, version, tail = b"".join(parts), b"\x02\x00\x00\x00", bytes(4)
    stripped = version + body + tail
    raw = version + b"\x00\x01" + body + b"\x01\x20" + reserved + tail
    return Built(raw, double_sha256(stripped), double_sha256(raw), 3 * len(stripped) + len(raw))


def commitment_of(coinbase: Built) -> bytes:
    """The script of a coinbase's last output, which commits to the witnesses."""
    return coinbase.raw[-76:-38]
