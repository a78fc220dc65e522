"""The question of criterion 8: for each of the 24 target accounts, which outputs to begin at and which to count.

Written from the truth as a file that anybody may answer; the answers are not in it (SCENARIO.md 4). An investigator
gets these sets from a seized database and exchange returns. A withdrawal of an account is one that paid its holder, or
one from the account that paid the market itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from cointrail.errors import InputRefused

_MARKET = "market payments"

_SOURCES = """
    SELECT DISTINCT t.target_id, t.source_set, p.txid, p.vout FROM targets t, truth_payments p
    WHERE t.source_set = '{market}'
    UNION
    SELECT DISTINCT t.target_id, t.source_set, s.withdrawal_txid, s.withdrawal_vout
    FROM targets t JOIN truth_payment_sources s ON s.account_id = t.target_id WHERE t.source_set <> '{market}'
    UNION
    SELECT DISTINCT t.target_id, t.source_set, o.txid, o.vout
    FROM targets t JOIN truth_accounts a ON a.account_id = t.target_id
    JOIN truth_entities e ON e.name = a.exchange JOIN truth_outputs o ON o.entity_id = a.holder_id
    JOIN truth_transactions x ON x.txid = o.txid AND x.initiator_id = e.entity_id
    WHERE t.source_set <> '{market}' AND x.kind IN ('withdrawal', 'batch_withdrawal')
"""
_TARGETS = """
    SELECT DISTINCT t.target_id, t.source_set, c.txid, c.vout
    FROM targets t JOIN truth_cashouts c ON c.account_id = t.target_id WHERE t.source_set = '{market}'
    UNION
    SELECT DISTINCT t.target_id, t.source_set, p.txid, p.vout
    FROM targets t JOIN truth_accounts a ON a.account_id = t.target_id
    JOIN truth_payments p ON p.buyer_id = a.holder_id WHERE t.source_set <> '{market}'
"""
_TABLES = ("payments", "payment_sources", "accounts", "entities", "outputs", "transactions", "cashouts", "taint")

_HINT = "give a complete world, made by `cointrail simulate`"

Outpoint = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class Target:
    """One account: its name, the name of its source set, and both sets as (txid in internal order, vout)."""

    target_id: str
    source_set: str
    sources: tuple[Outpoint, ...]
    targets: tuple[Outpoint, ...]


def schedule_of(world: Path) -> tuple[Target, ...]:
    """The target accounts of a world, by their names.

    Raises:
        InputRefused: a truth table is missing or cannot be read.
    """
    try:
        with duckdb.connect(":memory:") as connection:
            for name in _TABLES:
                path = world / "truth" / f"{name}.parquet"
                if not path.is_file():
                    raise InputRefused(f"{path} is missing", hint=_HINT)
                connection.execute(f"CREATE TABLE truth_{name} AS SELECT * FROM read_parquet(?)", [str(path)])
            connection.execute("CREATE TABLE targets AS SELECT DISTINCT target_id, source_set FROM truth_taint")
            return tuple(_targets(connection))
    except duckdb.BinderException as error:
        raise InputRefused(f"the truth of {world} has columns that are not those of a world", hint=_HINT) from error
    except duckdb.Error as error:
        raise InputRefused(f"the truth of {world} cannot be read: {str(error).splitlines()[0]}") from error


def _targets(connection: Any) -> Iterator[Target]:
    sets: list[dict[str, list[Outpoint]]] = []
    names: dict[str, str] = {}
    for query in (_SOURCES, _TARGETS):
        found: dict[str, list[Outpoint]] = {}
        rows = connection.execute(query.format(market=_MARKET) + " ORDER BY 1, 3, 4").fetchall()
        for target, source_set, txid, vout in rows:
            names[target] = source_set
            found.setdefault(target, []).append((bytes(txid), int(vout)))
        sets.append(found)
    sources, targets = sets
    for target in sorted(names):
        yield Target(target, names[target], tuple(sources.get(target, ())), tuple(targets.get(target, ())))
