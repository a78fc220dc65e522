"""Write a synthetic regtest chain as Bitcoin Core block files, any length, for benchmarks only.

    python benchmarks/chain.py FOLDER --transactions 500000 --seed 1 [--check]

Same seed and length, same bytes; a longer chain begins with the shorter one up to its last block. Memory: the unspent
outputs (about 130 bytes for each) and one block. Valid: framing, proof of work, merkle roots, BIP34, witness
commitments, subsidies, maturity, every spend. Not valid: signatures and keys are placeholders. Not modelled: owners, so
co-spending joins scripts at random and clusters of this chain mean nothing. Its shape is tabled in chain_draw.py.
"""

import argparse
import hashlib
import json
import shutil
import struct
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from chain_body import DATA, FEES, INPUTS, MOST_OUTPUTS, OUTPUTS, SCRIPTS, empty_body, write_body
from chain_draw import below, mix
from chain_pool import FREE, ORDER, Pool, add_output, live_count
from chain_write import put_script
from cointrail.kernels.merkle import merkle_roots

GENERATOR = 1  # raise when the bytes of a seed change: cached chains are found by it
MAGIC = bytes.fromhex("fabfb5da")
FILE_BYTES = 128 << 20
BITS = 0x207FFFFF
TARGET = 0x7FFFFF << 232
HALVING = 150
MATURITY = 100
PRELUDE = 120  # blocks with a coinbase only
MINERS = 16  # script numbers the coinbases pay to
SUBSIDY = 50 * 100_000_000
GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3"
    "888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000"
    "0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054"
    "696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f75742066"
    "6f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
    "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)
GENESIS_TIME = 1296688602


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What was written. Counts include the genesis block and the coinbases (each with its one input)."""

    seed: int
    blocks: int
    transactions: int
    inputs: int
    outputs: int
    bytes: int  # of the block files
    block_files: int
    live_unspent: int  # without OP_RETURN outputs and the genesis output
    distinct_scripts: int
    fees_sat: int
    tip_hash: str
    seconds: float  # how long writing took; 0 if unknown


def double_sha256(message: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(message).digest()).digest()


def compact_size(n: int) -> bytes:
    return bytes([n]) if n < 253 else b"\xfd" + struct.pack("<H", n)


def height_push(height: int) -> bytes:
    """`CScript() << height`, which BIP34 wants first in a coinbase."""
    if height <= 16:
        return bytes([0x50 + height])
    number = height.to_bytes(height.bit_length() // 8 + 1, "little")
    return bytes([len(number)]) + number


class BlockFiles:
    """Appends blocks to blk00000.dat and on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.glob("blk*.dat")):
            raise FileExistsError(f"{folder} already holds block files")
        self.folder = folder
        self.number = 0
        self.position = 0
        self.total = 0
        self._file = (folder / "blk00000.dat").open("wb")

    def append(self, *parts: bytes | memoryview) -> None:
        size = sum(len(part) for part in parts)
        if self.position + size + 8 > FILE_BYTES:
            self._file.close()
            self.number += 1
            self.position = 0
            self._file = (self.folder / f"blk{self.number:05}.dat").open("wb")
        self._file.writelines((MAGIC, struct.pack("<I", size), *parts))
        self.position += size + 8
        self.total += size + 8

    def close(self) -> None:
        self._file.close()


def _grow(pool: Pool | None) -> Pool:
    """A pool of twice the size."""
    old = len(pool.value) if pool else 0
    size = 2 * old or 1 << 17
    new = Pool(
        txid=np.empty((size, 32), np.uint8),
        vout=np.empty(size, np.uint32),
        value=np.empty(size, np.int64),
        script=np.empty(size, np.uint64),
        order=np.empty(2 * size, np.uint32),
        free=np.empty(size, np.uint32),
        state=np.zeros(4, np.int64),
    )
    if pool:
        for column, grown in zip(pool, new, strict=True):
            grown[: len(column)] = column
    free = new.state[FREE]
    new.free[free : free + size - old] = np.arange(old, size)
    new.state[FREE] += size - old
    return new


def _merkle_root(first: bytes, rest: np.ndarray) -> bytes:
    leaves = np.concatenate((np.frombuffer(first, np.uint8)[None], rest))
    root = np.empty((1, 32), np.uint8)
    merkle_roots(leaves, np.array([0, len(leaves)]), root, np.empty(1, np.bool_))
    return root.tobytes()


