"""One pass from block files to a published ledger.

Two threads: one reads, parses and hashes the next batch while the other resolves, checks, numbers and writes the
present one. Memory is bounded by the batch size and the unspent outputs.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import Network
from cointrail.errors import InputRefused, Interrupted
from cointrail.ingest.block_files import Gap, Record, is_complete, open_folder, scan
from cointrail.ingest.faults import BadBlock
from cointrail.ingest.headers import NO_PARENT, HeaderTree, Orphan, build_tree, header_work
from cointrail.ingest.intern import intern
from cointrail.ingest.parsed import ParsedBlocks
from cointrail.ingest.producer import Producer
from cointrail.ingest.report import Cluster, Options, Progress, Report, Stop, Watch
from cointrail.ingest.resolve import BulkResolver, IndexResolver, KeyClash, Resolver
from cointrail.ingest.rows import make_batch
from cointrail.ingest.same_key import find_same_keys
from cointrail.ingest.timing import Stages
from cointrail.ingest.values import check_values
from cointrail.ledger.manifest import Refused
from cointrail.ledger.writer import Writer

# A bulk resolver costs a pass over all outputs; below this share of new bytes the index is cheaper.
_BULK_BYTES_PER_OUTPUT = 4


def ingest(
    source: Path,
    ledger: Path,
    *,
    network: Network | None = None,
    options: Options | None = None,
    watch: Watch = lambda _: None,
    stop: Stop = lambda: False,
    cluster: Cluster = lambda writer, *, measure: None,
) -> Report:
    """Bring a ledger up to the most-work valid chain of a folder of block files.

    Args:
        source: a node's data directory, its `blocks` folder, or any folder of block files.
        ledger: the ledger's folder, made if it does not exist.
        network: the network, or None to recognise it.
        options: how far and how.
        watch: called with progress.
        stop: asked between batches; True ends the run after publishing.
        cluster: brings the clusters up to the writer's last block; called after every batch, before it is published.

    Raises:
        InputRefused: the files are of another network or begin elsewhere.
        Unavailable: something cannot be read or written, or another writer is at work.
        Interrupted: `stop` said so; what was published stays.
    """
    return _Ingest(source, ledger, network, options or Options(), watch, stop, cluster).run()


class _Ingest:
    def __init__(
        self,
        source: Path,
        ledger: Path,
        network: Network | None,
        options: Options,
        watch: Watch,
        stop: Stop,
        cluster: Cluster,
    ) -> None:
        self.folder = open_folder(source, network)
        self.ledger, self.options, self.watch, self.stop = ledger, options, watch, stop
        self.cluster = cluster
        self.stages, self.report = Stages(), Report()
        self.began = time.perf_counter()
        self.resolver: Resolver | None = None
        self.refused: list[Refused] = []

    def run(self) -> Report:
        tree, gaps = self._read_headers()
        report = self.report
        report.network, report.source = self.folder.network.name, str(self.folder.path)
        report.gaps = [str(gap) for gap in gaps]
        report.failed = [f"{self._place(record)}: {reason}" for record, reason in tree.failed]
        report.orphans = [self._orphan(orphan) for orphan in tree.orphans]
        report.duplicates = tree.duplicates
        with Writer(self.ledger, self.folder.network.name) as writer:
            self.refused = list(writer.manifest.refused)
            self._refuse_known(tree)
            self._follow(tree, writer)
            self._cluster(writer)
            if writer.clustering != writer.manifest.clustering:  # built by other rules before
                self._publish(writer)
            manifest = writer.manifest
        report.height, report.block_hash, report.digest = manifest.height, manifest.block_hash, manifest.digest
        report.stages = self.stages.seconds
        report.seconds = time.perf_counter() - self.began
        return report

    def _place(self, record: Record) -> str:
        return f"{self.folder.path_of(record.file_number).name} at byte {record.offset}"

    def _orphan(self, orphan: Orphan) -> str:
        return (
            f"block {display(orphan.block_hash)} in {self._place(orphan.record)} needs block "
            f"{display(orphan.parent_hash)}, which is not in the files"
        )

    # The source.

    def _read_headers(self) -> tuple[HeaderTree, list[Gap]]:
        records: list[Record] = []
        gaps: list[Gap] = []
        with self.stages.measure("scan"):
            for number, file in enumerate(self.folder.files):
                self._check_stop()
                self.watch(Progress("scan", 0, 0, 0, number, len(self.folder.files), self._elapsed()))
                found, holes = scan(self.folder, file)
                records += found
                gaps += holes
            while records and not is_complete(self.folder, records[-1]):
                last = records.pop()
                gaps.append(
                    Gap(self.folder.path_of(last.file_number), last.offset, last.size, "the last block is incomplete")
                )
            tree = build_tree(records, self.folder.network)
        self.report.files, self.report.records = len(self.folder.files), len(records)
        if not tree.records:
            first = f"{self.folder.files[0].path.name} is the first file"
            raise InputRefused(
                f"the genesis block of {self.folder.network.name} is not in {self.folder.path} ({first})",
                hint="a pruned node has deleted its early blocks: use an unpruned node, or a copy of all its files",
            )
        return tree, gaps

    def _refuse_known(self, tree: HeaderTree) -> None:
        """Leave out what an earlier run found invalid: a block's hash commits to its faults."""
        known = {entry.block_hash for entry in self.refused}
        for position, block_hash in enumerate(tree.hashes):
            if known and display(block_hash) in known:
                tree.refuse(position)
        self.report.refused = [f"{entry.reason} (found before)" for entry in self.refused]

    # The chain.

    def _follow(self, tree: HeaderTree, writer: Writer) -> None:
        """Follow the best chain; when a block on it is refused, the best chain without it.

        In a tie the ledger keeps the branch it began this run on, if it was on one of them.
        """
        home = writer.block_hash(writer.height) if writer.height >= 0 else b""
        while True:
            tip, rivals = tree.best(home)
            chain = tree.chain_to(tip) if tip != NO_PARENT else []
            self.report.rivals = rivals
            fork = _common_height(writer, tree, chain)
            if not self._is_better(writer, tree, chain, fork, home):
                break
            wanted = chain if self.options.until is None else chain[: self.options.until + 1]
            if fork < writer.height:
                if fork + 1 >= len(wanted):
                    break
                self.report.rewound += writer.height - fork
                with self.stages.measure("rewind"):
                    writer.rewind(fork)
                self.resolver = None
            if fork + 1 >= len(wanted):
                break
            bad = self._extend(writer, tree, wanted, fork + 1)
            if bad is None:
                break
            self._refuse(tree, wanted, *bad)
        self.report.stale = len(tree.records) - len(chain) - len(tree.refused)
        if writer.manifest.refused != tuple(self.refused) or writer.manifest.source != str(self.folder.path):
            writer.publish(source=str(self.folder.path), refused=tuple(self.refused))

    def _is_better(self, writer: Writer, tree: HeaderTree, chain: Sequence[int], fork: int, home: bytes) -> bool:
        """True if the chain has more work than the ledger's.

        Also if it has as much and the ledger has left its own branch for one with a refused block.
        """
        if fork == writer.height:
            return True
        if fork < 0:
            raise InputRefused(f"the ledger {self.ledger} does not begin with the genesis block of these files")
        ours = header_work(bytes(row) for row in writer.column("block", "header")[fork + 1 :])
        theirs = tree.chainwork[chain[-1]] - tree.chainwork[chain[fork]] if chain else 0
        return theirs > ours or (theirs == ours and writer.block_hash(writer.height) != home)

    def _refuse(self, tree: HeaderTree, chain: Sequence[int], height: int, bad: BadBlock) -> None:
        self.resolver = None
        position = chain[height]
        place = self._place(tree.records[position])
        if bad.damaged and tree.use_copy(position):
            self.report.gaps.append(f"{place}: {bad}; a copy of it is read in its place")
            return
        gone = tree.refuse(position)
        text = str(bad) + (f"; {gone - 1} blocks above it go with it" if gone > 1 else "")
        if bad.damaged:
            self.report.damaged.append(f"{text} ({place})")
        else:
            self.report.refused.append(text)
            self.refused.append(Refused(display(tree.hashes[position]), height, text))

    def _extend(
        self, writer: Writer, tree: HeaderTree, chain: Sequence[int], first: int
    ) -> tuple[int, BadBlock] | None:
        """Append the chain from a height on; returns (height, error) at a bad block, everything below it published."""
        records = [tree.records[position] for position in chain]
        total = sum(record.size for record in records[first:])
        if self.resolver is None:
            self.resolver = self._new_resolver(writer, total)
        done = unpublished = 0
        bad: tuple[int, BadBlock] | None = None
        with Producer(self.folder, records, first, self.options.batch_bytes, self.stages) as batches:
            for batch in batches:
                height = writer.height + 1
                try:
                    if isinstance(batch, BadBlock):
                        raise batch
                    self._append(writer, batch)
                except BadBlock as error:
                    bad = (height + error.number, error)
                    break
                done += int(batch.blocks.end[-1])
                unpublished += int(batch.blocks.end[-1])
                if unpublished >= self.options.publish_bytes:
                    self._publish(writer)
                    unpublished = 0
                self.watch(
                    Progress(
                        "ingest", writer.height, len(chain) - 1, self.report.transactions, done, total, self._elapsed()
                    )
                )
                if self.stop():
                    self._publish(writer)
                    raise Interrupted(
                        f"stopped at height {writer.height}; the ledger is published up to there",
                        hint="run the same command again to go on",
                    )
        if unpublished or writer.height != writer.manifest.height:
            self._publish(writer)
        if bad is not None and bad[0] > writer.height + 1:
            # The blocks of its batch below the bad one are sound: take them before turning to another branch.
            self.resolver = None
            return self._extend(writer, tree, chain[: bad[0]], writer.height + 1) or bad
        return bad

    def _new_resolver(self, writer: Writer, new_bytes: int) -> Resolver:
        bulk = self.options.bulk
        if bulk is None:
            bulk = new_bytes * _BULK_BYTES_PER_OUTPUT >= writer.counts.output
        return self._bulk_resolver(writer) if bulk else IndexResolver(writer, self.folder.network)

    def _bulk_resolver(self, writer: Writer) -> Resolver:
        """The unspent outputs under a salt that lets no two of them clash."""
        with self.stages.measure("unspent"):
            while True:
                try:
                    return BulkResolver(writer, self.folder.network)
                except KeyClash:
                    continue

    def _append(self, writer: Writer, parsed: ParsedBlocks) -> None:
        assert self.resolver is not None
        with self.stages.measure("resolve"):
            try:
                resolved = self.resolver.resolve(parsed)
            except KeyClash:
                self.resolver = self._bulk_resolver(writer)
                resolved = self.resolver.resolve(parsed)
        with self.stages.measure("check"):
            sums = check_values(writer, parsed, resolved, self.folder.network)
        with self.stages.measure("intern"):
            interned = intern(writer, parsed)
        with self.stages.measure("same key"):
            same_keys = find_same_keys(writer, parsed, resolved, interned)
        with self.stages.measure("write"):
            writer.append(make_batch(writer, parsed, resolved, interned, sums, same_keys))
        self._cluster(writer)
        self.report.blocks += len(parsed.blocks.start)
        self.report.transactions += len(parsed.txid)
        self.report.bytes += int(parsed.blocks.end[-1])

    def _cluster(self, writer: Writer) -> None:
        self.cluster(writer, measure=self.stages.measure)

    def _publish(self, writer: Writer) -> None:
        with self.stages.measure("publish"):
            writer.publish(source=str(self.folder.path), refused=tuple(self.refused))

    def _check_stop(self) -> None:
        if self.stop():
            raise Interrupted("stopped while reading headers; nothing was changed")

    def _elapsed(self) -> float:
        return time.perf_counter() - self.began


def _common_height(writer: Writer, tree: HeaderTree, chain: Sequence[int]) -> int:
    """Greatest height at which the ledger and the chain have the same block, -1 for none."""
    hashes = writer.column("block", "hash")
    low, high = -1, min(writer.height, len(chain) - 1)
    while low < high:
        middle = (low + high + 1) // 2
        if bytes(hashes[middle]) == tree.hashes[chain[middle]]:
            low = middle
        else:
            high = middle - 1
    return low
