"""Recompute everything about a ledger that can be recomputed, and say where it is damaged.

Rows are checked block by block against the digest chain, so damage is found at its height; links are recomputed from
the rows; index runs are checked against their SHA-256, their order and the rows they lead to; sums are added up again.
Memory: one bit for each output, and chunks.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.amounts import subsidy_sat
from cointrail.bitcoin.hashes import double_sha256
from cointrail.bitcoin.network import NETWORKS
from cointrail.errors import Unavailable
from cointrail.ledger import manifest as manifests
from cointrail.ledger.columns import Array
from cointrail.ledger.digest import START, block_digests
from cointrail.ledger.indexes import TXID, Run, keys_of
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE, TABLES, Column, Counts, Table
from cointrail.ledger.snapshot import counts_at
from cointrail.ledger.verify_forest import forest_damage
from cointrail.ledger.writer import location_checks

I64 = npt.NDArray[np.int64]

_CHUNK = 1 << 20
_BLOCKS = 256
_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Damage:
    """One place that does not agree with the rest.

    Attributes:
        where: file or rows, as precisely as known.
        what: what is wrong there.
    """

    where: str
    what: str


Watch = Callable[[str, int, int], None]


def verify(folder: Path, watch: Watch = lambda *_: None) -> list[Damage]:
    """Check a whole ledger; an empty list means that everything agrees.

    Args:
        folder: the ledger.
        watch: called with (what is being checked, rows done, rows in all).

    Raises:
        Unavailable: there is no ledger, or its manifest cannot be read.
    """
    damages = list(_manifest(folder))
    try:
        reader = Reader(folder)
    except Unavailable as error:
        return [*damages, Damage(str(folder), str(error))]
    with reader:
        for check in (_blocks, _headers, _sums, _spenders, _unspent, _histories, _indexes):
            damages += check(reader, watch)
        damages += [Damage(where, what) for where, what in forest_damage(reader, watch)]
    return damages


def _manifest(folder: Path) -> Iterator[Damage]:
    raw = (folder / manifests.NAME).read_bytes() if manifests.exists(folder) else b""
    if manifests.encode(manifests.read(folder)) != raw:
        yield Damage(manifests.NAME, "it is not written the way this program writes it")


def _first_few(places: I64) -> str:
    shown = ", ".join(str(place) for place in places[:_MOST_SHOWN])
    return shown + (f" and {len(places) - _MOST_SHOWN} more" if len(places) > _MOST_SHOWN else "")


def _chunks(rows: int) -> Iterator[slice]:
    return (slice(first, min(first + _CHUNK, rows)) for first in range(0, rows, _CHUNK))


def _blocks(reader: Reader, watch: Watch) -> Iterator[Damage]:
    """Every block's rows against its digest and the digest before it."""
    tip, digests = reader.height, reader.column("block", "digest")
    if bytes(digests[tip]).hex() != reader.manifest.digest:
        yield Damage("block/digest.col", f"the digest of height {tip} is not the manifest's")
    for height in range(tip + 1):
        if height % _BLOCKS == 0:
            watch("blocks", height, tip + 1)
        counts = _counts_around(reader, height)
        if counts is None:
            yield Damage(f"block {height}", "its row counts make no sense")
            continue
        low, high = counts

        def cells(table: Table, column: Column, low: Counts = low, high: Counts = high) -> Array:
            return reader.column(table.name, column.name)[low.of(table.name) : high.of(table.name)]

        previous = bytes(digests[height - 1]) if height else START
        bounds = np.array([[0] * len(TABLES), [high.of(t.name) - low.of(t.name) for t in TABLES]], np.int64)
        if next(block_digests(previous, cells, bounds)) != bytes(digests[height]):
            yield Damage(f"block {height}", "its rows do not fit its digest")


