"""Every table and column of the store, and the format number. The format page is generated from this file.

A row's id is its position in chain order. All integers are little-endian. A column is either *fixed* (written once,
with its row) or a *link*: a cell that a later row may rewrite, holding the id of the row that wrote it, so that a
reader ignores a link that points beyond its snapshot.
"""

from dataclasses import dataclass

FORMAT = 2

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
        initial: the numbers of a link before anything is written to it, -1 being all bits set.
    """

    name: str
    dtype: str
    text: str
    width: int = 1
    link: bool = False
    local: bool = False
    initial: tuple[int, ...] = (NONE,)

    @property
    def row_bytes(self) -> int:
        """Bytes of one cell."""
        return int(self.dtype[-1]) * self.width


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length; `row_id` names what a row number is called.

    Attributes:
        ordered_by: of a derived table, the column that holds the tx_index that wrote each row, ascending: it says where
            a snapshot ends.
    """

    name: str
    row_id: str
    columns: tuple[Column, ...]
    ordered_by: str = ""

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
"""The chain itself: what the digest covers."""

SAME_KEY = Table(
    "same_key",
    "row",
    (
        Column("tx_index", "<u4", "the transaction that completes the proof"),
        Column("script_a", "<u4", "script_id"),
        Column("script_b", "<u4", "the smallest script_id of another spelling of its key or script"),
        Column("kind", "<u1", "bitcoin.spelling.SameKeyKind"),
        Column("check", "<u4", "checksum of the row and its number"),
    ),
    "tx_index",
)
CLUSTER = Table(
    "cluster",
    "script_id",
    (
        Column(
            "link",
            "<u4",
            "parent: the script it hangs below, or for a root how many scripts hang together; linked_at: tx_index that "
            "hung it there, all bits set for a root; last_child: newest merge that hung a root below it, all bits set "
            "for none",
            width=3,
            link=True,
            initial=(1, NONE, NONE),
        ),
    ),
)
MERGE = Table(
    "merge",
    "merge_index",
    (
        Column("tx_index", "<u4", "the transaction that joined two clusters at level L1"),
        Column("child", "<u4", "root that was hung"),
        Column("parent", "<u4", "root it was hung below"),
        Column("child_size", "<u4", "scripts below the child before"),
        Column("parent_size", "<u4", "scripts below the parent before"),
        Column("previous_sibling", "<u4", "the merge before it with the same parent; all bits set: none"),
        Column("check", "<u4", "checksum of the row and its number: tells a row that reached the disk"),
    ),
    "tx_index",
)
COLLABORATIVE = Table(
    "collaborative",
    "row",
    (
        Column("tx_index", "<u4", "a transaction whose co-spend is not believed"),
        Column("signs", "<u4", "every detector that forbids it, cluster.gate.kinds.Sign"),
    ),
    "tx_index",
)
CHANGE = Table(
    "change",
    "row",
    (
        Column("decided_at", "<u4", "the greatest tx_index that the decision read"),
        Column("tx_index", "<u4", "the transaction whose change was decided"),
        Column("output", "<i8", "output_index of the change"),
        Column("script_a", "<u4", "smallest script_id of its inputs"),
        Column("script_b", "<u4", "script_id of the change"),
        Column("votes", "<u4", "the rules that chose this output, bit n for rule Cn"),
    ),
    "decided_at",
)
DISPUTE = Table(
    "dispute",
    "row",
    (
        Column("decided_at", "<u4", "the transaction that shows it"),
        Column("tx_index", "<u4", "the co-spend that is disputed"),
        Column("reason", "<u1", "cluster.disputes.Reason"),
    ),
    "decided_at",
)

DERIVED = (SAME_KEY, CLUSTER, MERGE, COLLABORATIVE, CHANGE, DISPUTE)
"""What follows from the chain by rules with a version: outside the digest, recomputed by `verify`."""

ALL_TABLES = (*TABLES, *DERIVED)


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of each table: what exists for a reader."""

    block: int = 0
    transaction: int = 0
    input: int = 0
    output: int = 0
    script: int = 0
    script_byte: int = 0
    same_key: int = 0
    merge: int = 0
    collaborative: int = 0
    change: int = 0
    dispute: int = 0

    @property
    def cluster(self) -> int:
        """Every script has a row in the forest."""
        return self.script

    def of(self, table: str) -> int:
        """Rows of the named table."""
        return int(getattr(self, table))


EMPTY = Counts()
