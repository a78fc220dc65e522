"""How well does the product do on a world whose truth is known?"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from cointrail.bitcoin.hashes import double_sha256
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.service.acceptance.cash_outs import write_cash_outs
from cointrail.service.acceptance.market import follow_purchases, market_scripts, packs, with_receipts, write_market
from cointrail.service.acceptance.names import write_names
from cointrail.service.acceptance.sources import write_sources
from cointrail.service.acceptance.taint import Target, write_taint
from cointrail.service.results import write_results
from cointrail.simulation.record.manifest import NAME, Manifest
from cointrail.simulation.score.schedule import schedule_of
from cointrail.simulation.score.scorer import Score
from cointrail.simulation.score.scorer import score as compare

_HEADER_BYTES = 80
_DEEP = 6
"""Blocks below the tip where two ledgers of one chain agree, whichever branch each took at its end."""


def score(world: Path, ledger: Path, *, results: Path | None = None) -> Score:
    """Drive the product over a world's ledger, write its result files, and compare them with the truth.

    Args:
        world: a folder made by `cointrail simulate`.
        ledger: the ledger of its chain.
        results: where to keep the result files; a temporary folder if not given.

    Raises:
        InputRefused: the world is incomplete, or the ledger is of another chain.
        Unavailable: there is no ledger.
    """
    with tempfile.TemporaryDirectory(prefix="cointrail-score-") as temporary:
        folder = results or Path(temporary)
        with Reader(ledger) as reader:
            _check(world, reader)
            answer(world, reader, folder, schedule_of(world))
        return compare(folder, world)


def answer(world: Path, reader: Reader, folder: Path, schedule: Sequence[Target] = ()) -> None:
    """Write every result file: about the whole ledger, and from the investigator's inputs. The truth is not read.

    Args:
        world: its folder `inputs` is read.
        reader: the ledger of its chain.
        folder: for the result files.
        schedule: the accounts that criterion 8 asks about; without them it is left unanswered.

    Raises:
        InputRefused: an input is missing or malformed.
        Unavailable: the ledger has no clusters, or it changed meanwhile.
    """
    write_results(reader, folder)
    inputs = world / "inputs"
    tags = packs(reader, inputs)
    write_names(reader, with_receipts(reader, inputs, tags), folder)
    followed = follow_purchases(reader, inputs, tags)
    write_market(reader, followed, folder)
    market = market_scripts(reader, followed)
    write_sources(reader, inputs, tags, market, folder)
    write_cash_outs(reader, tags, market, folder)
    if schedule:
        write_taint(reader, _held(reader, schedule), folder)
    reader.check_current()


def _held(reader: Reader, schedule: Sequence[Target]) -> list[Target]:
    """The accounts that can be asked about: a ledger that ends early lacks outputs of some."""
    return [
        target
        for target in schedule
        if all(reader.find_transactions(txid) for txid, _ in (*target.sources, *target.targets))
    ]


def _check(world: Path, reader: Reader) -> None:
    """Refuse what would only be found out after minutes of work."""
    hint = "give a complete world, made by `cointrail simulate`"
    if not (world / NAME).is_file():
        raise InputRefused(f"{world} is not a world: it has no {NAME}", hint=hint)
    if not Manifest.read(world).tables:
        raise InputRefused(f"{world} is a chain alone, without truth", hint="scale bench has none; use another")
    try:
        headers = (world / "chain" / "headers.bin").read_bytes()
    except OSError as error:
        raise InputRefused(f"{world} is incomplete: chain/headers.bin cannot be read", hint=hint) from error
    last = len(headers) // _HEADER_BYTES - 1
    height = max(min(reader.height, last) - _DEEP, 0)
    header = headers[_HEADER_BYTES * height : _HEADER_BYTES * (height + 1)]
    if reader.block_hash(height) != double_sha256(header):
        raise InputRefused(
            f"the ledger is not of {world}: they differ at height {height}",
            hint="ingest the world's chain into a ledger of its own",
        )