def _counts_around(reader: Reader, height: int) -> tuple[Counts, Counts] | None:
    """Row counts before and after a block, or None if the rows that say them are damaged."""
    try:
        low, high = counts_at(reader, height - 1), counts_at(reader, height)
    except IndexError:
        return None
    sound = all(0 <= low.of(table.name) <= high.of(table.name) <= reader.counts.of(table.name) for table in TABLES)
    return (low, high) if sound else None


def _headers(reader: Reader, watch: Watch) -> Iterator[Damage]:
    """Hashes, the chain of headers, and the local columns."""
    watch("headers", 0, reader.height + 1)
    headers, hashes = reader.column("block", "header"), reader.column("block", "hash")
    previous = bytes(32)
    for height in range(reader.height + 1):
        header = bytes(headers[height])
        if double_sha256(header) != bytes(hashes[height]) or header[4:36] != previous:
            yield Damage(f"block {height}", "its header does not fit its hash or the block before it")
        previous = bytes(hashes[height])
    if bytes(hashes[0]) != NETWORKS[reader.manifest.network].genesis_hash:
        yield Damage("block 0", f"it is not the genesis block of {reader.manifest.network}")
    if previous[::-1].hex() != reader.manifest.block_hash:
        yield Damage(manifests.NAME, "its block hash is not that of the last block")
    expected = location_checks(0, reader.column("block", "file_number"), reader.column("block", "file_offset"))
    for moved in np.flatnonzero(expected != reader.column("block", "location_check")):
        yield Damage(f"block {moved}", "where its bytes lie in the block files was changed")


def _sums(reader: Reader, watch: Watch) -> Iterator[Damage]:
    """The identity of every block: spent + subsidy = outputs + unclaimed."""
    network = NETWORKS[reader.manifest.network]
    values, spent = reader.column("output", "value_sat"), reader.column("input", "output")
    unclaimed = reader.column("block", "unclaimed_sat")
    for height in range(reader.height + 1):
        if height % _BLOCKS == 0:
            watch("sums", height, reader.height + 1)
        counts = _counts_around(reader, height)
        if counts is None:
            continue  # said already, with the digests
        low, high = counts
        outputs = spent[low.input : high.input]
        outputs = outputs[(outputs >= 0) & (outputs < reader.counts.output)]
        total_in = int(values[outputs].sum()) + subsidy_sat(height, network.halving_interval)
        if total_in != int(values[low.output : high.output].sum()) + int(unclaimed[height]):
            yield Damage(f"block {height}", "its values do not add up: spent + subsidy is not outputs + unclaimed")


def _spenders(reader: Reader, watch: Watch) -> Iterator[Damage]:
    """Each input's output names it, and every other link is empty, a mark of a BIP30 duplicate, or a leftover."""
    spent, links = reader.column("input", "output"), reader.column("output", "spender")
    for part in _chunks(reader.counts.input):
        watch("spender links", part.start, reader.counts.input)
        outputs, inputs = spent[part], np.arange(part.start, part.stop)
        outside = (outputs < NONE) | (outputs >= reader.counts.output)
        if outside.any():
            yield Damage("input/output.col", f"inputs {_first_few(inputs[outside])} spend outputs that do not exist")
        asked = (outputs >= 0) & ~outside
        wrong = links[outputs[asked]] != inputs[asked]
        if wrong.any():
            yield Damage("output/spender.col", f"outputs {_first_few(outputs[asked][wrong])} do not name their spender")
    for part in _chunks(reader.counts.output):
        watch("spender links back", part.start, reader.counts.output)
        outputs = np.arange(part.start, part.stop)
        named = np.asarray(links[part]) != NONE
        outputs = outputs[named]
        believed = (reader.spenders(outputs) != NONE) | reader.overwritten(outputs)
        for output in outputs[~believed]:
            if not _is_leftover(reader, int(output)):
                yield Damage("output/spender.col", f"output {output} names a spender that does not spend it")


