"""Making simulated worlds."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cointrail.errors import UsageError
from cointrail.service.memory import PeakMemory

if TYPE_CHECKING:
    from cointrail.simulation.record.manifest import Manifest

Watch = Callable[[int, int, int], None]

_BENCH = "bench"


@dataclass(frozen=True, slots=True)
class SimulationAnswer:
    """A world that was made, or that lay there already (`made` is False then and `seconds` means little).

    `transactions` are those of the best chain, with coinbases; `block_hash` as the node displays it; `tables` says how
    many rows each truth table has; `manifest_digest` is the SHA-256 of manifest.json, so of everything.
    """

    world: str
    made: bool
    scale: str
    seed: int
    holdout: bool
    generator_version: int
    height: int
    block_hash: str
    time_utc: str
    transactions: int
    records: int
    stale: int
    duplicates: int
    tables: dict[str, int]
    files: int
    bytes: int
    manifest_digest: str
    seconds: float
    peak_anonymous_bytes: int


def simulate(
    world: Path,
    *,
    scale: str,
    seed: int,
    holdout: bool = False,
    transactions: int | None = None,
    watch: Watch = lambda *_: None,
) -> SimulationAnswer:
    """Write a simulated world into a folder.

    Args:
        world: the folder; must be empty or not exist, or hold the same world already.
        scale: small, standard, large or bench.
        seed: equal seeds give equal bytes.
        holdout: True to draw wallets from models that no rule was tuned on.
        transactions: how many, at scale bench only.
        watch: is told (height, last height, transactions) while it works.

    Raises:
        UsageError: an unknown scale, a negative seed, or a number of transactions where it makes no sense.
        InputRefused: the folder holds something else.
        Unavailable: it cannot be written.
    """
    from cointrail.simulation import generate
    from cointrail.simulation.scale import SCALES

    if seed < 0:
        raise UsageError(f"seed {seed} is negative", hint="seeds are whole numbers from 0 on")
    if scale == _BENCH:
        if transactions is None or transactions < 1:
            raise UsageError("scale bench needs a number of transactions", hint="give --transactions N")
        chosen = generate.bench_scale(transactions)
    elif transactions is not None:
        raise UsageError(f"scale {scale} has its own number of transactions", hint="use --scale bench")
    elif scale in SCALES:
        chosen = SCALES[scale]
    else:
        raise UsageError(f"unknown scale {scale!a}", hint=f"scales are {', '.join(SCALES)} and {_BENCH}")
    made = not (world / "manifest.json").exists()
    began = time.perf_counter()
    with PeakMemory() as memory:
        manifest = generate.simulate(world, chosen, seed, holdout=holdout, watch=watch)
    return _answer(world, manifest, made=made, seconds=time.perf_counter() - began, peak=memory.anonymous)


def _answer(world: Path, manifest: "Manifest", *, made: bool, seconds: float, peak: int) -> SimulationAnswer:
    parameters, chain = manifest.parameters, manifest.chain
    return SimulationAnswer(
        world=str(world),
        made=made,
        scale=parameters.scale,
        seed=parameters.seed,
        holdout=parameters.holdout,
        generator_version=parameters.generator_version,
        height=chain.height,
        block_hash=chain.block_hash,
        time_utc=chain.time_utc,
        transactions=chain.transactions,
        records=chain.records,
        stale=chain.stale,
        duplicates=chain.duplicates,
        tables={name: summary.rows for name, summary in manifest.tables.items()},
        files=len(manifest.files),
        bytes=sum(size for size, _ in manifest.files.values()),
        manifest_digest=hashlib.sha256((world / "manifest.json").read_bytes()).hexdigest(),
        seconds=seconds,
        peak_anonymous_bytes=peak,
    )
