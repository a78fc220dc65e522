"""Bounds and paths between two places of a large ledger that lie so far apart that much lies between them.

The sources are random outputs of the middle of the chain; the targets are chosen ever later until the subgraph between
the two has the size that is asked for. Everything is measured: the poison flow, the sweep, and both maximum flows.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ARCS = 500_000
ROUNDS = 3
MANY = 200  # targets taken together: harder for a solver than one


def measure_bounds(ledger: Path, rounds: int = ROUNDS, seed: int = 1, arcs: int = ARCS) -> dict[str, Any]:
    """Median seconds over a subgraph of at least so many arcs, for one target and for many together.

    Args:
        ledger: a large one.
        rounds: repetitions of each.
        seed: of the outputs that are asked about.
        arcs: wanted; fewer if the ledger ends before.
    """
    import numpy as np

    from cointrail.ledger.reader import Reader

    with Reader(ledger) as reader:
        random = np.random.default_rng(seed)
        middle = reader.counts.output // 2
        sources = random.integers(middle, middle + 1_000, 20)
        found: dict[str, Any] = {"transactions": reader.counts.transaction}
        for name, count in (("one_target", 1), ("many_targets", MANY)):
            targets, size = _far_enough(reader, sources, random, count, arcs)
            found |= {f"{name}_{key}": value for key, value in _of_size(reader, sources, targets, rounds).items()}
            found[f"{name}_arcs"] = size
        return found


def _far_enough(reader: Any, sources: Any, random: Any, count: int, arcs: int) -> tuple[Any, int]:
    """(targets, arcs between): the first place that is far enough, or the end of the chain."""
    distance = 50_000
    while True:
        first = min(int(sources.max()) + distance, reader.counts.output - 10_000)
        targets = random.integers(first, first + 10_000, count)
        size = _bounds(reader, sources, targets).together.arcs
        if size >= arcs or first == reader.counts.output - 10_000:
            return targets, size
        distance = distance * 5 // 4


def _bounds(reader: Any, sources: Any, targets: Any) -> Any:
    from dataclasses import replace

    from cointrail.trace.bounds import WHOLE, bounds
    from cointrail.trace.seeds import Seeds

    unlimited = replace(WHOLE, transactions=None, megabytes=None)
    return bounds(reader, Seeds.of(sources), targets, limits=unlimited, alone=0)


def _of_size(reader: Any, sources: Any, targets: Any, rounds: int) -> dict[str, Any]:
    from dataclasses import replace

    from cointrail.trace.bounds import WHOLE
    from cointrail.trace.paths import paths
    from cointrail.trace.seeds import Seeds

    unlimited = replace(WHOLE, transactions=None, megabytes=None)
    asked: dict[str, Callable[[], Any]] = {
        "bounds_seconds": lambda: _bounds(reader, sources, targets),
        "ten_paths_seconds": lambda: paths(reader, Seeds.of(sources), targets, limits=unlimited),
    }
    return {name: _median(ask, rounds) for name, ask in asked.items()}


def _median(ask: Callable[[], Any], rounds: int) -> float:
    ask()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)
