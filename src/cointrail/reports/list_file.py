"""A list of rows as a CSV file, whole or not at all; texts of strangers are shielded from spreadsheets."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cointrail.ledger.columns import disk_error
from cointrail.reports.place import place_for
from cointrail.reports.table_files import write_csv
from cointrail.reports.tables import Column, Table


def write_list(
    columns: Sequence[Column], rows: Sequence[tuple[Any, ...]], path: Path, *, overwrite: bool = False
) -> None:
    """Write rows.

    Raises:
        UsageError: as `place_for`.
        Unavailable: the disk refuses.
    """
    place = place_for(path, overwrite=overwrite)
    cells = tuple([row[at] for row in rows] for at in range(len(columns)))
    try:
        with tempfile.TemporaryDirectory(prefix=".cointrail-", dir=place.parent) as folder:
            whole = Path(folder) / "list.csv"
            with whole.open("w", encoding="utf-8", newline="") as file:
                write_csv(Table("list", tuple(columns), cells), file)
            whole.replace(place)
    except OSError as error:
        raise disk_error(error, path) from error
