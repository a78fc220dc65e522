"""Exposure on a large ledger: random wallets, some thousand random scripts tagged as services, everything warm.

A wallet is a random script of the middle of the chain, alone or with its L1 cluster; then the largest clusters there
are: of all, and of those that a walk may enter. One answer is both sides; ways and bounds
are timed apart. Each wallet is asked once before the clock runs; the median over the rounds is its time.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

TAGGED, SERVICES, WALLETS = 4_000, 60, 40
KINDS = ("exchange", "mixer", "gambling")


def measure(ledger: Path, rounds: int, seed: int) -> dict[str, Any]:
    """Median and worst seconds by distance and by kind of wallet."""
    import numpy as np

    from cointrail.cluster.forest.view import Forest
    from cointrail.ledger.reader import Reader

    with Reader(ledger) as reader:
        random = np.random.default_rng(seed)
        services = _services(reader, random)
        scripts = random.integers(reader.counts.script // 4, reader.counts.script // 2, WALLETS).tolist()
        forest = Forest(reader)
        wallets = {
            "address": [np.array([script], np.int64) for script in scripts],
            "cluster": [forest.members(script)[0] for script in scripts],
        }
        found = {
            f"{name}, {hops} hops": _many(reader, services, asked, hops, rounds)
            for name, asked in wallets.items()
            for hops in (5, 20)
        }
        for name, wallet in _largest(forest).items():
            found[f"{name}, 5 hops"] = _many(reader, services, [wallet], 5, rounds)
        return {"transactions": reader.counts.transaction, "tagged": len(services.scripts), "wallets": found}


def _largest(forest: Any) -> dict[str, Any]:
    """The largest cluster of those within the limit, and of all."""
    import numpy as np

    from cointrail.profile.exposure.exposure import LIMITS

    sizes = np.bincount(forest.all_roots())
    within = np.where(sizes <= (LIMITS.cluster or sizes.max()), sizes, 0)
    chosen = {"the largest cluster within the limit": within, "the largest cluster": sizes}
    return {name: forest.members(int(each.argmax()))[0] for name, each in chosen.items()}


def _services(reader: Any, random: Any) -> Any:
    import numpy as np

    from cointrail.cluster.forest.view import Forest
    from cointrail.trace.services import services_of

    scripts = np.unique(random.integers(0, reader.counts.script, TAGGED))
    numbers = np.arange(len(scripts)) % SERVICES
    names = [f"service {number}" for number in range(SERVICES)]
    kinds = [KINDS[number % len(KINDS)] for number in range(SERVICES)]
    return services_of(Forest(reader), scripts.tolist(), numbers.tolist(), names, kinds=kinds)


def _many(reader: Any, services: Any, wallets: list[Any], hops: int, rounds: int) -> dict[str, Any]:
    rows = [_one(reader, services, wallet, hops, rounds) for wallet in wallets]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    timed = ("exposure_seconds", "ways_seconds", "bounds_seconds", "seconds")
    return {
        "wallets": len(rows),
        "largest_scripts": max(columns["scripts"]),
        "most_transactions": max(columns["transactions"]),
        "with_arrivals": sum(count > 0 for count in columns["arrivals"]),
        "complete": sum(columns["complete"]),
        "fewest_whole_hops": min(columns["whole_hops"]),
        "ended_at_once": sum(columns["ended_at_once"]),
        "too_many_ways": sum(columns["too_many_ways"]),
        **{f"median_{name}": statistics.median(columns[name]) for name in timed},
        **{f"worst_{name}": max(columns[name]) for name in timed},
    }


def _one(reader: Any, services: Any, wallet: Any, hops: int, rounds: int) -> dict[str, Any]:
    from cointrail.profile.exposure.exposure import LIMITS, find_exposures
    from cointrail.profile.exposure.interval import interval_of
    from cointrail.profile.exposure.ways import ways_of
    from cointrail.trace.reason import Reason

    limits = replace(LIMITS, hops=hops)
    found, first = _timed(lambda: list(find_exposures(reader, wallet, services, limits=limits).values()), rounds)
    ways, second = _timed(lambda: [ways_of(each) for each in found], rounds)

    def bounds() -> None:
        for exposure, listed in zip(found, ways, strict=True):
            for kind in KINDS:
                if own := [way for way in listed or () if services.kinds[way.service] == kind]:
                    interval_of(reader, exposure, own, limits=limits)

    _, third = _timed(bounds, rounds)
    return {
        "scripts": len(wallet),
        "transactions": sum(len(each.flow.tx) for each in found if each.flow),
        "arrivals": sum(len(each.part) for each in found),
        "complete": all(each.complete for each in found),
        "whole_hops": min(each.whole_hops or 0 for each in found),
        "ended_at_once": any(each.gross_sat and set(each.rest) == {Reason.LARGE_CLUSTER} for each in found),
        "too_many_ways": any(each is None for each in ways),
        "exposure_seconds": first,
        "ways_seconds": second,
        "bounds_seconds": third,
        "seconds": first + second + third,
    }


def _timed(ask: Callable[[], Any], rounds: int) -> tuple[Any, float]:
    found = ask()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
    return found, statistics.median(seconds)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), rounds=1, seed=1), indent=2))
