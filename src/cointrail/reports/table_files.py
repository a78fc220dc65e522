"""Tables as CSV, Parquet and JSON.

CSV follows RFC 4180: a header, commas, CR LF, quotes where needed, UTF-8 without a mark; a cell that does not apply is
empty. A foreign text that a spreadsheet would run as a formula begins with an apostrophe there, and only there.
Parquet is made by DuckDB, on one thread and in order, out of such a file; numbers are 64 bits wide, provenance stands
in the key `cointrail`. JSON holds provenance and all tables, a row a line.
"""

import csv
import errno
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from cointrail.reports.provenance import Provenance
from cointrail.reports.tables import FOREIGN, INTEGER, Cells, Column, Table

METADATA_KEY = "cointrail"

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "memory_limit": "1GB", "temp_directory": ""}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def write_csv(table: Table, file: TextIO) -> None:
    """Write a table as CSV; the file is opened with `newline=""`."""
    cells = [_shielded(column, each) for column, each in zip(table.columns, table.cells, strict=True)]
    _write_csv(table.columns, cells, file)


def write_parquet(table: Table, provenance: Provenance, path: Path) -> None:
    """Write a table as Parquet.

    Args:
        table: what.
        provenance: goes into its key-value metadata, as JSON.
        path: of a file that is overwritten; another is made beside it for a while.

    Raises:
        OSError: the disk refuses.
    """
    import duckdb

    plain = path.with_name(f"{path.name}.csv")
    try:
        with plain.open("w", encoding="utf-8", newline="") as file:
            _write_csv(table.columns, table.cells, file)
        with duckdb.connect(":memory:", config=dict(_SETTINGS)) as connection:
            connection.execute(_copy(table.columns, plain, path, provenance.text))
    except duckdb.Error as error:
        raise OSError(errno.EIO, str(error)) from error
    finally:
        plain.unlink(missing_ok=True)


def write_json(tables: Iterable[Table], provenance: Provenance, file: TextIO) -> None:
    """Write provenance and tables as one JSON object, a row a line."""
    file.write(f'{{"provenance": {provenance.text}')
    for table in tables:
        file.write(f',\n"{table.name}": [')
        for number, row in enumerate(_rows(table)):
            file.write(f"{',' if number else ''}\n{json.dumps(row, ensure_ascii=False)}")
        file.write("\n]")
    file.write("\n}\n")


def _rows(table: Table) -> Iterator[dict[str, int | str | None]]:
    names = [column.name for column in table.columns]
    for cells in zip(*table.cells, strict=True):
        yield dict(zip(names, cells, strict=True))


def _write_csv(columns: tuple[Column, ...], cells: Iterable[Cells], file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(column.name for column in columns)
    writer.writerows(zip(*cells, strict=True))


def _shielded(column: Column, cells: Cells) -> Cells:
    if column.type != FOREIGN:
        return cells
    return [f"'{text}" if str(text).startswith(_FORMULA) else str(text) for text in cells]


def _copy(columns: tuple[Column, ...], source: Path, target: Path, metadata: str) -> str:
    """The statement that turns a CSV file into a Parquet file."""
    texts = ", ".join(f"'{column.name}': 'VARCHAR'" for column in columns)
    chosen = ", ".join(
        f'"{column.name}"::BIGINT AS "{column.name}"'
        if column.type == INTEGER
        else f'coalesce("{column.name}", \'\') AS "{column.name}"'
        for column in columns
    )
    read = (
        f"read_csv({_text(str(source))}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
        f"new_line = '\\r\\n', parallel = false, max_line_size = 10000000, columns = {{{texts}}})"
    )
    return (
        f"COPY (SELECT {chosen} FROM {read}) TO {_text(str(target))} "
        f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{METADATA_KEY}: {_text(metadata)}}})"
    )


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
