"""Builds regtest blocks on any parent, so that the blocks form a tree with branches.

Deterministic: the same calls give the same bytes. Everything a rule of consensus asks for is right by default
(proof of work, height in the coinbase, subsidy, witness commitment, time); what a caller passes is used as it is.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import NamedTuple

from script_zoo import Form, Lock, anyone_can_spend, is_kept, push, spendable_zoo

from cointrail.bitcoin.amounts import subsidy_sat
from cointrail.bitcoin.block import Block, BlockHeader, median_time_past
from cointrail.bitcoin.merkle import merkle_root
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput, TransactionOutput

GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81b"
    "c3888a51323a9fb8aa4b1e5e4adae5494dffff7f20020000000101000000010000000000000000000000000000000000000000000000000"
    "000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e"
    "206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5"
    "548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6b"
    "f11d5fac00000000"
)
BITS = 0x207FFFFF
TARGET = 0x7FFFFF << 232
BLOCK_INTERVAL = 600
COINBASE_MATURITY = 100
FINAL_SEQUENCE = 0xFFFFFFFF
COINBASE_OUTPOINT = Outpoint(bytes(32), 0xFFFFFFFF)
COMMITMENT_PREFIX = b"\x6a\x24\xaa\x21\xa9\xed"
WITNESS_RESERVED = bytes(32)


class UnspentOutput(NamedTuple):
    """An output that can still be spent on one branch."""

    txid: bytes
    vout: int
    value_sat: int
    script_pubkey: bytes
    height: int
    is_coinbase: bool

    @property
    def outpoint(self) -> Outpoint:
        """The reference an input makes to it."""
        return Outpoint(self.txid, self.vout)


@dataclass(frozen=True, slots=True)
class Node:
    """A block and its place in the tree."""

    block: Block
    block_hash: bytes
    parent_hash: bytes
    height: int
    txids: tuple[bytes, ...]


class RegtestChain:
    """A tree of regtest blocks; `tip` is the block that `mine` builds on by default.

    Attributes:
        nodes: every block by hash, in the order of mining.
        tip: hash of the last block that moved the tip.
        locks: how to spend a script_pubkey, for the scripts that were made known.
    """

    def __init__(self) -> None:
        genesis = Block.parse(GENESIS)
        txids = tuple(tx.txid for tx in genesis.transactions)
        node = Node(genesis, genesis.header.block_hash, bytes(32), 0, txids)
        self.tip = node.block_hash
        self.nodes = {node.block_hash: node}
        self.locks: dict[bytes, Lock] = {}
        self._outputs: dict[bytes, tuple[TransactionOutput, ...]] = {txids[0]: genesis.transactions[0].outputs}
        self.default_lock = self.learn(anyone_can_spend(Form.BARE))
        for lock in spendable_zoo():
            self.learn(lock)

    def learn(self, lock: Lock) -> Lock:
        """Remember how a script is spent."""
        self.locks[lock.script_pubkey] = lock
        return lock

    def height_of(self, block_hash: bytes) -> int:
        """Height of a block of the tree."""
        return self.nodes[block_hash].height

    def branch(self, tip: bytes | None = None) -> list[Node]:
        """The blocks from genesis to a tip, in order of height."""
        node = self.nodes[tip or self.tip]
        nodes = [node]
        while node.height:
            node = self.nodes[node.parent_hash]
            nodes.append(node)
        return nodes[::-1]

    def block_hashes(self, tip: bytes | None = None) -> list[bytes]:
        """Hashes of the blocks from genesis to a tip."""
        return [node.block_hash for node in self.branch(tip)]

    def serialized(self, tip: bytes | None = None) -> list[bytes]:
        """Bytes of the blocks from genesis to a tip."""
        return [node.block.serialize() for node in self.branch(tip)]

    def unspent(self, tip: bytes | None = None) -> dict[Outpoint, UnspentOutput]:
        """The unspent outputs at a tip by Core's rules: without genesis and without unspendable scripts."""
        unspent: dict[Outpoint, UnspentOutput] = {}
        for node in self.branch(tip)[1:]:
            for index, (txid, tx) in enumerate(zip(node.txids, node.block.transactions, strict=True)):
                if index:
                    for spent in tx.inputs:
                        del unspent[spent.outpoint]
                for output in unspent_outputs_of(tx, txid, node.height, is_coinbase=not index):
                    unspent[output.outpoint] = output
        return unspent

    def spendable(self, tip: bytes | None = None, *, mature: bool = True) -> list[UnspentOutput]:
        """Unspent outputs that a block on this tip may spend (or, not mature, coinbase outputs that it may not)."""
        height = self.height_of(tip or self.tip) + 1
        return [
            output
            for output in self.unspent(tip).values()
            if output.script_pubkey in self.locks and is_mature(output, height) is mature
        ]

    def spend(
        self,
        prevouts: Sequence[UnspentOutput],
        outputs: Sequence[TransactionOutput],
        *,
        version: int = 2,
        sequences: Sequence[int] | None = None,
        lock_time: int = 0,
    ) -> Transaction:
        """A transaction that spends outputs with known locks; locks that drop items get one-byte items."""
        inputs = []
        for prevout, sequence in zip(prevouts, sequences or [FINAL_SEQUENCE] * len(prevouts), strict=True):
            lock = self.locks[prevout.script_pubkey]
            script_sig, witness = lock.unlock([b"\x01"] * (lock.drops or 0))
            inputs.append(TransactionInput(prevout.outpoint, script_sig, sequence, witness))
        return Transaction(version, tuple(inputs), tuple(outputs), lock_time)

    def fee_sat(self, tx: Transaction) -> int:
        """Fee of a transaction whose prevouts lie in blocks of the tree."""
        spent = sum(self._outputs[i.outpoint.txid][i.outpoint.vout].value_sat for i in tx.inputs)
        return spent - sum(output.value_sat for output in tx.outputs)

    def mine(
        self,
        transactions: Iterable[Transaction] = (),
        *,
        parent: bytes | None = None,
        claim_sat: int | None = None,
        outputs: Sequence[TransactionOutput] | None = None,
        time: int | None = None,
        commitment: bytes | bool | None = None,
        version: int = 0x20000000,
        coinbase_height: int | None = None,
        move_tip: bool = True,
    ) -> Block:
        """Build a block, add it to the tree and make it the tip.

        Args:
            transactions: all but the coinbase.
            parent: hash of the block to build on, by default the tip.
            claim_sat: what the coinbase pays itself, by default subsidy and fees.
            outputs: the coinbase's outputs instead of one output of the claim.
            time: header time, by default ten minutes after the parent.
            commitment: True or False forces the witness commitment, bytes replace it; by default it is there if
                a transaction has a witness.
            version: header version.
            coinbase_height: stated in the coinbase instead of the true height.
            move_tip: whether the next block builds on this one.

        Returns:
            The block.
        """
        above = self.nodes[parent or self.tip]
        height = above.height + 1
        others = tuple(transactions)
        txids = [tx.txid for tx in others]
        for txid, tx in zip(txids, others, strict=True):
            self._outputs[txid] = tx.outputs
        if outputs is None:
            claim = self.reward_sat(height, others) if claim_sat is None else claim_sat
            outputs = [TransactionOutput(claim, self.default_lock.script_pubkey)]
        coinbase = self._coinbase(height if coinbase_height is None else coinbase_height, outputs, others, commitment)
        txids.insert(0, coinbase.txid)
        self._outputs[txids[0]] = coinbase.outputs
        header_time = above.block.header.time + BLOCK_INTERVAL if time is None else time
        header = BlockHeader(version, above.block_hash, merkle_root(txids)[0], header_time, BITS, 0)
        block = Block(grind(header), (coinbase, *others))
        node = Node(block, block.header.block_hash, above.block_hash, height, tuple(txids))
        self.nodes[node.block_hash] = node
        if move_tip:
            self.tip = node.block_hash
        return block

    def mine_empty(self, count: int, *, parent: bytes | None = None) -> list[Block]:
        """Build blocks with nothing but a coinbase, one on the other."""
        blocks = [self.mine(parent=parent)] if count else []
        return blocks + [self.mine() for _ in range(count - 1)]

    def reward_sat(self, height: int, transactions: Iterable[Transaction]) -> int:
        """Subsidy and fees that a coinbase may claim."""
        return subsidy_sat(height, REGTEST.halving_interval) + sum(map(self.fee_sat, transactions))

    def median_time_past(self, tip: bytes | None = None) -> int:
        """Median time of the eleven blocks up to a tip: the next header's time has to be greater."""
        node = self.nodes[tip or self.tip]
        times: list[int] = []
        while len(times) < 11:
            times.append(node.block.header.time)
            if not node.height:
                break
            node = self.nodes[node.parent_hash]
        return median_time_past(times[::-1])

    def _coinbase(
        self,
        height: int,
        outputs: Sequence[TransactionOutput],
        others: Sequence[Transaction],
        commitment: bytes | bool | None,
    ) -> Transaction:
        """The coinbase; the number of blocks in the tree makes it differ from those of other branches."""
        script_sig = height_push(height) + push(len(self.nodes).to_bytes(4, "little"))
        if commitment is None:
            commitment = any(tx.has_witness for tx in others)
        witness: tuple[bytes, ...] = ()
        if commitment is not False:
            if commitment is True:
                root = merkle_root([bytes(32), *(tx.wtxid for tx in others)])[0]
                commitment = sha256(sha256(root + WITNESS_RESERVED).digest()).digest()
            outputs = [*outputs, TransactionOutput(0, COMMITMENT_PREFIX + commitment)]
            witness = (WITNESS_RESERVED,)
        coinbase_input = TransactionInput(COINBASE_OUTPOINT, script_sig, FINAL_SEQUENCE, witness)
        return Transaction(2, (coinbase_input,), tuple(outputs), 0)


