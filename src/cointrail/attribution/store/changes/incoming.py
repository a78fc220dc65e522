"""The version of a collection that comes in, beside the one that is there: what is new, what is gone, what has moved.

A temporary table takes the file's tags; three questions compare it with the tags that hold. So a version of 50 million
tags needs disk, and no memory.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    and_,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from cointrail.attribution.store.changes.filling import fill
from cointrail.attribution.store.tables import EXACT, TAG

INCOMING: Final = Table(
    "tag_incoming",
    MetaData(),
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("line", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("subject", EXACT, nullable=False),
    Column("key", BigInteger, nullable=False),
    Column("script_hash", LargeBinary(32), nullable=True),
    Column("networks", SmallInteger, nullable=False),
    Column("statement_id", BigInteger, nullable=False),
    Column("occurrence", Integer, nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
_BY_KEY: Final = Index("ix_tag_incoming_key", INCOMING.c.key)


class Incoming:
    """A version that comes in.

    Args:
        connection: of the transaction that imports.
        collection_id: of the collection.
    """

    def __init__(self, connection: Connection, collection_id: int) -> None:
        self._connection, self._collection = connection, collection_id
        INCOMING.create(connection)
        _BY_KEY.drop(connection)  # it is made when all rows are there

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Take a portion: tuples in the order of the columns."""
        fill(self._connection, INCOMING, rows)

    def settle(self, import_id: int) -> tuple[int, int]:
        """Put the version in force; returns how many tags were added and withdrawn."""
        _BY_KEY.create(self._connection)
        self._connection.exec_driver_sql("ANALYZE tag_incoming")
        self._number_repeated()
        withdrawn = 0
        had_tags = self._had_tags()
        if had_tags:
            withdrawn = self._withdraw(import_id)
            self._move()
        added = self._insert(import_id, compare=had_tags)
        INCOMING.drop(self._connection)
        return added, withdrawn

    def _had_tags(self) -> bool:
        held = select(TAG.c.tag_id).where(TAG.c.collection_id == self._collection).limit(1)
        return self._connection.execute(held).first() is not None

    def _number_repeated(self) -> None:
        same = (INCOMING.c.key, INCOMING.c.kind, INCOMING.c.subject, INCOMING.c.statement_id)
        number = func.row_number().over(partition_by=same, order_by=INCOMING.c.position)
        numbered = select(INCOMING.c.position, number.label("occurrence")).subquery("numbered")
        self._connection.execute(
            update(INCOMING)
            .values(occurrence=numbered.c.occurrence)
            .where(INCOMING.c.position == numbered.c.position, numbered.c.occurrence > 1)
        )

    def _same(self) -> ColumnElement[bool]:
        return and_(
            TAG.c.collection_id == self._collection,
            TAG.c.key == INCOMING.c.key,
            TAG.c.kind == INCOMING.c.kind,
            TAG.c.subject == INCOMING.c.subject,
            TAG.c.statement_id == INCOMING.c.statement_id,
            TAG.c.occurrence == INCOMING.c.occurrence,
            TAG.c.withdrawn_by.is_(None),
        )

    def _withdraw(self, import_id: int) -> int:
        gone = and_(
            TAG.c.collection_id == self._collection,
            TAG.c.withdrawn_by.is_(None),
            ~exists().where(self._same()).correlate(TAG),
        )
        return self._connection.execute(update(TAG).values(withdrawn_by=import_id).where(gone)).rowcount

    def _move(self) -> None:
        moved = update(TAG).values(position=INCOMING.c.position)
        self._connection.execute(moved.where(self._same(), TAG.c.position != INCOMING.c.position))

    def _insert(self, import_id: int, *, compare: bool) -> int:
        last = self._connection.execute(select(func.max(TAG.c.tag_id))).scalar() or 0
        order = (INCOMING.c.key, INCOMING.c.position)  # so that both indexes grow at neighbouring places
        columns = {
            "tag_id": literal(last) + func.row_number().over(order_by=order),
            "collection_id": literal(self._collection),
            "statement_id": INCOMING.c.statement_id,
            "kind": INCOMING.c.kind,
            "subject": INCOMING.c.subject,
            "occurrence": INCOMING.c.occurrence,
            "key": INCOMING.c.key,
            "script_hash": INCOMING.c.script_hash,
            "networks": INCOMING.c.networks,
            "position": INCOMING.c.position,
            "line": INCOMING.c.line,
            "first_import": literal(import_id),
            "withdrawn_by": null(),
        }
        new = select(*columns.values())
        if compare:
            new = new.where(~exists().where(self._same()).correlate(INCOMING))
        done = insert(TAG).from_select(list(columns), new.order_by(*order))
        return self._connection.execute(done, execution_options={"preserve_rowcount": True}).rowcount
