"""The compiled kernels alone, on one block file in memory, beside what the machine and the standard library do.

Per round, in turn: parse; hash the txid preimages; copy the same bytes with numpy; hash the same messages with hashlib.
Columns are allocated once and warm. Medians, so a busy neighbour shows in all four.
"""

import hashlib
import statistics
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cointrail.kernels.parse import SMALLEST_INPUT, SMALLEST_OUTPUT, SMALLEST_TRANSACTION, parse_blocks
from cointrail.kernels.sha256 import hash_messages

ROUNDS = 5


class Columns:
    """The columns parse_blocks writes, for the blocks at `block_start` .. `block_end` of `raw`."""

    def __init__(self, raw: np.ndarray, block_start: np.ndarray, block_end: np.ndarray) -> None:
        size = len(raw)
        n, i, o = size // SMALLEST_TRANSACTION + 2, size // SMALLEST_INPUT + 2, size // SMALLEST_OUTPUT + 2
        self.raw, self.block_start, self.block_end = raw, block_start, block_end
        self.block_first_tx = np.empty(len(block_start) + 1, np.int64)
        self.tx_start, self.tx_stripped = np.empty(n, np.int64), np.empty(n, np.int64)
        self.tx_size, self.tx_base_size = np.empty(n, np.uint32), np.empty(n, np.uint32)
        self.tx_version, self.tx_lock_time = np.empty(n, np.int32), np.empty(n, np.uint32)
        self.tx_flags = np.empty(n, np.uint8)
        self.tx_first_input, self.tx_first_output = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
        self.input_outpoint, self.input_sequence = np.empty(i, np.int64), np.empty(i, np.uint32)
        self.input_flags = np.empty(i, np.uint16)
        self.output_value, self.output_script = np.empty(o, np.int64), np.empty(o, np.int64)
        self.output_length, self.output_type = np.empty(o, np.uint32), np.empty(o, np.uint8)
        self.stripped = np.empty(size, np.uint8)
        self.transactions = self.inputs = self.outputs = 0
        self._digests = np.empty((0, 32), np.uint8)

    def parse(self) -> None:
        self.transactions, self.inputs, self.outputs, _, bad, position = parse_blocks(
            self.raw, self.block_start, self.block_end, self.block_first_tx,
            self.tx_start, self.tx_size, self.tx_base_size, self.tx_version, self.tx_lock_time, self.tx_flags,
            self.tx_first_input, self.tx_first_output, self.tx_stripped,
            self.input_outpoint, self.input_sequence, self.input_flags,
            self.output_value, self.output_script, self.output_length, self.output_type, self.stripped,
        )  # fmt: skip
        if bad >= 0:
            raise ValueError(f"block {bad} is malformed at byte {position}")

    def txids(self) -> np.ndarray:
        """Digests (transactions, 32): legacy preimages lie in the blocks, segwit ones in `stripped`."""
        n = self.transactions
        if len(self._digests) != n:
            self._digests = np.empty((n, 32), np.uint8)
        segwit = self.tx_flags[:n] != 0
        for buffer, start, chosen in (
            (self.raw, self.tx_start, ~segwit),
            (self.stripped, self.tx_stripped, segwit),
        ):
            which = np.flatnonzero(chosen)
            digests = np.empty((len(which), 32), np.uint8)
            twice = True
            hash_messages(buffer, start[which], self.tx_base_size[which].astype(np.int64), twice, digests)
            self._digests[which] = digests
        return self._digests


def block_extents(data: memoryview | bytes) -> list[tuple[int, int]]:
    """(first byte, end) of each block of a block file."""
    extents = []
    position = 0
    while position + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, position + 4)
        if size == 0:
            break
        extents.append((position + 8, position + 8 + size))
        position += 8 + size
    return extents


def columns_of_file(path: Path) -> Columns:
    raw = np.fromfile(path, np.uint8)
    extents = np.array(block_extents(memoryview(raw)), np.int64).reshape(-1, 2)
    return Columns(raw, extents[:, 0].copy(), extents[:, 1].copy())


def parse_file(path: Path) -> Columns:
    columns = columns_of_file(path)
    columns.parse()
    return columns


def _hashlib(messages: list[memoryview]) -> bytes:
    sha256 = hashlib.sha256
    return b"".join([sha256(sha256(message).digest()).digest() for message in messages])


def _preimages(columns: Columns) -> list[memoryview]:
    raw, stripped = memoryview(columns.raw), memoryview(columns.stripped)
    n = columns.transactions
    rows = zip(
        columns.tx_start[:n].tolist(),
        columns.tx_stripped[:n].tolist(),
        columns.tx_base_size[:n].tolist(),
        strict=True,
    )
    return [raw[a : a + size] if s < 0 else stripped[s : s + size] for a, s, size in rows]


@dataclass(frozen=True, slots=True)
class Timed:
    """One thing measured: how many bytes it takes, and seconds a round."""

    bytes: int
    seconds: list[float]

    def result(self) -> dict[str, Any]:
        median = statistics.median(self.seconds)
        return {
            "bytes": self.bytes,
            "seconds": self.seconds,
            "median_seconds": median,
            "mb_per_second": self.bytes / median / 1e6,
        }


def measure(path: Path, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure on one block file."""
    columns = parse_file(path)
    columns.txids()
    messages = _preimages(columns)
    if _hashlib(messages) != columns.txids().tobytes():
        raise ValueError("hash_messages and hashlib disagree")
    size, hashed = len(columns.raw), sum(map(len, messages))
    target = np.ones_like(columns.raw)
    work: dict[str, tuple[int, Callable[[], Any]]] = {
        "parse": (size, columns.parse),
        "hash": (hashed, columns.txids),
        "memcpy": (size, lambda: np.copyto(target, columns.raw)),
        "hashlib": (hashed, lambda: _hashlib(messages)),
    }
    timed = {name: Timed(amount, []) for name, (amount, _) in work.items()}
    for _ in range(rounds):
        for name, (_, run) in work.items():
            begin = time.perf_counter()
            run()
            timed[name].seconds.append(time.perf_counter() - begin)
    results: dict[str, Any] = {name: entry.result() for name, entry in timed.items()}
    results["transactions"] = columns.transactions
    results["parse_of_memcpy"] = timed_ratio(results, "memcpy", "parse")
    results["hash_of_hashlib"] = timed_ratio(results, "hashlib", "hash")
    return results


def timed_ratio(results: dict[str, Any], slow: str, fast: str) -> float:
    """How many times as fast `fast` is as `slow` (below 1: slower)."""
    return float(results[slow]["median_seconds"] / results[fast]["median_seconds"])
