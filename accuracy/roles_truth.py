"""What is true of roles in a simulated world, and the services that its tag pack names.

A script's true segment is the truth table's role, with two refinements that the chain shows: what is only ever paid as
change beside a payment is `change`, whatever the table calls it; and roles that say the same go by one name.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.service.names import find_script
from cointrail.trace.services import Services, services_of
from truth import I64, UNTOLD, Truth

_TAG = re.compile(r"- address: '(?P<address>[^']+)'\n  label: (?P<label>.+)\n  category: (?P<category>.+)\n")
SERVICE_KINDS = frozenset({"exchange", "gambling", "payment_processor", "mixer"})
"""Entities that hold other people's money, and so services."""


@dataclass(frozen=True, slots=True, eq=False)
class Roles:
    """What is true of scripts.

    Attributes:
        role: str (scripts,), of the truth table; empty where it does not say.
        kind: str (scripts,), of the entity.
        by_entity: kind of each entity.
    """

    role: npt.NDArray[np.str_]
    kind: npt.NDArray[np.str_]
    by_entity: dict[int, str]


def read_roles(world: Path, reader: Reader, truth: Truth) -> Roles:
    """Read the roles of a world whose `truth` was read, which checks that the ledger is of it."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        scripts, entities = (world / "truth" / f"{name}.parquet" for name in ("scripts", "entities"))
        rows = connection.execute(f"SELECT script_pubkey, role FROM '{scripts}' WHERE used").fetchall()
        kinds = dict(connection.execute(f"SELECT entity_id, kind FROM '{entities}'").fetchall())
    role = np.full(reader.counts.script, "", "U12")
    by_script = {bytes(script): name for script, name in rows}
    for script_id in range(reader.counts.script):
        role[script_id] = by_script.get(reader.script_pubkey(script_id), "")
    kind = np.array([*(kinds.get(number, "") for number in range(max(kinds) + 1)), ""], np.str_)
    return Roles(role, kind[np.where(truth.entity == UNTOLD, len(kind) - 1, truth.entity)], kinds)


def tagged_services(world: Path, reader: Reader, forest: Forest) -> Services:
    """The services of the pack of sure tags: one address each, which speaks for its L1 cluster."""
    text = (world / "inputs" / "tags" / "services.yaml").read_text("utf-8")
    rows = sorted((each["label"], each["category"], each["address"]) for each in _TAG.finditer(text))
    scripts = [find_script(reader, address) for _, _, address in rows]
    names, kinds = [name for name, _, _ in rows], [kind for _, kind, _ in rows]
    return services_of(forest, scripts, range(len(rows)), names, kinds=kinds)


def change_only(reader: Reader, truth: Truth) -> npt.NDArray[np.bool_]:
    """Scripts that are paid only what returns to a payer beside a payment to others, bool (scripts,)."""
    outputs = np.arange(reader.counts.output)
    maker: I64 = reader.transaction_of_outputs(outputs)
    pays = np.bincount(maker[truth.change == 0], minlength=reader.counts.transaction) > 0
    scripts = reader.column("output", "script")
    change = (truth.change == 1) & pays[maker]
    return np.bincount(scripts[~change], minlength=reader.counts.script) == 0