def _is_leftover(reader: Reader, output: int) -> bool:
    """True for a link of a row beyond the counts, as an interrupted writer leaves it; the next writer undoes it."""
    link = reader.cell("output", "spender", output)
    if link is None or link >= 0:
        return link is not None and link >= reader.counts.input and reader.cell("input", "output", link) == output
    later = -2 - link
    if later < reader.counts.transaction:
        return False
    owner = int(reader.transaction_of_outputs(output))
    return reader.raw_cell("transaction", "txid", later) == bytes(reader.column("transaction", "txid")[owner])


def _unspent(reader: Reader, watch: Watch) -> Iterator[Damage]:
    """What the links leave unspent is as many outputs, and worth as much, as the last block says."""
    script, values = reader.column("output", "script"), reader.column("output", "value_sat")
    count = value = 0
    for part in _chunks(reader.counts.output):
        watch("unspent outputs", part.start, reader.counts.output)
        if (script[part] >= reader.counts.script).any():
            return  # said already, with the digests
        unspent = reader.unspent(np.arange(part.start, part.stop))
        count, value = count + int(unspent.sum()), value + int(values[part][unspent].sum())
    stated, stated_value = (int(reader.column("block", name)[-1]) for name in ("unspent_outputs", "unspent_value_sat"))
    if (count, value) != (stated, stated_value):
        what = f"{count} outputs of {value} sat are unspent, but the last block says {stated} of {stated_value}"
        yield Damage("output/spender.col", what)


def _histories(reader: Reader, watch: Watch) -> Iterator[Damage]:
    """Each script's newest output pays it and is not followed by another that pays it."""
    counts = reader.counts
    script, before = reader.column("output", "script"), reader.column("output", "previous_same_script")
    followed = np.zeros(counts.output // 8 + 1, np.uint8)
    for part in _chunks(counts.output):
        watch("script histories", part.start, counts.output)
        earlier = before[part]
        earlier = earlier[(earlier >= 0) & (earlier < counts.output)]
        np.bitwise_or.at(followed, earlier >> 3, (1 << (earlier & 7)).astype(np.uint8))
    links = reader.column("script", "last_output")
    for part in _chunks(counts.script):
        newest, scripts = np.array(links[part], np.int64), np.arange(part.start, part.stop)
        beyond = newest >= counts.output
        for row in np.flatnonzero(beyond):
            newest[row] = reader.newest_output_or_none(int(scripts[row]))
        inside = (newest >= 0) & (newest < counts.output)
        at = np.where(inside, newest, 0)
        right = inside & (script[at] == scripts) & ((followed[at >> 3] >> (at & 7).astype(np.uint8)) & 1 == 0)
        if not right.all():
            yield Damage("script/last_output.col", f"scripts {_first_few(scripts[~right])} name a wrong newest output")


def _indexes(reader: Reader, watch: Watch) -> Iterator[Damage]:
    for name, entries in reader.manifest.indexes.items():
        table = "transaction" if name == TXID else "script"
        following = 0
        for number, (entry, run) in enumerate(zip(entries, reader.runs(name), strict=True)):
            watch(f"{name} index", number, len(entries))
            if entry.first != following:
                yield Damage(manifests.NAME, f"the runs of the {name} index leave out ids from {following} on")
            following = entry.end
            with (reader.folder / "index" / entry.file).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
                    yield Damage(f"index/{entry.file}", "its bytes do not fit the SHA-256 in the manifest")
                    continue
            if not _covers(reader, run, name):
                yield Damage(f"index/{entry.file}", "it does not hold each row once, in order, under its key")
        if following != reader.counts.of(table):
            yield Damage(manifests.NAME, f"the {name} index ends at id {following}")


def _covers(reader: Reader, run: Run, name: str) -> bool:
    ids = run.ids[run.ids < run.end].astype(np.int64)
    if (run.keys[1:] < run.keys[:-1]).any() or not np.array_equal(np.sort(ids), np.arange(run.first, run.end)):
        return False
    if name != TXID:
        return True
    keys = run.keys[run.ids < run.end]
    return bool((keys_of(reader.column("transaction", "txid")[ids]) == keys).all())
