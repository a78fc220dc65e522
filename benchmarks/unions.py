"""Union-find on the same lists of inputs: cointrail beside `graphsense-clustering` (compiled Rust), from PyPI.

Both get the same arrays in memory (the scripts that each transaction spends together, in chain order), in the same
batches, and must end with the same partition, which is compared outside the clock. A batch is as large as in a bulk
ingest, where all of it is decided, and on disk, before the first link is written; smaller ones, as near the tip, stay
in the processor's caches and are faster for us, while the peer does not mind. They do not do the same work: ours keeps
every link with its transaction and a merge log that takes it back and proves it; theirs compresses paths and forgets.
One process each, one round of each in turn. The peer is looked for as `benchmarks/peers.py` says; it needs
graphsense-clustering==0.2.0 (brings pyarrow) and numpy.

python benchmarks/unions.py CONTESTANT LISTS.npz      one round, as JSON
"""

import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers import ENVIRONMENT

BATCH = 1 << 17  # groups at once: what a bulk ingest links in one go, of 1 << 19 transactions
ROUNDS = 5
SYNTHETIC = 20_000_000
CLEAR_REFS, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")

Lists = tuple[int, Any, Any]


def cointrail(lists: Lists) -> dict[str, Any]:
    """Ours: a forest with the time of every link, and the merge log."""
    import numpy as np

    from cointrail.kernels.cluster import union_find as kernel

    nodes, members, first = lists
    warm = _forest(16)
    kernel.find_merges(*warm, np.arange(2), np.array([0, 2]), np.zeros(1, np.uint32), 0, np.empty((6, 2), np.uint32))
    kernel.apply_merges(*warm, np.empty((6, 0), np.uint32), 0)
    kernel.row_checks(np.empty((6, 0), np.uint32), 0)
    kernel.smallest_in_trees(*warm[:2], 1)
    before = _memory_now()
    began = time.perf_counter()
    forest, log, count = _forest(nodes), [], 0
    for low, high in _batches(len(first) - 1):
        inside = members[first[low] : first[high]]
        merges = np.empty((6, len(inside)), np.uint32)
        times = np.arange(low, high, dtype=np.uint32)
        found = kernel.find_merges(*forest, inside, first[low : high + 1] - first[low], times, count, merges)
        decided = np.ascontiguousarray(merges[:, :found])
        log.append((decided, kernel.row_checks(decided, count)))
        kernel.apply_merges(*forest, decided, count)
        count += found
    joined = time.perf_counter()
    partition = kernel.smallest_in_trees(forest[0], forest[1], len(first))
    ended = time.perf_counter()
    depth = int(_depth(forest, len(first)).max())
    return _result(began, joined, ended, partition, before) | {"merges": count, "depth": depth}


def _forest(nodes: int) -> Any:
    from cointrail.ledger.merges import forest_of, new_forest

    return forest_of(new_forest(nodes))


def _depth(forest: Any, time_: int) -> Any:
    import numpy as np

    parent, linked_at, _ = forest
    depth = np.zeros(len(parent), np.uint8)
    at = np.arange(len(parent), dtype=np.uint32)
    while len(moving := np.flatnonzero(linked_at[at] < time_)):
        at[moving] = parent[at[moving]]
        depth[moving] += 1
    return depth


def graphsense(lists: Lists) -> dict[str, Any]:
    """`gs_clustering.Clustering`, fed with Arrow lists, then its mapping of every id."""
    import numpy as np
    import pyarrow
    from gs_clustering import Clustering

    nodes, members, first = lists
    ids = (members + 1).astype(np.uint32)  # it keeps id 0 for itself
    before = _memory_now()
    began = time.perf_counter()
    clustering = Clustering(nodes)
    for low, high in _batches(len(first) - 1):
        offsets = pyarrow.array((first[low : high + 1] - first[low]).astype(np.int32))
        values = pyarrow.array(ids[first[low] : first[high]])
        clustering.process_transactions_arrow(pyarrow.ListArray.from_arrays(offsets, values))
    joined = time.perf_counter()
    mapping = clustering.get_mapping_min(skip_singletons=False)
    partition = mapping.column(1).to_numpy(zero_copy_only=False)
    ended = time.perf_counter()
    return _result(began, joined, ended, (partition - 1).astype(np.uint32), before)


