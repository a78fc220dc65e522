"""Real mainnet blocks to transactions: cointrail beside two programs that read blocks from Python.

Every contestant starts with the same blocks as `bytes` in memory and must have, for each transaction, its txid; for
each input, the txid and number of the output it spends; for each output, its value and script. All must agree on the
counts, the sum of the values and a hash over txids, outpoints and scripts, which are computed outside the clock. One
process each, one round of each in turn, so a busy neighbour hits all alike. Everything fits the processor's caches.

A peer that is not importable here is looked for in the interpreter named by --peer-python or the environment variable
COINTRAIL_BENCH_PEER_PYTHON. Peers need: blockchain-parser==0.1.6 (brings plyvel, python-bitcoinlib and ripemd-hash),
py-bitcoinkernel==0.1.0a5.
"""

import hashlib
import json
import os
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROUNDS = 7
SHORTEST = 0.2  # seconds a round lasts at least, by repeating
ENVIRONMENT = "COINTRAIL_BENCH_PEER_PYTHON"

# (txid, ((outpoint's txid, number), ...), ((value, script), ...)) in internal byte order.
Rows = Iterator[tuple[bytes, list[tuple[bytes, int]], list[tuple[int, bytes]]]]
# Work to be timed, and how to turn what it returned into rows.
Contestant = tuple[Callable[[], Any], Callable[[Any], Rows] | None]


def cointrail_columns(blocks: list[bytes]) -> Contestant:
    """Columns: the kernels as ingest uses them. Also gives script types and input fingerprints."""
    columns = _columns(blocks)

    def work() -> Any:
        columns.parse()
        return columns.txids()

    return work, lambda digests: _python_rows(columns, digests)


def cointrail_values(blocks: list[bytes]) -> Contestant:
    """The same, then every value as a Python object, which is what the peers give."""
    columns = _columns(blocks)

    def work() -> Any:
        columns.parse()
        return list(_python_rows(columns, columns.txids()))

    return work, iter


def _columns(blocks: list[bytes]) -> Any:
    import numpy as np

    from kernels import Columns

    ends = np.cumsum([len(block) for block in blocks])
    return Columns(np.frombuffer(b"".join(blocks), np.uint8), ends - [len(block) for block in blocks], ends)


def _python_rows(columns: Any, digests: Any) -> Rows:
    raw, ids = columns.raw.tobytes(), digests.tobytes()
    n, i, o = columns.transactions, columns.inputs, columns.outputs
    number = struct.Struct("<I").unpack_from
    inputs = [(raw[p : p + 32], number(raw, p + 32)[0]) for p in columns.input_outpoint[:i].tolist()]
    places = zip(columns.output_script[:o].tolist(), columns.output_length[:o].tolist(), strict=True)
    scripts = [raw[p : p + length] for p, length in places]
    outputs = list(zip(columns.output_value[:o].tolist(), scripts, strict=True))
    first_input, first_output = columns.tx_first_input[: n + 1].tolist(), columns.tx_first_output[: n + 1].tolist()
    for t in range(n):
        own_inputs = inputs[first_input[t] : first_input[t + 1]]
        yield ids[32 * t : 32 * t + 32], own_inputs, outputs[first_output[t] : first_output[t + 1]]


def cointrail_reference(blocks: list[bytes]) -> Contestant:
    """`cointrail.bitcoin`, the plain Python reference; it also keeps witnesses and scriptSigs."""
    from cointrail.bitcoin.block import Block

    def work() -> Any:
        rows = []
        for raw in blocks:
            for t in Block.parse(raw).transactions:
                inputs = [(i.outpoint.txid, i.outpoint.vout) for i in t.inputs]
                rows.append((t.txid, inputs, [(o.value_sat, o.script_pubkey) for o in t.outputs]))
        return rows

    return work, iter


def blockchain_parser(blocks: list[bytes]) -> Contestant:
    """Its Block and Transaction classes, plain Python. Ids come as hex text, scripts as bytes of its Script objects."""
    from blockchain_parser.block import Block

    def work() -> Any:
        rows = []
        for raw in blocks:
            for t in Block(raw).transactions:
                inputs = [(i.transaction_hash, i.transaction_index) for i in t.inputs]
                rows.append((t.txid, inputs, [(o.value, o.script.hex) for o in t.outputs]))
        return rows

    def rows(found: Any) -> Rows:
        for txid, inputs, outputs in found:
            yield bytes.fromhex(txid)[::-1], [(bytes.fromhex(t)[::-1], n) for t, n in inputs], outputs

    return work, rows


