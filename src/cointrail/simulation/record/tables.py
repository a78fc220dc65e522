"""Truth tables as CSV and Parquet.

A table is written as CSV first (keys in hex, `true` and `false`, empty for none) and turned into Parquet by DuckDB,
which reads that file on one thread in order: rows pass through, none are kept. In Parquet keys are blobs, numbers are
64 bits wide, an absent key is NULL and an absent text is empty.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

import duckdb

from cointrail.simulation.record.hashed import digest_of
from cointrail.simulation.truth import Truth

_TYPES: dict[Any, str] = {bytes: "BLOB", str: "VARCHAR", int: "BIGINT", bool: "BOOLEAN"}
_READ = {"BLOB": "unhex({0})", "VARCHAR": "coalesce({0}, '')", "BIGINT": "{0}::BIGINT", "BOOLEAN": "{0}::BOOLEAN"}


@dataclass(frozen=True, slots=True)
class TableSummary:
    """What was written: rows, and the SHA-256 of the table as CSV, which no Parquet writer's version can change."""

    rows: int
    csv_sha256: str


def write_tables(folder: Path, truth: Truth, *, keep_csv: bool) -> dict[str, TableSummary]:
    """Write all truth tables into a new folder.

    Args:
        folder: where.
        truth: what.
        keep_csv: True to leave the CSV files beside the Parquet files.
    """
    folder.mkdir(parents=True)
    summaries = {}
    with duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "1GB", "temp_directory": ""}) as connection:
        for name, row_class, rows in truth.tables():
            path = folder / f"{name}.csv"
            count = write_csv(path, row_class, rows)
            summaries[name] = TableSummary(count, digest_of(path).sha256)
            connection.execute(_copy(path, row_class))
            if not keep_csv:
                path.unlink()
    return summaries


def write_csv(path: Path, row_class: Any, rows: Iterable[object]) -> int:
    """Write rows of one class; returns their number."""
    names = [column.name for column in fields(row_class)]
    convert = [_converter(column.type) for column in fields(row_class)]
    special = [(number, function) for number, function in enumerate(convert) if function is not None]
    read, count = attrgetter(*names), 0
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            values = list(read(row))
            for number, function in special:
                values[number] = function(values[number])
            writer.writerow(values)
            count += 1
    return count


def _converter(kind: Any) -> Callable[[Any], str] | None:
    if kind is bytes:
        return bytes.hex
    return (lambda value: "true" if value else "false") if kind is bool else None


def _copy(path: Path, row_class: Any) -> str:
    """The statement that turns a CSV file into the Parquet file beside it."""
    columns = [(column.name, _TYPES[column.type]) for column in fields(row_class)]
    texts = ", ".join(f"'{name}': 'VARCHAR'" for name, _ in columns)
    chosen = ", ".join(f'{_READ[kind].format(_quoted(name))} AS "{name}"' for name, kind in columns)
    source = (
        f"read_csv({_text(path)}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
        f"new_line = '\\n', parallel = false, max_line_size = 10000000, columns = {{{texts}}})"
    )
    target = _text(path.with_suffix(".parquet"))
    return f"COPY (SELECT {chosen} FROM {source}) TO {target} (FORMAT parquet, COMPRESSION zstd)"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
