"""Blocks and headers: values, bytes, proof of work and time.

Compact targets follow Core `arith_uint256::SetCompact`, work `GetBlockProof`, the median `GetMedianTimePast` (BIP113).
Whether the merkle root fits the transactions is asked in `cointrail.bitcoin.merkle`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cointrail.bitcoin.encoding import Cursor, write_compact_size
from cointrail.bitcoin.hashes import display, double_sha256
from cointrail.bitcoin.network import Network
from cointrail.bitcoin.transaction import SMALLEST_TRANSACTION, WITNESS_SCALE, Transaction, read_transaction
from cointrail.errors import BlockRefused, InputRefused

HEADER_SIZE = 80
MEDIAN_TIME_SPAN = 11


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """The 80 bytes that are hashed: they commit to the previous block and to the transactions."""

    version: int
    previous_hash: bytes
    merkle_root: bytes
    time: int
    bits: int
    nonce: int

    @classmethod
    def parse(cls, raw: bytes) -> "BlockHeader":
        """Read a header from exactly 80 bytes.

        Raises:
            EncodingError: fewer or more bytes.
        """
        cursor = Cursor(raw)
        header = _read_header(cursor)
        cursor.finish("block header")
        return header

    def serialize(self) -> bytes:
        """Return the header's 80 bytes."""
        return b"".join(
            (
                self.version.to_bytes(4, "little", signed=True),
                self.previous_hash,
                self.merkle_root,
                self.time.to_bytes(4, "little"),
                self.bits.to_bytes(4, "little"),
                self.nonce.to_bytes(4, "little"),
            )
        )

    @property
    def block_hash(self) -> bytes:
        """Double SHA-256 of the header, internal order."""
        return double_sha256(self.serialize())


@dataclass(frozen=True, slots=True)
class Block:
    """A header and its transactions, the coinbase first."""

    header: BlockHeader
    transactions: tuple[Transaction, ...]

    @classmethod
    def parse(cls, raw: bytes) -> "Block":
        """Read a block that fills `raw` to its last byte.

        Raises:
            EncodingError: the bytes are not one block and nothing else.
        """
        cursor = Cursor(raw)
        header = _read_header(cursor)
        count = cursor.count("transactions", SMALLEST_TRANSACTION)
        block = cls(header, tuple(read_transaction(cursor) for _ in range(count)))
        cursor.finish("block")
        return block

    def serialize(self, *, witness: bool = True) -> bytes:
        """Return the block's bytes, with or without the witnesses."""
        parts = [self.header.serialize(), write_compact_size(len(self.transactions))]
        parts += [transaction.serialize(witness=witness) for transaction in self.transactions]
        return b"".join(parts)

    @property
    def block_hash(self) -> bytes:
        """Hash of the header, internal order."""
        return self.header.block_hash

    @property
    def size(self) -> int:
        """Bytes with witnesses."""
        return len(self.serialize())

    @property
    def base_size(self) -> int:
        """Bytes without witnesses."""
        return len(self.serialize(witness=False))

    @property
    def weight(self) -> int:
        """Weight of BIP141."""
        return (WITNESS_SCALE - 1) * self.base_size + self.size


def target(bits: int) -> int:
    """Return the number a block hash must not exceed.

    Args:
        bits: the compact form: one byte of length, three of mantissa with a sign bit.

    Raises:
        InputRefused: the compact form is negative, zero or above 256 bits.
    """
    length, mantissa = bits >> 24, bits & 0x007FFFFF
    value = mantissa >> 8 * (3 - length) if length <= 3 else mantissa << 8 * (length - 3)
    if value == 0:
        raise InputRefused(f"compact target {bits:08x} is zero")
    if bits & 0x00800000:
        raise InputRefused(f"compact target {bits:08x} is negative")
    if value >= 1 << 256:
        raise InputRefused(f"compact target {bits:08x} is above 256 bits")
    return value


def work(bits: int) -> int:
    """Return the expected number of hashes behind a block with this compact target.

    Raises:
        InputRefused: the compact form is no target.
    """
    return (1 << 256) // (target(bits) + 1)


def check_proof_of_work(header: BlockHeader, network: Network) -> None:
    """Check that the block hash reaches the target the header states, and that the network allows the target.

    It is not checked here whether the target is the one the chain demands at this height.

    Raises:
        BlockRefused: naming the block.
    """
    name = display(header.block_hash)
    try:
        limit = target(header.bits)
    except InputRefused as error:
        raise BlockRefused(f"block {name} refused: {error}") from error
    if limit > target(network.pow_limit_bits):
        raise BlockRefused(f"block {name} refused: target {header.bits:08x} is easier than {network.name} allows")
    if int.from_bytes(header.block_hash, "little") > limit:
        raise BlockRefused(f"block {name} refused: high-hash (above the target {header.bits:08x})")


def median_time_past(times: Sequence[int]) -> int:
    """Return the median of the last eleven block times, or of fewer near the genesis block (BIP113).

    Args:
        times: block times in height order, the last one belonging to the block asked about.

    Raises:
        InputRefused: no time was given.
    """
    if not times:
        raise InputRefused("no block times to take a median of")
    recent = sorted(times[-MEDIAN_TIME_SPAN:])
    return recent[len(recent) // 2]


def _read_header(cursor: Cursor) -> BlockHeader:
    return BlockHeader(
        version=cursor.i32(),
        previous_hash=cursor.take(32),
        merkle_root=cursor.take(32),
        time=cursor.u32(),
        bits=cursor.u32(),
        nonce=cursor.u32(),
    )
