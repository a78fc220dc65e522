"""Running the ingest over blocks of our own: lay out, ingest, compare with a ledger built afresh."""

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from block_files import Placement, write_block_files
from ledger_view import fixed_bytes

from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest import pipeline
from cointrail.ingest.report import Options, Report
from cointrail.ledger.verify import verify

# With clusters, as the command ingests: so every table of two ledgers can be compared.
ingest = partial(pipeline.ingest, cluster=bring_up)

# From one block a batch to everything at once. Each publication waits for the disk, so they are not too many.
BATCHES = (Options(batch_bytes=1), Options(batch_bytes=20_000, publish_bytes=100_000), Options())


def lay_out(folder: Path, blocks: Iterable[bytes], **layout: Any) -> list[Placement]:
    """Write blocks as regtest block files, in place of those that were there."""
    shutil.rmtree(folder, ignore_errors=True)
    return write_block_files(folder, blocks, REGTEST.magic, **layout)


def build(folder: Path, blocks: Iterable[bytes], *, options: Options | None = None, **layout: Any) -> Report:
    """Ingest blocks into `folder / "ledger"`, from `folder / "files"`; what is in the ledger stays."""
    lay_out(folder / "files", blocks, **layout)
    return ingest(folder / "files", folder / "ledger", options=options)


def assert_same_ledger(left: Path, right: Path) -> None:
    """Both are sound, and every column that is neither link nor local has the same bytes, clusters among them."""
    assert verify(left) == verify(right) == []
    ours, theirs = (fixed_bytes(folder) for folder in (left, right))
    assert ours.keys() == theirs.keys()
    assert {name for name in ours if ours[name] != theirs[name]} == set()
