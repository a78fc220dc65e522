"""Peel chains: milliseconds for a thousand hops, ahead and back, on a warm ledger.

The chain is made by the tests' builder (tests/support/peel_cases.py), one clear step after the other; every step is
voted on. Processor time stands beside the clock: on a shared machine it says more.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HOPS = 1_000
ROUNDS = 15
SUPPORT = Path(__file__).resolve().parent.parent / "tests" / "support"


def measure(hops: int = HOPS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Median and worst milliseconds of `follow` and `follow_back` over all hops, by policy."""
    sys.path.insert(0, str(SUPPORT))
    from peel_cases import ledger_of, straight

    stage, first = straight(hops)
    with tempfile.TemporaryDirectory(prefix="cointrail-peels-") as folder:
        return {"hops": hops, "rounds": rounds, "ways": _ways(ledger_of(stage, Path(folder)), first, hops, rounds)}


def _ways(ledger: Path, first: Any, hops: int, rounds: int) -> dict[str, Any]:
    from cointrail.ledger.reader import Reader
    from cointrail.trace.peel.back import follow_back
    from cointrail.trace.peel.follow import follow
    from cointrail.trace.peel.question import PeelLimits, Undecided

    found = {}
    with Reader(ledger) as reader:
        seed = reader.outputs_of(reader.find_transactions(first.txid)[-1])[first.vout]
        limits = PeelLimits(hops=None, min_sat=0)
        chain = follow(reader, seed, limits)
        if chain.hops != hops:
            raise AssertionError(f"the chain has {hops} hops, {chain.hops} were followed")
        payment = chain.steps[-1].peels[0].output
        for walk, start in ((follow, seed), (follow_back, payment)):
            for undecided in Undecided:
                walk(reader, start, limits, undecided=undecided)
                taken, worked = [], []
                for _ in range(rounds):
                    began, busy = time.perf_counter(), time.process_time()
                    walk(reader, start, limits, undecided=undecided)
                    taken.append(1000 * (time.perf_counter() - began))
                    worked.append(1000 * (time.process_time() - busy))
                found[f"{walk.__name__}, {undecided}"] = {
                    "median_ms": statistics.median(taken),
                    "best_ms": min(taken),
                    "worst_ms": max(taken),
                    "median_processor_ms": statistics.median(worked),
                }
    return found


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