CONTESTANTS = {"cointrail": cointrail, "graphsense-clustering": graphsense}


def _batches(groups: int) -> Iterator[tuple[int, int]]:
    return ((low, min(low + BATCH, groups)) for low in range(0, groups, BATCH))


def _memory_now() -> int:
    """Resident bytes; from here on `_peak` counts anew. Without Linux's files it counts from the process's start."""
    try:
        CLEAR_REFS.write_text("5")  # 5: forget the peak
        return _status("VmRSS")
    except OSError:
        return _peak()


def _peak() -> int:
    """Most resident bytes so far."""
    try:
        return _status("VmHWM")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(name: str) -> int:
    lines = STATUS.read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


def _result(began: float, joined: float, ended: float, partition: Any, before: int) -> dict[str, Any]:
    return {
        "join_seconds": joined - began,
        "seconds": ended - began,
        "peak_added_bytes": _peak() - before,
        "partition": hashlib.sha256(partition.tobytes()).hexdigest(),
    }


def lists_of_ledger(ledger: Path) -> Lists:
    """The believed co-spends of a whole ledger: (scripts, members, where each group begins)."""
    import numpy as np

    from cointrail.cluster.forest.extend import link_groups
    from cointrail.cluster.gate.gate import signs_of
    from cointrail.ledger.reader import Reader

    with Reader(ledger) as reader:
        signs = signs_of(reader, np.arange(reader.counts.transaction))
        members, first, _ = link_groups(reader, 0, signs)
        return reader.counts.script, members, first


def synthetic_lists(nodes: int, seed: int) -> Lists:
    """As many random pairs and triples as leave clusters of all sizes: the worst case for memory."""
    import numpy as np

    random = np.random.default_rng(seed)
    sizes = random.choice(np.array([2, 2, 2, 3]), nodes * 3 // 10)
    first = np.concatenate(([0], np.cumsum(sizes)))
    return nodes, random.integers(0, nodes, int(first[-1])), first


def peer(named: str | None) -> str:
    """The interpreter that has the peer: the one named, the environment's, or this one."""
    return named or os.environ.get(ENVIRONMENT) or sys.executable


def measure(ledger: Path, work: Path, peer_python: str, rounds: int, seed: int) -> dict[str, Any]:
    """Both contestants on both kinds of lists; medians and the ratio."""
    import numpy as np

    found: dict[str, Any] = {}
    cases = {"ledger": lambda: lists_of_ledger(ledger), "synthetic": lambda: synthetic_lists(SYNTHETIC, seed)}
    for case, make in cases.items():
        path = work / f"unions-{case}.npz"
        nodes, members, first = make()
        np.savez(path, nodes=nodes, members=members, first=first)
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
        for _ in range(rounds):
            for name in CONTESTANTS:
                runs[name].append(_in_process(name, path, sys.executable if name == "cointrail" else peer_python))
        path.unlink()
        if len({run["partition"] for each in runs.values() for run in each}) != 1:
            raise AssertionError(f"the contestants disagree about {case}")
        found[case] = {
            "scripts": nodes,
            "groups": len(first) - 1,
            "members": len(members),
            "contestants": {
                name: {key: statistics.median(run[key] for run in each) for key in each[0] if key != "partition"}
                for name, each in runs.items()
            },
        }
        ours, theirs = (found[case]["contestants"][name] for name in CONTESTANTS)
        found[case]["ours_of_theirs"] = {
            key: ours[key] / theirs[key] if theirs[key] else None
            for key in ("join_seconds", "seconds", "peak_added_bytes")
        }
    return found


def _in_process(name: str, path: Path, python: str) -> dict[str, Any]:
    command = [python, __file__, name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no output'}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> None:
    import numpy as np

    with np.load(sys.argv[2]) as saved:
        lists = int(saved["nodes"]), saved["members"], saved["first"]
    print(json.dumps(CONTESTANTS[sys.argv[1]](lists)))


if __name__ == "__main__":
    main()
