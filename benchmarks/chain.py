"""The chain of a benchmark: the simulator's economy at scale `bench`, written once and kept.

Its shape (inputs, outputs, ages, reuse, script types) stands in docs/explanation/the-simulator.md.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from cointrail.service.simulations import simulate


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What lies in the block files."""

    transactions: int
    bytes: int


def cached_chain(cache: Path, transactions: int, seed: int) -> tuple[Path, ChainFacts]:
    """(block files, facts) of a chain in the cache, written first if it is not there."""
    world = cache / f"bench-seed{seed}-{transactions}"
    facts = cache / f"bench-seed{seed}-{transactions}.json"
    made = simulate(world, scale="bench", seed=seed, transactions=transactions)
    blocks = world / "chain" / "plain"
    if made.made or not facts.exists():
        size = sum(path.stat().st_size for path in blocks.glob("blk*.dat"))
        facts.write_text(json.dumps(asdict(ChainFacts(made.transactions, size))), encoding="utf-8")
    return blocks, ChainFacts(**json.loads(facts.read_text(encoding="utf-8")))
