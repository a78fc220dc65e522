"""Latency of single look-ups in an open ledger, in process, one after another.

Ids are drawn from random blocks of the chain, so all exist. Each is asked once, in random order, after 1,000 other
look-ups to warm up: what is measured is a ledger in the page cache. The first, cold look-ups are left out.
"""

import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kernels import Columns, block_extents

LOOKUPS = 10_000
WARM_UP = 1_000
BLOCKS = 400


def sample_ids(folder: Path, count: int, seed: int) -> tuple[list[str], list[str]]:
    """(txids as shown, addresses), `count` distinct ones of each, or fewer if the chain has fewer."""
    from cointrail.bitcoin.address import address_of
    from cointrail.bitcoin.network import REGTEST

    chance = random.Random(seed)
    blocks = []
    for path in sorted(folder.glob("blk*.dat")):
        data = np.memmap(path, np.uint8, "r")
        blocks += [(path, start, end) for start, end in block_extents(memoryview(data))]
    txids: set[str] = set()
    addresses: set[str] = set()
    chosen = chance.sample(blocks, min(BLOCKS, len(blocks)))
    # Most blocks of a short chain have a coinbase only, so each may give more than its share.
    share = 1 + 4 * count // len(chosen)
    for path, start, end in chosen:
        raw = np.fromfile(path, np.uint8, end - start, offset=start)
        columns = Columns(raw, np.array([0]), np.array([len(raw)]))
        columns.parse()
        digests = columns.txids()
        for row in chance.sample(range(columns.transactions), min(share, columns.transactions)):
            txids.add(digests[row, ::-1].tobytes().hex())
        for row in chance.sample(range(columns.outputs), min(share, columns.outputs)):
            at = int(columns.output_script[row])
            address = address_of(raw[at : at + int(columns.output_length[row])].tobytes(), REGTEST)
            if address:
                addresses.add(address)
    return (
        chance.sample(sorted(txids), min(count, len(txids))),
        chance.sample(sorted(addresses), min(count, len(addresses))),
    )


def _latencies(look_up: Callable[[str], Any], ids: list[str]) -> dict[str, float]:
    warm = min(WARM_UP, len(ids) // 2)
    for name in ids[:warm]:
        look_up(name)
    nanoseconds = []
    clock = time.perf_counter_ns
    for name in ids[warm:]:
        begin = clock()
        found = look_up(name)
        nanoseconds.append(clock() - begin)
        if found is None:
            raise ValueError(f"{name} exists but was not found")
    nanoseconds.sort()
    return {
        "lookups": len(nanoseconds),
        "median_us": statistics.median(nanoseconds) / 1000,
        "p99_us": nanoseconds[len(nanoseconds) * 99 // 100] / 1000,
        "worst_us": nanoseconds[-1] / 1000,
    }


def measure(ledger_path: Path, folder: Path, seed: int = 1) -> dict[str, Any]:
    """Latencies of `ledger.transaction` and `ledger.address`."""
    import cointrail

    txids, addresses = sample_ids(folder, LOOKUPS + WARM_UP, seed)
    begin = time.perf_counter()
    ledger = cointrail.open(ledger_path)  # type: ignore[attr-defined]
    opened = time.perf_counter() - begin
    return {
        "open_us": opened * 1e6,
        "transaction": _latencies(ledger.transaction, txids),
        "address": _latencies(ledger.address, addresses),
    }


def main() -> None:
    """Print the latencies as JSON: LEDGER BLOCKS."""
    import sys

    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