def bitcoinkernel(blocks: list[bytes]) -> Contestant:
    """Its classes: the same C++, then one ctypes call a value. Its Block() first unpacks the bytes one by one."""
    from pbk import Block

    def work() -> Any:
        rows = []
        for raw in blocks:
            for t in Block(raw).transactions:
                inputs = [(bytes(i.out_point.txid), i.out_point.index) for i in t.inputs]
                rows.append((bytes(t.txid), inputs, [(o.amount, bytes(o.script_pubkey)) for o in t.outputs]))
        return rows

    return work, iter


def core_deserialises(blocks: list[bytes]) -> Contestant:
    """Core's C++ through the binding's C interface: deserialise, hash txids and wtxids; no value reaches Python."""
    from pbk.capi import bindings

    if not all(bindings.btck_block_create(raw, len(raw)) for raw in blocks):
        raise ValueError("a block was refused")

    def work() -> Any:
        for raw in blocks:
            bindings.btck_block_destroy(bindings.btck_block_create(raw, len(raw)))

    return work, None


CONTESTANTS: dict[str, Callable[[list[bytes]], Contestant]] = {
    "cointrail, columns": cointrail_columns,
    "cointrail, Python values": cointrail_values,
    "cointrail.bitcoin (reference)": cointrail_reference,
    "Bitcoin Core's C++, no values": core_deserialises,
    "py-bitcoinkernel": bitcoinkernel,
    "blockchain-parser": blockchain_parser,
}


def _fingerprint(rows: Rows) -> list[Any]:
    digest = hashlib.sha256()
    transactions = inputs = outputs = total = 0
    for txid, spent, paid in rows:
        digest.update(txid)
        for outpoint, number in spent:
            digest.update(outpoint + number.to_bytes(4, "little"))
        for value, script in paid:
            digest.update(bytes(script))
            total += value
        transactions, inputs, outputs = transactions + 1, inputs + len(spent), outputs + len(paid)
    return [transactions, inputs, outputs, total, digest.hexdigest()]


def read_blocks(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.blk"))]


def serve(name: str, folder: Path) -> None:
    """Worker process: say what was found, then answer each line with the seconds of one pass."""
    work, rows = CONTESTANTS[name](read_blocks(folder))
    found = work()
    print(json.dumps(_fingerprint(rows(found)) if rows else None), flush=True)
    begin = time.perf_counter()
    work()
    passes = max(1, round(SHORTEST / (time.perf_counter() - begin)))
    for _ in sys.stdin:
        begin = time.perf_counter()
        for _ in range(passes):
            found = None
            found = work()
        print((time.perf_counter() - begin) / passes, flush=True)


def _start(name: str, folder: Path, pythons: list[str]) -> tuple[subprocess.Popen[str] | None, Any]:
    """(worker, what it found), or (None, reason)."""
    reason = ""
    for python in pythons:
        command = [python, __file__, name, str(folder)]
        worker = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert worker.stdout
        first = worker.stdout.readline()
        if first:
            return worker, json.loads(first)
        complaint = worker.communicate()[1].strip().splitlines()
        reason = reason or (complaint[-1] if complaint else "the worker ended without a word")
    return None, reason


def measure(folder: Path, peer_python: str | None = None, rounds: int = ROUNDS) -> dict[str, Any]:
    """Medians and ratios of all contestants that can run."""
    size = sum(map(len, read_blocks(folder)))
    other = peer_python or os.environ.get(ENVIRONMENT)
    pythons = [sys.executable, *([other] if other else [])]
    workers: dict[str, subprocess.Popen[str]] = {}
    results: dict[str, Any] = {}
    agreed: Any = None
    for name, contestant in CONTESTANTS.items():
        worker, found = _start(name, folder, pythons[: 1 if name.startswith("cointrail") else 2])
        results[name] = {"what": " ".join((contestant.__doc__ or "").split()), "seconds": []}
        agreed = agreed or (found if worker else None)
        if worker is None:
            results[name]["not_measured"] = found
        elif found not in (None, agreed):
            worker.communicate()
            results[name]["not_measured"] = f"found {found}, not {agreed}"
        else:
            workers[name] = worker
    for _ in range(rounds):
        for name, worker in workers.items():
            assert worker.stdin
            assert worker.stdout
            worker.stdin.write("\n")
            worker.stdin.flush()
            results[name]["seconds"].append(float(worker.stdout.readline()))
    for name, worker in workers.items():
        worker.communicate()
        median = statistics.median(results[name]["seconds"])
        results[name] |= {"median_seconds": median, "mb_per_second": size / median / 1e6}
    first = results["cointrail, columns"].get("median_seconds")
    for result in results.values():
        if first and "median_seconds" in result:
            result["times_the_time_of_cointrail"] = result["median_seconds"] / first
    counts = dict(zip(("transactions", "inputs", "outputs", "value_sat"), agreed or [], strict=False))
    return {"bytes": size, "blocks": len(read_blocks(folder)), "rounds": rounds, "contestants": results} | counts


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
