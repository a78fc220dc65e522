"""Building a ledger and checking it."""

from dataclasses import dataclass
from pathlib import Path

from cointrail.bitcoin.network import network_named
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.verify import cluster_damage
from cointrail.ingest.pipeline import ingest as run_ingest
from cointrail.ingest.report import Options, Report, Stop, Watch
from cointrail.ledger import manifest as manifests
from cointrail.ledger import verify as verification
from cointrail.ledger.reader import Reader
from cointrail.service.lists import lists_in_force
from cointrail.service.memory import PeakMemory


@dataclass(frozen=True, slots=True)
class IngestAnswer:
    """What an ingest did. See `ingest.report.Report`; memory and sizes in bytes."""

    network: str
    height: int
    block_hash: str
    digest: str
    source: str
    complete: bool
    blocks: int
    transactions: int
    bytes: int
    rewound: int
    seconds: float
    stages: dict[str, float]
    files: int
    records: int
    duplicates: int
    stale: int
    rivals: int
    gaps: tuple[str, ...]
    failed: tuple[str, ...]
    refused: tuple[str, ...]
    damaged: tuple[str, ...]
    orphans: tuple[str, ...]
    peak_anonymous_bytes: int
    peak_resident_bytes: int
    ledger_bytes: int


def ingest(
    source: Path,
    ledger: Path,
    *,
    network: str | None = None,
    until: int | None = None,
    watch: Watch = lambda _: None,
    stop: Stop = lambda: False,
) -> IngestAnswer:
    """Bring a ledger up to the most-work valid chain of a folder of block files.

    Raises:
        UsageError: an unknown network, or several networks in the folder.
        InputRefused, Unavailable, Interrupted: as `ingest.pipeline.ingest`.
    """
    lists = lists_in_force(ledger, manifests.read(ledger).clustering) if manifests.exists(ledger) else ()
    with PeakMemory() as memory:
        report = run_ingest(
            source,
            ledger,
            network=network_named(network) if network else None,
            options=Options(until=until),
            watch=watch,
            stop=stop,
            cluster=lambda writer, *, measure: bring_up(writer, lists, measure=measure),
        )
    return _answer(report, memory, ledger)


def _answer(report: Report, memory: PeakMemory, ledger: Path) -> IngestAnswer:
    return IngestAnswer(
        network=report.network,
        height=report.height,
        block_hash=report.block_hash,
        digest=report.digest,
        source=report.source,
        complete=report.complete,
        blocks=report.blocks,
        transactions=report.transactions,
        bytes=report.bytes,
        rewound=report.rewound,
        seconds=report.seconds,
        stages=report.stages,
        files=report.files,
        records=report.records,
        duplicates=report.duplicates,
        stale=report.stale,
        rivals=report.rivals,
        gaps=tuple(report.gaps),
        failed=tuple(report.failed),
        refused=tuple(report.refused),
        damaged=tuple(report.damaged),
        orphans=tuple(report.orphans),
        peak_anonymous_bytes=memory.anonymous,
        peak_resident_bytes=memory.resident,
        ledger_bytes=sum(path.stat().st_size for path in ledger.rglob("*") if path.is_file()),
    )


@dataclass(frozen=True, slots=True)
class VerifyAnswer:
    """What a check found: `sound` is True if everything agrees."""

    ledger: str
    sound: bool
    damages: tuple[verification.Damage, ...]


def verify(ledger: Path, *, watch: verification.Watch = lambda *_: None) -> VerifyAnswer:
    """Check a whole ledger.

    Raises:
        Unavailable: there is no ledger there.
    """
    damages = verification.verify(ledger, watch)
    if not damages:
        lists = lists_in_force(ledger, manifests.read(ledger).clustering)
        with Reader(ledger) as reader:
            damages = [verification.Damage(where, what) for where, what in cluster_damage(reader, lists, watch)]
    return VerifyAnswer(str(ledger), not damages, tuple(damages))
