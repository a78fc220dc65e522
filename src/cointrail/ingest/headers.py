"""The header tree: which records form a chain, and which chain has most work.

Order comes from the headers, never from the files. A block counts once, however often it is stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.block import BlockHeader, target, work
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import Network
from cointrail.errors import CointrailError
from cointrail.ingest.block_files import HEADER_SIZE, Record

NO_PARENT = -1


@dataclass(frozen=True, slots=True)
class Orphan:
    """A block whose parent is not in the files."""

    record: Record
    block_hash: bytes
    parent_hash: bytes


@dataclass(slots=True, eq=False)
class HeaderTree:
    """Blocks that reach back to the genesis block.

    Attributes:
        records: where each block lies.
        hashes: their hashes, internal order.
        parents: position of each block's parent in this tree, NO_PARENT for the genesis block.
        heights: their heights.
        chainwork: work of the chain that ends in each.
        duplicates: records beyond the first of the same block; copies: those records, by block hash.
        orphans: blocks that do not reach back.
        failed: records whose header does not meet its proof of work, with the reason.
        refused: positions of blocks that were found invalid, with everything above them.
    """

    network: Network
    records: list[Record] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    chainwork: list[int] = field(default_factory=list)
    duplicates: int = 0
    copies: dict[bytes, list[Record]] = field(default_factory=dict)
    orphans: list[Orphan] = field(default_factory=list)
    failed: list[tuple[Record, str]] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    _children: dict[int, list[int]] = field(default_factory=dict)

    def refuse(self, position: int) -> int:
        """Take a block and its descendants out of the choice; returns how many blocks went."""
        waiting, gone = [position], 0
        while waiting:
            block = waiting.pop()
            if block not in self.refused:
                self.refused.add(block)
                gone += 1
                waiting.extend(self._children.get(block, ()))
        return gone

    def use_copy(self, position: int) -> bool:
        """Take the next record of a block whose bytes are damaged; False if there is none."""
        left = self.copies.get(self.hashes[position])
        if not left:
            return False
        self.records[position] = left.pop(0)
        return True

    def best(self, home: bytes = b"") -> tuple[int, int]:
        """(tip, rivals): the block with most work, and how many equal it.

        Among equals it is the one whose hash is `home`, else the first in the files; (NO_PARENT, 0) if none is left.
        """
        tip, most, rivals = NO_PARENT, -1, 0
        for position, total in enumerate(self.chainwork):
            if position in self.refused:
                continue
            if total > most:
                tip, most, rivals = position, total, 0
            elif total == most:
                tip = position if self.hashes[position] == home else tip
                rivals += 1
        return tip, rivals

    def chain_to(self, tip: int) -> list[int]:
        """Positions of the blocks from the genesis block to `tip`, by height."""
        chain = []
        while tip != NO_PARENT:
            chain.append(tip)
            tip = self.parents[tip]
        return chain[::-1]


def _hash_headers(records: Sequence[Record]) -> npt.NDArray[np.uint8]:
    from cointrail.kernels.sha256 import hash_messages

    headers = np.frombuffer(bytearray(b"".join(record.header for record in records)), np.uint8)
    digests = np.empty((len(records), 32), np.uint8)
    starts = np.arange(len(records), dtype=np.int64) * HEADER_SIZE
    hash_messages(headers, starts, np.full(len(records), HEADER_SIZE, np.int64), True, digests)  # noqa: FBT003
    return digests


def build_tree(records: Sequence[Record], network: Network) -> HeaderTree:
    """Arrange records, in the order of the files, as a tree that hangs from the network's genesis block."""
    tree = HeaderTree(network)
    first: dict[bytes, int] = {}
    children: dict[bytes, list[int]] = {}
    limits: dict[int, tuple[int, int]] = {}
    hashes = [bytes(row) for row in _hash_headers(records)]
    for number, record in enumerate(records):
        if hashes[number] in first:
            tree.duplicates += 1
            tree.copies.setdefault(hashes[number], []).append(record)
            continue
        reason = _proof_of_work_fault(record, hashes[number], network, limits)
        if reason:
            tree.failed.append((record, reason))
            continue
        first[hashes[number]] = number
        children.setdefault(record.header[4:36], []).append(number)
    _hang(tree, records, hashes, first, children, limits)
    reached = set(tree.hashes)
    tree.orphans = [
        Orphan(records[number], block_hash, records[number].header[4:36])
        for block_hash, number in first.items()
        if block_hash not in reached
    ]
    return tree


def _proof_of_work_fault(
    record: Record, block_hash: bytes, network: Network, limits: dict[int, tuple[int, int]]
) -> str:
    """Why a header's hash does not count, or an empty string."""
    bits = int.from_bytes(record.header[72:76], "little")
    if bits not in limits:
        try:
            limits[bits] = target(bits), work(bits)
        except CointrailError as error:
            return str(error)
    if limits[bits][0] > target(network.pow_limit_bits):
        return f"its target {bits:08x} is easier than {network.name} allows"
    if int.from_bytes(block_hash, "little") > limits[bits][0]:
        return f"block {display(block_hash)} does not meet its proof of work"
    return ""


def _hang(
    tree: HeaderTree,
    records: Sequence[Record],
    hashes: Sequence[bytes],
    first: dict[bytes, int],
    children: dict[bytes, list[int]],
    limits: dict[int, tuple[int, int]],
) -> None:
    """Fill the tree breadth first from the genesis block."""
    root = first.get(tree.network.genesis_hash)
    waiting: list[tuple[int, int]] = [] if root is None else [(root, NO_PARENT)]
    while waiting:
        following: list[tuple[int, int]] = []
        for number, parent in waiting:
            position = len(tree.records)
            record = records[number]
            tree.records.append(record)
            tree.hashes.append(hashes[number])
            tree.parents.append(parent)
            tree.heights.append(0 if parent == NO_PARENT else tree.heights[parent] + 1)
            bits = int.from_bytes(record.header[72:76], "little")
            tree.chainwork.append(limits[bits][1] + (0 if parent == NO_PARENT else tree.chainwork[parent]))
            if parent != NO_PARENT:
                tree._children.setdefault(parent, []).append(position)
            following.extend((child, position) for child in children.get(hashes[number], ()))
        # Among blocks of equal height the one first in the files comes first, which settles ties of work.
        waiting = sorted(following)


def header_work(headers: Iterable[bytes]) -> int:
    """Work of a chain of headers."""
    known: dict[int, int] = {}
    total = 0
    for raw in headers:
        bits = BlockHeader.parse(raw).bits
        total += known.setdefault(bits, work(bits))
    return total
