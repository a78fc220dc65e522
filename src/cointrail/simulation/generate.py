"""Making a world: economy, plot, inputs, and what is written down of them (SCENARIO.md 4)."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cointrail.bitcoin.hashes import display
from cointrail.simulation import GENERATOR_VERSION
from cointrail.simulation.chain import PRELUDE_BLOCKS, Block, Chain
from cointrail.simulation.economy import Economy
from cointrail.simulation.inputs.write import write_inputs
from cointrail.simulation.keys import Signer
from cointrail.simulation.plot.plot import Plot
from cointrail.simulation.record.block_files import LARGEST_FILE, ChainFiles
from cointrail.simulation.record.extension import move, write_extension
from cointrail.simulation.record.folder import new_folder, world_at
from cointrail.simulation.record.manifest import ChainSummary, Manifest, Parameters, list_files
from cointrail.simulation.record.tables import write_tables
from cointrail.simulation.scale import LARGE, Scale
from cointrail.simulation.truth import Truth
from cointrail.simulation.world import NoRecord, World

BENCH = "bench"
BENCH_BLOCK = 2_000
"""Transactions a block at scale bench, as on mainnet."""

Watch = Callable[[int, int, int], None]
"""Is told (height, height the chain will have, transactions so far) after every block."""

_FILE_SIZES = {"small": 1 << 20, "standard": 16 << 20}
_BENCH_SPACING = 3_600  # so that a day's volume is a tenth of mainnet's: a sweep then fits into a block
_WEEK = 7 * 86_400


def bench_scale(transactions: int) -> Scale:
    """A scale of that many transactions, of the same economy as large, for `simulate` to write a chain alone."""
    blocks = max(transactions // BENCH_BLOCK, 20)
    weeks = -(-blocks * _BENCH_SPACING // _WEEK)

    def share(number: int) -> int:
        return max(number * transactions // LARGE.transactions, 1)

    return replace(
        LARGE,
        name=BENCH,
        transactions=transactions,
        weeks=weeks,
        spacing=weeks * _WEEK // blocks,
        payjoins=share(LARGE.payjoins),
        wasabi1=share(LARGE.wasabi1),
        wasabi2=share(LARGE.wasabi2),
        whirlpool=share(LARGE.whirlpool),
        joinmarket=share(LARGE.joinmarket),
    )


def simulate(
    folder: Path,
    scale: Scale,
    seed: int,
    *,
    holdout: bool = False,
    signer: Signer | None = None,
    watch: Watch = lambda *_: None,
) -> Manifest:
    """Write a world into a folder, unless it lies there already.

    Args:
        folder: where; must be empty or not exist, or hold the same world.
        scale: how large; one of `bench_scale` gives a chain alone.
        seed: all choices follow from it.
        holdout: True to draw wallets from the second set of models.
        signer: None outside tests.
        watch: is told of progress.

    Raises:
        InputRefused: the folder holds something else.
        Unavailable: it cannot be written.
    """
    parameters = Parameters(GENERATOR_VERSION, scale.name, scale.transactions, seed, holdout, signer is not None)
    found = world_at(folder, parameters)
    if found is not None:
        return found
    with new_folder(folder) as partial, _without_collector():
        manifest = _Generation(partial, scale, parameters, signer, watch).run()
        manifest.write(partial)
    return manifest


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing here makes cycles, and looking for some among millions of coins takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(slots=True, eq=False)
class _Generation:
    folder: Path
    scale: Scale
    parameters: Parameters
    signer: Signer | None
    watch: Watch

    def run(self) -> Manifest:
        """Write everything but the manifest."""
        scale, seed = self.scale, self.parameters.seed
        bench = scale.name == BENCH
        size = _FILE_SIZES.get(scale.name, LARGEST_FILE)
        files = ChainFiles(seed, self.folder / "chain", scale.blocks, size, obfuscated=not bench)
        try:
            truth = Truth()
            world = self._world(files, NoRecord() if bench else truth)
            economy = Economy(world, scale, holdout=self.parameters.holdout, on_mix=None if bench else truth.mix)
            if bench:
                economy.run()
            else:
                self._plot(world, economy, truth, files)
            digests = files.finish()
        finally:
            files.close()
        tables = {} if bench else write_tables(self.folder / "truth", truth, keep_csv=scale.name == "small")
        tip = files.last[-1]
        chain = ChainSummary(
            height=tip.height,
            block_hash=display(tip.block_hash),
            time_utc=datetime.fromtimestamp(tip.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            transactions=world.transactions + tip.height + 1,
            records=files.records,
            stale=files.stale,
            duplicates=files.duplicates,
        )
        return Manifest(self.parameters, chain, tables, list_files(self.folder, digests))

    def _world(self, files: ChainFiles, recorder: Truth | NoRecord) -> World:
        last = PRELUDE_BLOCKS + self.scale.blocks

        def sink(block: Block) -> None:
            files(block)
            if block.height:
                self.watch(block.height, last, world.transactions)

        chain = Chain(self.parameters.seed, self.scale.spacing, sink)
        world = World(self.parameters.seed, chain, recorder, self.signer)
        return world

    def _plot(self, world: World, economy: Economy, truth: Truth, files: ChainFiles) -> None:
        plot = Plot(economy, truth, self.scale)
        plot.start()
        economy.run()
        plot.finish()
        write_inputs(self.folder / "inputs", world, economy, plot, truth)
        moving = move(world, plot.reserve)
        write_extension(self.folder / "chain" / "extension", files.last, self.scale.spacing, moving)
