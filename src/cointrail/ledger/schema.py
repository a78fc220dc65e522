"""Every table and column of the store, and the format number. The format page is generated from this file.

A row's id is its position in chain order. All integers are little-endian. A column is either *fixed* (written once,
with its row) or a *link*: a cell that a later row may rewrite, holding the id of the row that wrote it, so that a
reader ignores a link that points beyond its snapshot.
"""

from dataclasses import dataclass

FORMAT = 1

NONE = -1
"""An empty link or reference in an i64 column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One file of fixed-width cells.

    Attributes:
        name: column name; the file is `TABLE/NAME.col`.
        dtype: numpy type of one element, little-endian.
        width: elements a cell (32 for a hash), 1 for a plain number.
        text: what the cell holds, for the format page.
        link: True if later rows may rewrite the cell.
        local: True if the cell says where the source lay on this host; such a column is outside the digest.
    """

    name: str
    dtype: str
    text: str
    width: int = 1
    link: bool = False
    local: bool = False

    @property
    def row_bytes(self) -> int:
        """Bytes of one cell."""
        return int(self.dtype[-1]) * self.width


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length; `row_id` names what a row number is called."""

    name: str
    row_id: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


BLOCK = Table(
    "block",
    "height",
    (
        Column("hash", "<u1", "double SHA-256 of the header, internal order", 32),
        Column("header", "<u1", "the 80 header bytes", 80),
        Column("time", "<u4", "miner-declared time, seconds since 1970 UTC"),
        Column(
            "median_time",
            "<u4",
            "median of its time and the 10 before, the node's mediantime; never decreases (BIP113)",
        ),
        Column("size", "<u4", "bytes with witness"),
        Column("weight", "<u4", "3 x bytes without witness + bytes with witness (BIP141)"),
        Column("first_transaction", "<u4", "tx_index of the coinbase"),
        Column("first_script", "<u4", "scripts seen before this block"),
        Column("first_script_byte", "<i8", "script_byte rows before this block"),
        Column("fees_sat", "<i8", "sum of the fees"),
        Column("unclaimed_sat", "<i8", "subsidy + fees - outputs of the coinbase"),
        Column("unspent_outputs", "<i8", "spendable unspent outputs after this block"),
        Column("unspent_value_sat", "<i8", "their value"),
        Column("file_number", "<u4", "number of the block file", local=True),
        Column("file_offset", "<i8", "where the block's bytes begin in it", local=True),
        Column("location_check", "<u4", "CRC-32 of height, file_number and file_offset", local=True),
        Column("digest", "<u1", "SHA-256(digest of the previous block, rows of this block)", 32, local=True),
    ),
)
TRANSACTION = Table(
    "transaction",
    "tx_index",
    (
        Column("txid", "<u1", "internal order; not unique: two pairs of coinbases share theirs (BIP30)", 32),
        Column("first_input", "<i8", "input_index of its first input"),
        Column("first_output", "<i8", "output_index of its first output"),
        Column("version", "<i4", "version"),
        Column("lock_time", "<u4", "lock time"),
        Column("size", "<u4", "bytes with witness"),
        Column("weight", "<u4", "3 x bytes without witness + bytes with witness"),
        Column("flags", "<u1", "1: has witness"),
    ),
)
INPUT = Table(
    "input",
    "input_index",
    (
        Column("output", "<i8", "output_index of what it spends, -1 for a coinbase"),
        Column("sequence", "<u4", "sequence"),
        Column("flags", "<u2", "fingerprint bits, bitcoin.fingerprint.InputFlag"),
    ),
)
OUTPUT = Table(
    "output",
    "output_index",
    (
        Column("value_sat", "<i8", "value"),
        Column("script", "<u4", "script_id of its scriptPubKey"),
        Column("previous_same_script", "<i8", "the output that paid the same script before, or -1"),
        Column(
            "spender",
            "<i8",
            "input_index that spends it; -1: none; -2 - t: made unspendable by transaction t of the same txid (BIP30)",
            link=True,
        ),
    ),
)
SCRIPT = Table(
    "script",
    "script_id",
    (
        Column("type", "<u1", "bitcoin.script.ScriptType"),
        Column(
            "payload",
            "<u1",
            "hash or witness program (20 or 32 bytes, zero-padded); other types: i64 first script_byte row, "
            "u32 length, first 20 bytes of SHA-256(script)",
            32,
        ),
        Column("last_output", "<i8", "the newest output that pays it", link=True),
    ),
)
SCRIPT_BYTE = Table(
    "script_byte", "byte", (Column("byte", "<u1", "bytes of scripts that do not fit a 32-byte payload"),)
)

TABLES = (BLOCK, TRANSACTION, INPUT, OUTPUT, SCRIPT, SCRIPT_BYTE)


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of each table: what exists for a reader."""

    block: int = 0
    transaction: int = 0
    input: int = 0
    output: int = 0
    script: int = 0
    script_byte: int = 0

    def of(self, table: str) -> int:
        """Rows of the named table."""
        return int(getattr(self, table))

    def as_dict(self) -> dict[str, int]:
        """The counts by table name, in schema order."""
        return {table.name: self.of(table.name) for table in TABLES}


EMPTY = Counts()
