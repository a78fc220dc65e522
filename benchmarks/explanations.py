"""Proofs inside one cluster of a million scripts: milliseconds for any two of them, in shapes from kind to worst.

A `star` has all scripts beside one and the same, `random pairs` grows like a random tree, a `chain` pays on from script
to script and its co-spends come in order or, worst of all, in random order: then the way has as many steps as scripts
lie between. Shapes are bare columns (tests/support/wide_forest.py); the kernels do not know the difference.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMBERS = 1_000_000
PAIRS = 200
LONG = 20  # pairs of a shape whose ways are long
SUPPORT = Path(__file__).resolve().parent.parent / "tests" / "support"


def measure(members: int = MEMBERS, seed: int = 1) -> dict[str, Any]:
    """Median and worst milliseconds of `explain` and `explain_shortly`, by shape."""
    import numpy as np

    sys.path.insert(0, str(SUPPORT))
    from wide_forest import wide_forest

    random = np.random.default_rng(seed)
    scripts = np.arange(members)
    chain = np.stack([scripts[:-1], scripts[1:]], axis=1)
    older = (random.random(members - 1) * scripts[1:]).astype(np.int64)
    shapes: dict[str, tuple[Callable[[], Any], int]] = {
        "star": (lambda: np.stack([np.zeros(members - 1, np.int64), scripts[1:]], axis=1), PAIRS),
        "random pairs": (lambda: random.permutation(np.stack([older, scripts[1:]], axis=1)), PAIRS),
        "chain of sweeps, in order": (lambda: chain, LONG),
        "chain of sweeps, random order": (lambda: random.permutation(chain), LONG),
    }
    found: dict[str, Any] = {"members": members, "shapes": {}}
    for name, (groups, pairs) in shapes.items():
        forest = wide_forest(groups(), members)
        asked = [(0, members - 1), *random.integers(0, members, (pairs - 1, 2)).tolist()]
        found["shapes"][name] = _of_shape(forest, asked)
    return found


def _of_shape(forest: Any, asked: list[tuple[int, int]]) -> dict[str, Any]:
    from cointrail.cluster.proof.explain import explain
    from cointrail.cluster.proof.shorten import explain_shortly

    explain(forest, *asked[0])
    explain_shortly(forest, *asked[0])
    own, short, steps = [], [], []
    for one, two in asked:
        began = time.perf_counter()
        way = explain(forest, one, two)
        own.append(time.perf_counter() - began)
        if way is None:
            raise AssertionError(f"scripts {one} and {two} are in one cluster but were not explained")
        steps.append(len(way))
        del way  # a million steps take time to throw away
        began = time.perf_counter()
        explain_shortly(forest, one, two)
        short.append(time.perf_counter() - began)
    return {
        "pairs": len(asked),
        "median_steps": statistics.median(steps),
        "most_steps": max(steps),
        "explain_median_ms": 1000 * statistics.median(own),
        "explain_worst_ms": 1000 * max(own),
        "shortly_median_ms": 1000 * statistics.median(short),
        "shortly_worst_ms": 1000 * max(short),
    }