class Chain:
    """The state of a chain while it is written."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.files = BlockFiles(folder)
        self.files.append(GENESIS)
        self.stream = np.array([mix(np.uint64(seed))], np.uint64)
        self.salt = np.uint64(mix(np.uint64(seed) ^ np.uint64(0x636861696E)))
        self.pool = _grow(None)
        self.body = empty_body()
        self.counters = np.zeros(6, np.int64)
        self.counters[SCRIPTS] = MINERS
        self.immature: deque[tuple[int, bytes, int, int]] = deque()
        self.commitments: set[bytes] = set()
        self.tip = double_sha256(GENESIS[:80])
        self.height = 0
        self.transactions = 1
        self.fees = 0

    def extend(self, most: int) -> None:
        """Write the next block, of at most `most` transactions."""
        self.height += 1
        while self.immature and self.immature[0][0] <= self.height - MATURITY:
            _, txid, value, script = self.immature.popleft()
            add_output(self.pool, np.frombuffer(txid, np.uint8), 0, value, np.uint64(script))
        while self.pool.state[FREE] < MOST_OUTPUTS or len(self.pool.order) - self.pool.state[ORDER] < MOST_OUTPUTS:
            self.pool = _grow(self.pool)
        wanted = 1999 + below(self.stream, 501) if self.height > PRELUDE else 0
        self.counters[FEES] = 0
        count, size = write_body(
            self.pool, self.body, self.stream, self.salt, self.counters, self.height, min(wanted, most - 1)
        )
        fees = int(self.counters[FEES])
        coinbase, txid = self._coinbase(fees, count)
        root = _merkle_root(txid, self.body.txid[:count])
        header = self._mine(root)
        self.files.append(header + compact_size(count + 1) + coinbase, memoryview(self.body.raw[:size]))
        self.tip = double_sha256(header)
        self.transactions += count + 1
        self.fees += fees

    def _coinbase(self, fees: int, count: int) -> tuple[bytes, bytes]:
        """(transaction, txid) of the coinbase, with the witness commitment."""
        value = (SUBSIDY >> self.height // HALVING if self.height < 64 * HALVING else 0) + fees
        miner = self.height % MINERS
        script = np.empty(80, np.uint8)
        length = put_script(script, 0, np.uint64(miner), self.salt)
        commitment = double_sha256(_merkle_root(bytes(32), self.body.wtxid[:count]) + bytes(32))
        self.commitments.add(commitment)
        script_sig = height_push(self.height) + b"\x08" + self.salt.tobytes()
        stripped = (
            b"\x02\0\0\0\x01" + bytes(32) + b"\xff\xff\xff\xff" + bytes([len(script_sig)]) + script_sig
            + b"\xff\xff\xff\xff\x02" + struct.pack("<q", value) + script[:length].tobytes()
            + bytes(8) + b"\x26\x6a\x24\xaa\x21\xa9\xed" + commitment + bytes(4)
        )  # fmt: skip
        txid = double_sha256(stripped)
        self.immature.append((self.height, txid, value, miner))
        return stripped[:4] + b"\0\x01" + stripped[4:-4] + b"\x01\x20" + bytes(32) + stripped[-4:], txid

    def _mine(self, root: bytes) -> bytes:
        jitter = below(self.stream, 900)
        head = struct.pack("<i", 0x20000000) + self.tip + root
        head += struct.pack("<II", GENESIS_TIME + 600 * self.height + jitter, BITS)
        nonce = 0
        while int.from_bytes(double_sha256(head + struct.pack("<I", nonce)), "little") > TARGET:
            nonce += 1
        return head + struct.pack("<I", nonce)

    def facts(self, seed: int, seconds: float) -> ChainFacts:
        counted = self.counters.tolist()
        # One script of its own for genesis; a miner's script is first used at its height.
        scripts = counted[SCRIPTS] - MINERS + min(MINERS, self.height) + counted[DATA] + len(self.commitments) + 1
        live = live_count(self.pool) + len(self.immature)
        return ChainFacts(
            seed=seed,
            blocks=self.height + 1,
            transactions=self.transactions,
            inputs=counted[INPUTS] + self.height + 1,
            outputs=counted[OUTPUTS] + 2 * self.height + 1,
            bytes=self.files.total,
            block_files=self.files.number + 1,
            live_unspent=live,
            distinct_scripts=scripts,
            fees_sat=self.fees,
            tip_hash=self.tip[::-1].hex(),
            seconds=round(seconds, 3),
        )


def write_chain(folder: Path, transactions: int, seed: int = 1) -> ChainFacts:
    """Write a chain of exactly `transactions` transactions (coinbases and genesis included) into `folder`."""
    begin = time.perf_counter()
    chain = Chain(folder, seed)
    try:
        while chain.transactions < transactions:
            chain.extend(transactions - chain.transactions)
    finally:
        chain.files.close()
    return chain.facts(seed, time.perf_counter() - begin)


def cached_chain(cache: Path, transactions: int, seed: int) -> tuple[Path, ChainFacts]:
    """(folder, facts) of a chain in the cache, written first if it is not there."""
    folder = cache / f"chain-v{GENERATOR}-seed{seed}-{transactions}"
    record = folder / "facts.json"
    if not record.exists():
        shutil.rmtree(folder, ignore_errors=True)
        facts = write_chain(folder / "blocks", transactions, seed)
        record.write_text(json.dumps(asdict(facts)))
    return folder / "blocks", ChainFacts(**json.loads(record.read_text()))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a synthetic regtest chain as Bitcoin Core block files.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--transactions", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="walk it with a plain independent reader (slow)")
    options = parser.parse_args()
    facts = write_chain(options.folder, options.transactions, options.seed)
    print(json.dumps(asdict(facts), indent=2))
    if options.check:
        from check_chain import check_chain

        check_chain(options.folder, facts)
        print("checked: every rule holds", file=sys.stderr)


if __name__ == "__main__":
    main()
