"""Walk a synthetic chain with a plain reader that shares no code with its writer, check every rule, measure its shape.

    python benchmarks/check_chain.py FOLDER

Standard library only, about 60,000 transactions a second; the compiled kernels are compared in a second pass. Checked:
framing, headers, proof of work, time, merkle roots, BIP34, witness commitments, weight, subsidies, maturity, and that
each input spends an existing unspent output once and no transaction pays out more than it takes in.
"""

import argparse
import hashlib
import json
import statistics
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MAGIC = bytes.fromhex("fabfb5da")
GENESIS_HASH = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
NULL = bytes(32) + b"\xff\xff\xff\xff"
AGES = (0, 1, 6, 144)


def double_sha256(message: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(message).digest()).digest()


def expect(holds: bool, what: str) -> None:  # noqa: FBT001
    if not holds:
        raise ValueError(what)


def merkle_root(level: list[bytes]) -> bytes:
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [double_sha256(level[k] + level[k + 1]) for k in range(0, len(level), 2)]
    return level[0]


def blocks_of(folder: Path) -> Iterator[bytes]:
    """Raw blocks in file order; a file is magic, size, block, and nothing else."""
    for path in sorted(folder.glob("blk*.dat")):
        data = path.read_bytes()
        expect(len(data) <= 128 << 20, f"{path} is too long")
        position = 0
        while position < len(data):
            expect(data[position : position + 4] == MAGIC, f"{path} at {position}: no magic")
            (size,) = struct.unpack_from("<I", data, position + 4)
            expect(position + 8 + size <= len(data), f"{path} at {position}: cut short")
            yield data[position + 8 : position + 8 + size]
            position += 8 + size


def kind_of(script: bytes) -> str:
    shapes = {
        (22, b"\0\x14"): "P2WPKH", (34, b"\0\x20"): "P2WSH", (34, b"\x51\x20"): "P2TR", (25, b"\x76\xa9"): "P2PKH",
        (23, b"\xa9\x14"): "P2SH", (35, b"\x21\x02"): "P2PK", (35, b"\x21\x03"): "P2PK", (67, b"\x41\x04"): "P2PK",
        (71, b"\x51\x21"): "bare multisig",
    }  # fmt: skip
    return "OP_RETURN" if script[:1] == b"\x6a" else shapes.get((len(script), script[:2]), "other")


@dataclass(slots=True)
class Transaction:
    """What the walk needs of a transaction."""

    inputs: list[bytes]
    script_sig: bytes  # of the first input
    outputs: list[tuple[int, bytes]]
    witness: list[list[bytes]]
    txid: bytes
    wtxid: bytes
    base_size: int
    end: int


def read_count(data: bytes, p: int) -> tuple[int, int]:
    if data[p] < 253:
        return data[p], p + 1
    expect(data[p] == 253, "count beyond 16 bits")
    return struct.unpack_from("<H", data, p + 1)[0], p + 3


def read_transaction(data: bytes, start: int) -> Transaction:
    p = start + 4
    segwit = data[p] == 0
    if segwit:
        expect(data[p + 1] == 1, "unknown flag")
        p += 2
    body = p
    count, p = read_count(data, p)
    inputs, outputs, witness, script_sig = [], [], [], b""
    for i in range(count):
        inputs.append(data[p : p + 36])
        length, p = read_count(data, p + 36)
        if i == 0:
            script_sig = data[p : p + length]
        p += length + 4
    count, p = read_count(data, p)
    for _ in range(count):
        (value,) = struct.unpack_from("<Q", data, p)
        length, p = read_count(data, p + 8)
        outputs.append((value, data[p : p + length]))
        p += length
    stripped = data[start : start + 4] + data[body:p]
    if segwit:
        for _ in inputs:
            items = []
            count, p = read_count(data, p)
            for _ in range(count):
                length, p = read_count(data, p)
                items.append(data[p : p + length])
                p += length
            witness.append(items)
        expect(any(witness), "flag without witness")
    stripped += data[p : p + 4]
    p += 4
    txid = double_sha256(stripped)
    wtxid = double_sha256(data[start:p]) if segwit else txid
    return Transaction(inputs, script_sig, outputs, witness, txid, wtxid, len(stripped), p)


