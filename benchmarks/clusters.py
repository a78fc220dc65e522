"""Clusters: what they cost while a ledger grows, how fast they are built anew, and how fast questions are answered.

Builds on a ledger of its own of the large chain and, for the growth by single blocks, one of the small chain. Unions
beside a peer are in `unions`. Parts fail one by one, and each then says why.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import explanations
import ingest
import unions
from chain import cached_chain

STAGES = ("cluster", "change", "same key")
BLOCKS = 50  # appended one at a time
ROUNDS = 5
SMALL = range(2, 11)  # scripts of a small cluster


@dataclass(frozen=True, slots=True)
class Setting:
    """Where to measure, and on how much."""

    work: Path
    transactions: int
    seed: int
    rounds: int
    peer_python: str | None


def measure(setting: Setting, large: dict[str, Any] | None) -> dict[str, Any]:
    """All parts.

    Args:
        setting: see `Setting`.
        large: what `ingest.measure` found of the large chain in this run, None to ingest it here.
    """
    if large is None:
        large = ingest.measure(setting.work, setting.transactions, 1, setting.seed)
    ledger = Path(large["ledger"])
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "share": lambda: share_of_ingest(large),
        "gate": lambda: gate_alone(ledger),
        "answers": lambda: answers(ledger),
        "rebuild": lambda: rebuild(ledger),
        "blocks": lambda: block_by_block(setting),
        "explain": explanations.measure,
        "unions": lambda: unions.measure(
            ledger, setting.work, unions.peer(setting.peer_python), setting.rounds, setting.seed
        ),
    }
    return {name: ingest.attempt(part) for name, part in parts.items()}


def share_of_ingest(large: dict[str, Any]) -> dict[str, Any]:
    """Seconds of each stage beside the ingest's seconds without all of them; one thread runs them in turn."""
    seconds = {stage: large["stage_seconds"].get(stage, 0.0) for stage in STAGES}
    rest = large["seconds"] - sum(seconds.values())
    return {
        "transactions": large["chain"]["transactions"],
        "rest_seconds": rest,
        "seconds": seconds,
        "of_rest": {stage: spent / rest for stage, spent in seconds.items()},
    }


def gate_alone(ledger: Path) -> dict[str, Any]:
    """Every transaction of the ledger judged; all columns are in the page cache."""
    import numpy as np

    from cointrail.cluster.gate.gate import signs_of
    from cointrail.ledger.reader import Reader

    with Reader(ledger) as reader:
        transactions = np.arange(reader.counts.transaction)
        signs_of(reader, transactions)
        seconds = [_seconds(lambda: signs_of(reader, transactions)) for _ in range(ROUNDS)]
        median = statistics.median(seconds)
        return {
            "transactions": len(transactions),
            "inputs": reader.counts.input,
            "seconds": median,
            "transactions_per_second": len(transactions) / median,
        }


def rebuild(ledger: Path) -> dict[str, Any]:
    """Withdraw all clusters and build them anew in one go, as after a change of rules."""
    from cointrail.cluster.forest.extend import bring_up
    from cointrail.ingest.timing import Stages
    from cointrail.ledger.manifest import read
    from cointrail.ledger.writer import Writer

    stages = Stages()
    with Writer(ledger, read(ledger).network) as writer:
        began = time.perf_counter()
        writer.forget_clusters()
        forgotten = time.perf_counter()
        bring_up(writer, measure=stages.measure)
        writer.publish()
        ended = time.perf_counter()
        counts = writer.counts
    return {
        "transactions": counts.transaction,
        "scripts": counts.script,
        "forget_seconds": forgotten - began,
        "build_seconds": ended - forgotten,
        "stages": stages.seconds,
    }


def block_by_block(setting: Setting) -> dict[str, Any]:
    """Append the last blocks of the small chain one at a time, each by an ingest of its own that uses the indexes."""
    from cointrail.cluster.forest.extend import bring_up
    from cointrail.ingest.pipeline import ingest as run
    from cointrail.ingest.report import Options, Report

    blocks, _ = cached_chain(setting.work, max(setting.transactions // 10, 1), setting.seed)
    ledger = setting.work / "ledger-blocks"
    tip = int(ingest.run_once(blocks, ledger)["height"])
    shutil.rmtree(ledger)

    def up_to(height: int) -> Report:
        return run(
            blocks,
            ledger,
            options=Options(until=height),
            cluster=lambda writer, *, measure: bring_up(writer, measure=measure),
        )

    up_to(max(tip - BLOCKS - 1, 0))
    up_to(max(tip - BLOCKS, 0))  # compiles what single blocks need
    reports = [up_to(height) for height in range(max(tip - BLOCKS, 0) + 1, tip + 1)]
    shutil.rmtree(ledger)
    if not reports:
        raise ingest.NotMeasured("the small chain has one block")
    milliseconds = {stage: sorted(1000 * report.stages.get(stage, 0.0) for report in reports) for stage in STAGES}
    return {
        "blocks": len(reports),
        "transactions_a_block": statistics.median(report.transactions for report in reports),
        "median_ms": {stage: statistics.median(each) for stage, each in milliseconds.items()},
        "worst_ms": {stage: each[-1] for stage, each in milliseconds.items()},
    }


def answers(ledger: Path) -> dict[str, Any]:
    """`cointrail cluster` about the largest cluster and about a small one: in process, and as a command."""
    import cointrail

    found: dict[str, Any] = {}
    for name, (address, size) in _asked(ledger).items():
        with cointrail.open(ledger) as opened:
            ask = partial(opened.cluster, address)
            ask()
            warm = [_seconds(ask) for _ in range(ROUNDS)]
        command = [sys.executable, "-m", "cointrail", "cluster", address, "--ledger", str(ledger), "--json"]
        whole = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            whole.append(time.perf_counter() - began)
        json.loads(done.stdout)
        found[name] = {"size": size, "seconds": statistics.median(warm), "process_seconds": statistics.median(whole)}
    return found


def _asked(ledger: Path) -> dict[str, tuple[str, int]]:
    """(address, size) of the largest cluster and of a small one."""
    import numpy as np

    from cointrail.bitcoin.address import address_of
    from cointrail.bitcoin.network import REGTEST
    from cointrail.cluster.forest.view import Forest
    from cointrail.ledger.reader import Reader

    with Reader(ledger) as reader:
        roots = Forest(reader).all_roots()
        sizes = np.bincount(roots)
        small = np.flatnonzero((sizes >= SMALL.start) & (sizes < SMALL.stop))
        chosen = {"the largest": int(sizes.argmax())}
        if len(small):
            chosen["a small one"] = int(small[len(small) // 2])
        found = {}
        for name, root in chosen.items():
            scripts = np.flatnonzero(roots == root).tolist()
            addresses = (address_of(reader.script_pubkey(script), REGTEST) for script in scripts)
            address = next(filter(None, addresses), None)
            if address:
                found[name] = (address, int(sizes[root]))
    return found


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
