"""Truth tables and result files as SQL views of one in-memory database.

Keys are 32 bytes in internal order in the truth and hex in result files; the views show both as lower-case hex.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cointrail.errors import InputRefused

_TRUTH = ("entities", "scripts", "transactions", "inputs", "outputs", "mix_links")
_RESULTS = (
    "ledger", "transactions", "outputs", "partition", "partition_l2", "changes", "coinjoins", "merges", "cluster",
)  # fmt: skip

_CSV = """read_csv(?, header = true, delim = ',', quote = '"')"""


class Tables:
    """Views `truth_NAME` and `result_NAME`. A context manager.

    Args:
        results: folder of the product's result files.
        world: folder of the world.

    Raises:
        InputRefused: a file is missing or cannot be read.
    """

    def __init__(self, results: Path, world: Path) -> None:
        import duckdb

        self._refused = duckdb.Error
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET threads = 2")
        for name in _TRUTH:
            self._view(f"truth_{name}", world / "truth" / f"{name}.parquet", "read_parquet(?)")
        for name in _RESULTS:
            self._view(f"result_{name}", results / f"{name}.csv", _CSV)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def _view(self, name: str, path: Path, source: str) -> None:
        if not path.is_file():
            raise InputRefused(f"{path} is missing", hint="give a complete world, made by `cointrail simulate`")
        try:
            described = self._connection.execute(f"DESCRIBE SELECT * FROM {source}", [str(path)]).fetchall()
            columns = ", ".join(
                f"lower(hex({_quoted(column)})) AS {_quoted(column)}" if kind == "BLOB" else _quoted(column)
                for column, kind, *_ in described
            )
            # Names are this module's or quoted, the path is a parameter.
            self._connection.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM {source}", [str(path)])
        except self._refused as error:
            raise InputRefused(f"{path} cannot be read: {_first_line(error)}") from error

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """All rows of a query."""
        try:
            result: Sequence[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        except self._refused as error:
            raise InputRefused(f"the tables are not those of a world and its results: {_first_line(error)}") from error
        return result

    def numbers(self, query: str) -> tuple[int, ...]:
        """The one row of a query, as whole numbers; nothing counts as 0."""
        return tuple(int(value or 0) for value in self.rows(query)[0])


def _quoted(column: str) -> str:
    """A column's name in SQL."""
    return '"' + column.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
