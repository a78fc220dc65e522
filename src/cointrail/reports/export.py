"""A trace as a file, in the format that the name's suffix asks for; whole or not at all.

`.csv` and `.parquet` hold one table, `.json` all of them, `.graphml` every step and output, `.svg` a drawing.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cointrail.errors import UsageError
from cointrail.ledger.columns import disk_error
from cointrail.ledger.manifest import sync_folder
from cointrail.ledger.reader import Reader
from cointrail.reports.drawing.svg import render
from cointrail.reports.flow_graph import DRAWN, EVERYTHING, Bounds, graph_of
from cointrail.reports.graphml import write_graphml
from cointrail.reports.place import exists, place_for
from cointrail.reports.provenance import provenance_of
from cointrail.reports.table_files import write_csv, write_json, write_parquet
from cointrail.reports.tables import COLUMNS, ENDPOINTS, table_of
from cointrail.trace.flow import Flow

SIDECAR = ".provenance.json"
"""What a CSV file cannot hold stands beside it, under its name with this behind."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How to export.

    Attributes:
        table: of `.csv` and `.parquet`, a key of `tables.COLUMNS`.
        bounds: of `.svg`, how much is drawn one by one.
        sources: who attributes, by the name of a service; for `.svg` and `.graphml`.
        overwrite: whether a file that exists is replaced.
    """

    table: str = ENDPOINTS
    bounds: Bounds = DRAWN
    sources: Mapping[str, str] = field(default_factory=dict)
    overwrite: bool = False


PLAIN: Final = Choice()


def export(flow: Flow, reader: Reader, path: Path, choice: Choice = PLAIN) -> tuple[Path, ...]:
    """Write a trace and give the names of the files that were written.

    Args:
        flow: a trace.
        reader: the ledger at the snapshot at which it was made.
        path: of the file; its suffix is the format.
        choice: how.

    Raises:
        UsageError: no format has this suffix, there is no such table or folder, or the file exists.
        SnapshotGone: the chain was reorganised below the snapshot.
        Unavailable: the disk refuses; no file is left.
    """
    writer = _writer_of(path)
    if choice.table not in COLUMNS:
        raise UsageError(f"there is no table {choice.table!r}", hint=f"choose among {', '.join(COLUMNS)}")
    path = place_for(path, overwrite=choice.overwrite)
    beside = [path.with_name(path.name + SIDECAR)] if writer is _as_csv else []
    for each in beside:
        place_for(each, overwrite=choice.overwrite)
    with ExitStack() as files:
        written = {path: files.enter_context(_new_file(path))}
        writer(flow, reader, written[path], choice)
        for sidecar in beside:
            # Before the table: whoever finds one finds the other.
            written = {sidecar: files.enter_context(_new_file(path)), **written}
            _write_sidecar(flow, reader, choice, written[path], written[sidecar])
        reader.check_current()
        _publish_all(written, overwrite=choice.overwrite)
    sync_folder(path.parent)
    return (path, *beside)


Writer = Callable[[Flow, Reader, Path, Choice], None]


def _writer_of(path: Path) -> Writer:
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise UsageError(f"{path}: no format has the suffix {path.suffix!r}", hint=f"choose among {', '.join(WRITERS)}")
    return writer


def _as_csv(flow: Flow, reader: Reader, path: Path, choice: Choice) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write_csv(table_of(choice.table, flow, reader), file)


def _as_parquet(flow: Flow, reader: Reader, path: Path, choice: Choice) -> None:
    write_parquet(table_of(choice.table, flow, reader), provenance_of(flow, reader), path)


def _as_json(flow: Flow, reader: Reader, path: Path, _: Choice) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write_json((table_of(name, flow, reader) for name in COLUMNS), provenance_of(flow, reader), file)


def _as_graphml(flow: Flow, reader: Reader, path: Path, choice: Choice) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write_graphml(graph_of(flow, reader, bounds=EVERYTHING, sources=choice.sources), file)


def _as_svg(flow: Flow, reader: Reader, path: Path, choice: Choice) -> None:
    drawing = render(graph_of(flow, reader, bounds=choice.bounds, sources=choice.sources))
    path.write_text(drawing, encoding="utf-8", newline="")


WRITERS: Final[Mapping[str, Writer]] = MappingProxyType(
    {".csv": _as_csv, ".parquet": _as_parquet, ".json": _as_json, ".graphml": _as_graphml, ".svg": _as_svg}
)


def _write_sidecar(flow: Flow, reader: Reader, choice: Choice, table: Path, path: Path) -> None:
    """Provenance, what the columns mean, and the digest of the table it belongs to."""
    with table.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    document = {
        "table": choice.table,
        "sha256": digest,
        "columns": {column.name: column.meaning for column in COLUMNS[choice.table]},
        **provenance_of(flow, reader).document,
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="")


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """An empty file beside the target; gone at the end unless it was moved."""
    try:
        handle, name = tempfile.mkstemp(prefix=".cointrail-", suffix=".new", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise disk_error(error, path) from error
    try:
        yield Path(name)
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _publish_all(written: Mapping[Path, Path], *, overwrite: bool) -> None:
    """Give complete files their names: all of them, or none that was not there before."""
    published: list[Path] = []
    try:
        for target, source in written.items():
            _publish(source, target, overwrite=overwrite)
            published.append(target)
    except BaseException:
        for target in [] if overwrite else published:
            target.unlink(missing_ok=True)
        raise


def _publish(source: Path, target: Path, *, overwrite: bool) -> None:
    """Give a file that is complete its name, on stable storage."""
    mask = os.umask(0o077)
    os.umask(mask)
    source.chmod(0o666 & ~mask)
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    if overwrite:
        source.replace(target)
        return
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise exists(target) from None
    except OSError:  # a file system without links, such as a stick's
        with suppress(FileNotFoundError):
            target.lstat()
            raise exists(target) from None
        source.replace(target)
