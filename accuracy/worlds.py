"""Simulated worlds and their ledgers: made once, kept in a work folder, and made again if the program changed.

A world is of the models that rules were looked at with (`training`), or of models and habits they never saw
(`holdout`). Equal seeds give equal bytes, so the digest of a manifest names a world; see
docs/explanation/the-simulator.md.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from cointrail.cluster.forest.view import Forest
from cointrail.errors import CointrailError
from cointrail.ledger.reader import Reader
from cointrail.service.maintenance import ingest
from cointrail.service.simulations import simulate

TRAINING, HOLDOUT, REAL = "training", "holdout", "real"
_APART = 100
"""Seeds of held-out worlds start here, so that no two worlds share a stream of choices."""


@dataclass(frozen=True, slots=True)
class World:
    """A world with its ledger.

    Attributes:
        models: `training` or `holdout`.
        scale, seed: of the simulator.
        folder, ledger: where they lie.
        digest: SHA-256 of the manifest, hex.
        transactions: on its chain.
    """

    models: str
    scale: str
    seed: int
    folder: Path
    ledger: Path
    digest: str
    transactions: int

    @property
    def name(self) -> str:
        """In words."""
        return f"{self.scale}, seed {self.seed}" + ", holdout" * (self.models == HOLDOUT)


def worlds_of(work: Path, scale: str, seeds: list[int]) -> list[World]:
    """The worlds of a run: for each seed one of each kind of models."""
    return [
        _world(work, scale, seed + _APART * (models == HOLDOUT), models)
        for models in (TRAINING, HOLDOUT)
        for seed in seeds
    ]


def _world(work: Path, scale: str, seed: int, models: str) -> World:
    name = f"{scale}-{seed}-{models}"
    folder, ledger = work / name, work / f"{name}-ledger"
    if not ledger.exists():
        print(f"simulating {name} ...", file=sys.stderr, flush=True)
    made = simulate(folder, scale=scale, seed=seed, holdout=models == HOLDOUT)
    if not _usable(ledger, made.block_hash):
        shutil.rmtree(ledger, ignore_errors=True)
        ingest(folder / "chain" / "plain", ledger)
    return World(models, scale, seed, folder, ledger, made.manifest_digest, made.transactions)


def _usable(ledger: Path, block_hash: str) -> bool:
    """True for a ledger of this chain that this program reads, with clusters."""
    from cointrail.cluster.forest.extend import RULES

    if not ledger.exists():
        return False
    try:
        with Reader(ledger) as reader:
            same = reader.block_hash(reader.height)[::-1].hex() == block_hash
            return same and tuple(Forest(reader).rules) == RULES
    except CointrailError:
        return False
