"""A list of rows as a CSV file, whole or not at all; texts of strangers are shielded from spreadsheets."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cointrail.errors import UsageError
from cointrail.ledger.columns import disk_error
from cointrail.reports.table_files import write_csv
from cointrail.reports.tables import Column, Table


def write_list(
    columns: Sequence[Column], rows: Sequence[tuple[Any, ...]], path: Path, *, overwrite: bool = False
) -> None:
    """Write rows.

    Raises:
        UsageError: the file exists and is not to be replaced, or there is no such folder.
        Unavailable: the disk refuses.
    """
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists", hint="give another name, or --overwrite")
    cells = tuple([row[place] for row in rows] for place in range(len(columns)))
    try:
        with tempfile.TemporaryDirectory(prefix=".cointrail-", dir=path.parent) as folder:
            whole = Path(folder) / "list.csv"
            with whole.open("w", encoding="utf-8", newline="") as file:
                write_csv(Table("list", tuple(columns), cells), file)
            whole.replace(path)
    except FileNotFoundError as error:
        raise UsageError(f"{path.parent} is no folder", hint="give a file in a folder that exists") from error
    except OSError as error:
        raise disk_error(error, path) from error
