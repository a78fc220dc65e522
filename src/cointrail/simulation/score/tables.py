"""Truth tables and result files as SQL views of one in-memory database.

Keys are 32 bytes in internal order in the truth and hex in result files; the views show both as lower-case hex. Result
files of later criteria may be absent, which `has` tells; their cells are text as it stands in the file, empty as NULL.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cointrail.errors import InputRefused

_TRUTH = (
    "entities", "scripts", "transactions", "inputs", "outputs", "mix_links", "payments", "payment_sources", "accounts",
    "cashouts", "taint",
)  # fmt: skip
_RESULTS = (
    "ledger", "transactions", "outputs", "partition", "partition_l2", "changes", "coinjoins", "merges", "cluster",
)  # fmt: skip
# Columns of result files that may be absent.
_LATER = {
    "sources": (
        "payment_txid", "vout", "height", "time_utc", "value_sat", "fiat_minor", "currency", "price_source", "exchange",
    ),
    "backward": ("payment_txid", "vout", "verdict", "exchange", "stop_txid", "stop_reason"),
    "cashouts": ("exchange", "txid", "vout", "value_sat", "basis", "candidate_set", "probability"),
    "names": ("script_hash", "name", "categories", "standing"),
    "taint": (
        "target_id", "rule", "source_set", "total_sat", "traced_sat", "untraced_sat", "fee_sat", "lower_sat",
        "upper_sat",
    ),
}  # fmt: skip
_REQUEST = ("exchange", "txid", "vout", "height", "time_utc", "value_sat")

_CSV = """read_csv(?, header = true, delim = ',', quote = '"')"""
_TEXT = """read_csv(?, header = true, delim = ',', quote = '"', all_varchar = true)"""


class Tables:
    """Views `truth_NAME`, `result_NAME`, `request_N` and `input_prices`. A context manager.

    Args:
        results: folder of the product's result files.
        world: folder of the world.

    Attributes:
        requests: views of the legal requests, one a file.

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
        self._view("input_prices", world / "inputs" / "prices.csv", _TEXT)
        self._later = {name for name in _LATER if (results / f"{name}.csv").is_file()}
        for name in sorted(self._later):
            self._view(f"result_{name}", results / f"{name}.csv", _TEXT, _LATER[name])
        files = enumerate(sorted((results / "requests").glob("*.csv")))
        self.requests = tuple(self._view(f"request_{number}", path, _TEXT, _REQUEST) for number, path in files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def has(self, name: str) -> bool:
        """Whether a result file that may be absent is there."""
        return name in self._later

    def _view(self, name: str, path: Path, source: str, required: Sequence[str] = ()) -> str:
        if not path.is_file():
            raise InputRefused(f"{path} is missing", hint="give a complete world, made by `cointrail simulate`")
        try:
            described = self._connection.execute(f"DESCRIBE SELECT * FROM {source}", [str(path)]).fetchall()
            columns = ", ".join(
                f"lower(hex({_quoted(column)})) AS {_quoted(column)}" if kind == "BLOB" else _quoted(column)
                for column, kind, *_ in described
            )
            if missing := [column for column in required if column not in {each for each, *_ in described}]:
                raise InputRefused(
                    f"{path} lacks the column {missing[0]}", hint=f"its columns are {', '.join(required)}"
                )
            # Names are this module's or quoted, the path is a parameter.
            self._connection.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM {source}", [str(path)])
        except self._refused as error:
            raise InputRefused(f"{path} cannot be read: {_first_line(error)}") from error
        return name

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
