"""Actors of a collection: its newest version put in force."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from cointrail.attribution.store.changes.filling import fill
from cointrail.attribution.store.rows import actor_fields
from cointrail.attribution.store.tables import ACTOR
from cointrail.attribution.store.texts import refuse_unstorable
from cointrail.attribution.tag import Actor


def settle_actors(
    connection: Connection, collection_id: int, import_id: int, actors: Sequence[Actor]
) -> tuple[int, int]:
    """Add what is new, withdraw what is gone; returns how many of both."""
    held = select(ACTOR.c.row_id, ACTOR.c.digest).where(
        ACTOR.c.collection_id == collection_id, ACTOR.c.withdrawn_by.is_(None)
    )
    there: dict[bytes, list[int]] = defaultdict(list)
    for row in connection.execute(held.order_by(ACTOR.c.row_id.desc())):
        there[bytes(row.digest)].append(row.row_id)
    next_row = (connection.execute(select(func.max(ACTOR.c.row_id))).scalar() or 0) + 1
    new: list[tuple[Any, ...]] = []
    kept: list[dict[str, int]] = []
    for position, actor in enumerate(actors):
        refuse_unstorable((actor.id,), f"actor {position + 1}")
        fields = actor_fields(actor)
        digest = hashlib.sha256(fields.encode()).digest()
        if there[digest]:
            kept.append({"row": there[digest].pop(), "place": position})
        else:
            new.append((next_row + len(new), collection_id, actor.id, digest, fields, position, import_id, None))
    gone = [{"row": row} for rows in there.values() for row in rows]
    this_row = ACTOR.c.row_id == bindparam("row")
    if gone:
        connection.execute(update(ACTOR).where(this_row).values(withdrawn_by=import_id), gone)
    if kept:
        connection.execute(update(ACTOR).where(this_row).values(position=bindparam("place")), kept)
    fill(connection, ACTOR, new)
    return len(new), len(gone)
