"""The truth of a world in the order of its ledger: who controls a script, what returns to the payer, what kind it is.

The one place where truth tables are read. A transaction is found by height and position, and its txid is compared, so
that a ledger of another chain is refused. Controllers are the truth's: a market and its operator are one.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

UNTOLD = -1


class OtherChain(Exception):
    """The ledger is not of the world."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is true of a ledger.

    Attributes:
        controller: int64 (scripts,), who controls a script, -1 where nobody can or the truth does not say.
        entity: int64 (scripts,), the entity below the controller; the same but for few.
        change: int8 (outputs,), 1 if it returns to a payer, 0 if not, -1 where the truth does not say.
        kind, protocol: str (transactions,), what a transaction was; empty for the genesis block's.
        names: the entities, by number.
    """

    controller: I64
    entity: I64
    change: npt.NDArray[np.int8]
    kind: npt.NDArray[np.str_]
    protocol: npt.NDArray[np.str_]
    names: dict[int, str]

    def is_kind(self, *kinds: str) -> Mask:
        """Transactions of some kinds, bool (transactions,)."""
        return np.isin(self.kind, kinds)


def read_truth(world: Path, reader: Reader) -> Truth:
    """Read the truth of a world.

    Args:
        world: its folder.
        reader: its ledger.

    Raises:
        OtherChain: the ledger is not of this world.
    """
    tables = {name: str(world / "truth" / f"{name}.parquet") for name in ("entities", "transactions", "outputs")}
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        kind, protocol = _transactions(connection, tables, reader)
        script, entity, change = _outputs(connection, tables, reader)
        people = connection.execute(f"SELECT entity_id, name, controller_id FROM '{tables['entities']}'").fetchall()
    names = {entity_id: name for entity_id, name, _ in people}
    controls = np.full(max(names) + 2, UNTOLD, np.int64)  # the last cell, -1, is nobody's
    for entity_id, _, controller_id in people:
        controls[entity_id] = controller_id
    owner = np.full(reader.counts.script, UNTOLD, np.int64)
    owner[script] = entity
    return Truth(controls[owner], owner, change, kind, protocol, names)


def _transactions(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, str], reader: Reader
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
    rows = connection.execute(
        f"SELECT height, position, txid, kind, protocol FROM '{tables['transactions']}'"
    ).fetchnumpy()
    tx_index = _tx_index(reader, rows["height"], rows["position"])
    txids = np.frombuffer(b"".join(rows["txid"]), np.uint8).reshape(-1, 32)
    if not np.array_equal(np.asarray(reader.column("transaction", "txid"))[tx_index], txids):
        raise OtherChain(f"the ledger at height {reader.height} holds other transactions than {tables['transactions']}")
    found = []
    for name in ("kind", "protocol"):
        words = np.asarray(rows[name], np.str_)
        column = np.full(reader.counts.transaction, "", words.dtype)
        column[tx_index] = words
        found.append(column)
    return found[0], found[1]


def _outputs(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, str], reader: Reader
) -> tuple[I64, I64, npt.NDArray[np.int8]]:
    """(script, entity) of every output the truth knows, and `change` of all."""
    rows = connection.execute(
        f"""SELECT t.height, t.position, o.vout, o.entity_id, o.is_change
        FROM '{tables["outputs"]}' o JOIN '{tables["transactions"]}' t USING (txid)"""
    ).fetchnumpy()
    first = reader.column("transaction", "first_output").astype(np.int64)
    output = first[_tx_index(reader, rows["height"], rows["position"])] + np.asarray(rows["vout"], np.int64)
    change = np.full(reader.counts.output, UNTOLD, np.int8)
    change[output] = rows["is_change"]
    return reader.column("output", "script")[output].astype(np.int64), np.asarray(rows["entity_id"], np.int64), change


def _tx_index(reader: Reader, height: npt.NDArray[np.int64], position: npt.NDArray[np.int64]) -> I64:
    first = reader.column("block", "first_transaction").astype(np.int64)
    if len(height) and int(height.max()) >= len(first):
        raise OtherChain(f"the ledger ends at height {reader.height}, its world at {int(height.max())}")
    found: I64 = first[np.asarray(height, np.int64)] + np.asarray(position, np.int64)
    ends = np.append(first[1:], reader.counts.transaction)
    if (found >= ends[height]).any():
        raise OtherChain("a block of the ledger holds fewer transactions than its world's")
    return found