@dataclass(slots=True)
class Walk:
    """The state of the walk: the unspent outputs and the tallies."""

    unspent: dict[bytes, tuple[int, int, bool]] = field(default_factory=dict)  # (value, height, of a coinbase)
    times: list[int] = field(default_factory=list)
    tip: bytes = bytes(32)
    blocks: int = 0
    transactions: int = 0
    inputs: int = 0
    outputs: int = 0
    file_bytes: int = 0
    fees_sat: int = 0
    segwit: int = 0
    seen_before: int = 0
    block_counts: list[int] = field(default_factory=list)
    txids: Any = field(default_factory=hashlib.sha256)
    uses: Counter[bytes] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    input_counts: Counter[int] = field(default_factory=Counter)
    output_counts: Counter[int] = field(default_factory=Counter)
    ages: Counter[int] = field(default_factory=Counter)

    def block(self, data: bytes) -> None:
        height = self.blocks
        header = data[:80]
        block_hash = double_sha256(header)
        _, previous, root, time, bits, _ = struct.unpack("<i32s32sIII", header)
        at = f"block {height}: "
        if height == 0:
            expect(block_hash[::-1].hex() == GENESIS_HASH, at + "not regtest's genesis")
        expect(previous == self.tip, at + "does not follow")
        expect(bits == 0x207FFFFF and int.from_bytes(block_hash, "little") <= 0x7FFFFF << 232, at + "proof of work")
        expect(height == 0 or time > sorted(self.times[-11:])[len(self.times[-11:]) // 2], at + "time")
        count, p = read_count(data, 80)
        transactions = []
        for _ in range(count):
            transactions.append(read_transaction(data, p))
            p = transactions[-1].end
        expect(p == len(data), at + "trailing bytes")
        base_size = 80 + (1 if count < 253 else 3) + sum(t.base_size for t in transactions)
        expect(3 * base_size + len(data) <= 4_000_000, at + "weight")
        expect(merkle_root([t.txid for t in transactions]) == root, at + "merkle root")
        self.txids.update(b"".join(t.txid for t in transactions))
        if height:
            self._commitments(transactions, height)
        fees = sum(self._transaction(t, height) for t in transactions[1:])
        allowed = (5_000_000_000 >> height // 150) + fees
        expect(sum(v for v, _ in transactions[0].outputs) == allowed, at + "coinbase does not claim what it may")
        expect(transactions[0].inputs == [NULL], at + "no coinbase")
        self._outputs(transactions[0], height, of_coinbase=True)
        self.tip = block_hash
        self.times.append(time)
        self.blocks += 1
        self.file_bytes += len(data) + 8
        self.fees_sat += fees
        self.inputs += 1
        self.transactions += count
        self.block_counts.append(count)

    def _commitments(self, transactions: list[Transaction], height: int) -> None:
        coinbase = transactions[0]
        number = height.to_bytes(height.bit_length() // 8 + 1, "little")
        push = bytes([0x50 + height]) if height <= 16 else bytes([len(number)]) + number
        expect(coinbase.script_sig.startswith(push) and 2 <= len(coinbase.script_sig) <= 100, f"BIP34 at {height}")
        found = [s for _, s in coinbase.outputs if s[:6] == bytes.fromhex("6a24aa21a9ed")]
        root = merkle_root([bytes(32)] + [t.wtxid for t in transactions[1:]])
        expect(coinbase.witness == [[bytes(32)]], f"coinbase witness at {height}")
        expect(found[-1][6:38] == double_sha256(root + bytes(32)), f"witness commitment at {height}")

    def _transaction(self, transaction: Transaction, height: int) -> int:
        """Spend and create; return the fee."""
        taken = 0
        for outpoint in transaction.inputs:
            expect(outpoint in self.unspent, f"block {height}: {outpoint.hex()} is not unspent")
            value, born, of_coinbase = self.unspent.pop(outpoint)
            expect(not of_coinbase or height - born >= 100, f"block {height}: coinbase spent too young")
            taken += value
            self.ages[height - born] += 1
        fee = taken - sum(v for v, _ in transaction.outputs)
        expect(fee >= 0, f"block {height}: pays out more than it takes in")
        self._outputs(transaction, height, of_coinbase=False)
        self.inputs += len(transaction.inputs)
        self.input_counts[len(transaction.inputs)] += 1
        self.output_counts[len(transaction.outputs)] += 1
        self.segwit += bool(transaction.witness)
        return fee

    def _outputs(self, transaction: Transaction, height: int, *, of_coinbase: bool) -> None:
        for vout, (value, script) in enumerate(transaction.outputs):
            kind = kind_of(script)
            self.outputs += 1
            self.kinds[kind] += 1
            self.seen_before += script in self.uses
            self.uses[script] += 1
            if kind != "OP_RETURN" and height:
                outpoint = transaction.txid + struct.pack("<I", vout)
                expect(outpoint not in self.unspent, f"block {height}: duplicate {outpoint.hex()}")
                self.unspent[outpoint] = (value, height, of_coinbase)

    def shape(self) -> dict[str, float]:
        """The shape as numbers; shares in percent, of transactions other than coinbases or of all outputs."""
        spending, spent = max(1, self.transactions - self.blocks), max(1, self.inputs - self.blocks)
        result = {
            "bytes per transaction": self.file_bytes / self.transactions,
            "transactions per block (median)": statistics.median(self.block_counts),
        }
        for what, counts in (("inputs", self.input_counts), ("outputs", self.output_counts)):
            result[f"{what}, mean"] = sum(k * n for k, n in counts.items()) / spending
            result[f"{what}, % with 1"] = 100 * counts[1] / spending
            result[f"{what}, % with 2"] = 100 * counts[2] / spending
            result[f"{what}, % with more than 10"] = 100 * sum(n for k, n in counts.items() if k > 10) / spending
            result[f"{what}, most"] = max(counts, default=0)
        result |= {
            "segwit transactions, %": 100 * self.segwit / spending,
            "unspent outputs per transaction": len(self.unspent) / self.transactions,
            "distinct scripts per transaction": len(self.uses) / self.transactions,
            "outputs that pay a seen script, %": 100 * self.seen_before / self.outputs,
            "uses of the most popular script, % of outputs": 100 * self.uses.most_common(1)[0][1] / self.outputs,
        }
        for age in AGES:
            younger = sum(n for k, n in self.ages.items() if k <= age)
            result[f"spent at most {age} blocks later, %"] = 100 * younger / spent
        result |= {f"script {kind}, %": 100 * n / self.outputs for kind, n in self.kinds.most_common()}
        return {name: round(value, 2) for name, value in result.items()}


def check_with_kernels(folder: Path, walk: Walk) -> None:
    """Parse the same files with the compiled kernels: same counts, same txids, same merkle roots."""
    import numpy as np

    from cointrail.kernels.merkle import merkle_roots
    from kernels import parse_file

    txids = hashlib.sha256()
    counts = np.zeros(3, np.int64)
    for path in sorted(folder.glob("blk*.dat")):
        parsed = parse_file(path)
        hashes = parsed.txids()
        txids.update(hashes)
        counts += [parsed.transactions, parsed.inputs, parsed.outputs]
        blocks = len(parsed.block_start)
        roots, mutated = np.empty((blocks, 32), np.uint8), np.empty(blocks, np.bool_)
        merkle_roots(hashes, parsed.block_first_tx, roots, mutated)
        stated = parsed.raw[parsed.block_start[:, None] + np.arange(36, 68)]
        expect(bool((roots == stated).all()) and not mutated.any(), f"{path}: merkle roots of the kernel")
    expect(counts.tolist() == [walk.transactions, walk.inputs, walk.outputs], "counts of the kernel")
    expect(txids.digest() == walk.txids.digest(), "txids of the kernel")


def check_chain(folder: Path, facts: Any = None) -> Walk:
    """Walk the chain; raise ValueError at the first broken rule, or where the writer's ChainFacts are not found."""
    walk = Walk()
    for data in blocks_of(folder):
        walk.block(data)
    check_with_kernels(folder, walk)
    if facts:
        found = {name: getattr(walk, name) for name in ("blocks", "transactions", "inputs", "outputs")}
        found |= {"live_unspent": len(walk.unspent), "distinct_scripts": len(walk.uses), "fees_sat": walk.fees_sat}
        found |= {"bytes": walk.file_bytes, "tip_hash": walk.tip[::-1].hex()}
        said = {name: asdict(facts)[name] for name in found}
        expect(said == found, f"the writer says {said}, found is {found}")
    return walk


def main() -> None:
    parser = argparse.ArgumentParser(description="Check a synthetic chain and measure its shape.")
    parser.add_argument("folder", type=Path)
    print(json.dumps(check_chain(parser.parse_args().folder).shape(), indent=2))


if __name__ == "__main__":
    main()
