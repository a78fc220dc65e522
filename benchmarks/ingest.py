"""Ingest, as a user runs it: `python -m cointrail ingest` in a process of its own, into a new ledger each time.

One unmeasured run over a small chain comes first, so compiled kernels are in their cache. Block files were written or
read shortly before and lie in the page cache where memory allows: disk speed is not measured.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cointrail
from chain import ChainFacts, cached_chain

WARM_UP = 20_000
NEEDED = ("transactions", "seconds", "bytes", "stages", "peak_anonymous_bytes", "peak_resident_bytes", "ledger_bytes")


class NotMeasured(Exception):
    """The measurement could not be made; the text says why."""


def attempt(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result, or the reason why there is none: one failing part does not hide the others."""
    try:
        return measure()
    except NotMeasured as reason:
        return {"not_measured": str(reason)}
    except Exception as fault:
        return {"not_measured": f"{type(fault).__name__}: {fault}"}


def run_once(blocks: Path, ledger: Path) -> dict[str, Any]:
    """One ingest into a new ledger; what the program says, and what the operating system saw."""
    shutil.rmtree(ledger, ignore_errors=True)
    command = [sys.executable, "-m", "cointrail", "ingest", str(blocks), "--ledger", str(ledger)]
    command += ["--network", "regtest", "--json"]
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said, complaint = process.communicate()
    seconds = time.perf_counter() - begin
    if process.returncode:
        last = complaint.strip().splitlines()[-1:] or ["no message"]
        raise NotMeasured(f"`cointrail ingest` ended with {process.returncode}: {last[0][:200]}")
    try:
        result: dict[str, Any] = json.loads(said)
    except json.JSONDecodeError:
        raise NotMeasured("`cointrail ingest --json` wrote no JSON document") from None
    missing = [name for name in NEEDED if name not in result]
    if missing:
        raise NotMeasured(f"`cointrail ingest --json` lacks {', '.join(missing)}")
    return result | {"process_seconds": seconds, "allocated_bytes": _allocated(ledger)}


def _allocated(folder: Path) -> int:
    """Bytes the files take on disk (a sparse file counts what it occupies)."""
    return sum(512 * path.stat().st_blocks for path in folder.rglob("*") if path.is_file())


def _summary(facts: ChainFacts, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the runs."""

    def median(name: str) -> float:
        return float(statistics.median(run[name] for run in runs))

    stages = {name for run in runs for name in run["stages"]}
    by_stage = {name: statistics.median(run["stages"].get(name, 0.0) for run in runs) for name in stages}
    seconds = median("seconds")
    named = sum(by_stage.values())
    return {
        "chain": asdict(facts),
        "runs": runs,
        "seconds": seconds,
        "process_seconds": median("process_seconds"),
        "transactions_per_second": facts.transactions / seconds,
        "mb_per_second": facts.bytes / seconds / 1e6,
        "peak_anonymous_bytes": median("peak_anonymous_bytes"),
        "peak_resident_bytes": median("peak_resident_bytes"),
        "ledger_bytes_per_transaction": median("ledger_bytes") / facts.transactions,
        "allocated_bytes_per_transaction": median("allocated_bytes") / facts.transactions,
        "stage_seconds": dict(sorted(by_stage.items(), key=lambda item: -item[1])),
        "stage_sum_of_seconds": named / seconds,
    }


def measure(work: Path, transactions: int, repetitions: int, seed: int) -> dict[str, Any]:
    """Ingest a chain several times; the last ledger stays at result["ledger"]."""
    blocks, facts = cached_chain(work, transactions, seed)
    ledger = work / f"ledger-{transactions}"
    runs = []
    for _ in range(repetitions):
        result = run_once(blocks, ledger)
        if result["transactions"] != facts.transactions:
            raise NotMeasured(f"ingested {result['transactions']} of {facts.transactions} transactions")
        runs.append(result)
    summary = _summary(facts, runs)
    with cointrail.open(ledger) as opened:
        summary["chain"]["live_unspent"] = opened.status().unspent_outputs
    return summary | {"blocks": str(blocks), "ledger": str(ledger)}


def measure_both(work: Path, transactions: int, repetitions: tuple[int, int], seed: int) -> dict[str, Any]:
    """A tenth and the whole, and how speed and memory grow from one to the other."""
    work.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(work).free
    if free < transactions * 2000:
        raise NotMeasured(f"{free / 1e9:.1f} GB free at {work}, {transactions * 2000 / 1e9:.1f} GB may be needed")
    blocks, _ = cached_chain(work, WARM_UP, seed)
    run_once(blocks, work / "ledger-warm-up")
    shutil.rmtree(work / "ledger-warm-up", ignore_errors=True)
    small = measure(work, max(transactions // 10, 1), repetitions[0], seed)
    large = measure(work, transactions, repetitions[1], seed)
    return {
        "small": small,
        "large": large,
        "growth": {
            "speed": large["transactions_per_second"] / small["transactions_per_second"],
            "anonymous_memory": large["peak_anonymous_bytes"] / max(1, small["peak_anonymous_bytes"]),
            "anonymous_bytes_per_added_unspent_output": (large["peak_anonymous_bytes"] - small["peak_anonymous_bytes"])
            / max(1, large["chain"]["live_unspent"] - small["chain"]["live_unspent"]),
        },
    }


def share_source() -> None:
    """Let the ingest find the same `cointrail` as this process."""
    source = str(Path(cointrail.__file__).parents[1])
    known = os.environ.get("PYTHONPATH", "")
    if source not in known.split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (source, known)))
