"""Which scripts are spent together with this one?"""

import numpy as np

from cointrail.cluster.co_spend import cluster_of
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.service.answers import ClusterAnswer, Rule
from cointrail.service.names import address_or_none, find_script, snapshot_name


def cluster(
    reader: Reader, text: str, *, first: int = 0, limit: int | None = None, most: int | None = None
) -> ClusterAnswer:
    """The co-spend cluster of an address at level L1, with a page of its members.

    Args:
        reader: the ledger at a snapshot.
        text: an address, a public key in hex, or `script:HEX`.
        first: number of the first member shown.
        limit: most members shown, None for all.
        most: scripts after which the search is cut off, None for no limit.

    Raises:
        AddressError, NotFound: as for an address.
    """
    script_id = find_script(reader, text)
    found = cluster_of(reader, script_id, most)
    received, spent, balance = _sums(reader, found.scripts)
    page = found.scripts[first : None if limit is None else first + limit]
    return ClusterAnswer(
        address=address_or_none(reader, reader.script_pubkey(script_id)),
        cluster_id=_name(reader, found.cluster_id),
        level=found.level,
        size=len(found.scripts),
        members=tuple(_name(reader, script) for script in page),
        co_spends=found.transactions,
        suppressed=found.suppressed,
        received_sat=received,
        spent_sat=spent,
        balance_sat=balance,
        complete=found.complete,
        rules=tuple(Rule(rule, version) for rule, version in found.rules),
        snapshot=snapshot_name(reader),
    )


def _name(reader: Reader, script_id: int) -> str:
    """The address of a script, or `script:HEX` for one that has none."""
    script = reader.script_pubkey(script_id)
    return address_or_none(reader, script) or f"script:{script.hex()}"


def _sums(reader: Reader, scripts: tuple[int, ...]) -> tuple[int, int, int]:
    """(received, spent, balance) of some scripts; every output counts once."""
    received = spent = balance = 0
    values = reader.column("output", "value_sat")
    for script in scripts:
        outputs = np.fromiter(reader.outputs_of_script(script), np.int64)
        received += int(values[outputs].sum())
        spent += int(values[outputs[reader.spenders(outputs) != NONE]].sum())
        balance += int(values[outputs[reader.unspent(outputs)]].sum())
    return received, spent, balance