def is_mature(output: UnspentOutput, height: int) -> bool:
    """Whether a block at this height may spend the output."""
    return not output.is_coinbase or height - output.height >= COINBASE_MATURITY


def unspent_outputs_of(tx: Transaction, txid: bytes, height: int, *, is_coinbase: bool) -> list[UnspentOutput]:
    """The outputs of a transaction that Core adds to the unspent ones."""
    return [
        UnspentOutput(txid, vout, output.value_sat, output.script_pubkey, height, is_coinbase)
        for vout, output in enumerate(tx.outputs)
        if is_kept(output.script_pubkey)
    ]


def height_push(height: int) -> bytes:
    """The height as the coinbase has to begin with it (BIP34)."""
    if height <= 16:
        return bytes([0x50 + height])
    return push(height.to_bytes((height.bit_length() + 8) // 8, "little"))


def grind(header: BlockHeader, *, valid: bool = True) -> BlockHeader:
    """Find the first nonce that satisfies the regtest target (or, not valid, that misses it)."""
    fields = header.serialize()
    started = sha256(fields[:76])
    for nonce in range(2**32):
        attempt = started.copy()
        attempt.update(struct.pack("<I", nonce))
        if (int.from_bytes(sha256(attempt.digest()).digest(), "little") <= TARGET) is valid:
            return replace(header, nonce=nonce)
    raise AssertionError("no nonce found")
