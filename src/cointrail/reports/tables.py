"""A trace as tables: columns of plain values under fixed names, in the order of the walk.

Amounts are satoshi, ids are as the node displays them, times ISO 8601 in UTC. Numbers that do not apply are None, texts
that do not apply are empty. The columns are documented in docs/howto/export-a-trace.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.reports.flows.endings import Endings
from cointrail.reports.names import Names
from cointrail.reports.wording import plain
from cointrail.trace.flow import Flow, payer_of

I64 = npt.NDArray[np.int64]
Cells = Sequence[int | None] | Sequence[str]

INTEGER, TEXT, FOREIGN = "BIGINT", "VARCHAR", "VARCHAR (foreign)"
"""Types; a foreign text comes from a file of strangers."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type, and what it means."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by columns; all columns are equally long."""

    name: str
    columns: tuple[Column, ...]
    cells: tuple[Cells, ...]

    def __len__(self) -> int:
        return len(self.cells[0])


_PLACE: Final = (
    Column("part", INTEGER, "number of the part: the traced piece of one output, in the order of the walk"),
    Column("kind", TEXT, "`output`, or `fee` or `subsidy` for what no output holds"),
    Column("txid", TEXT, "transaction that made the output, or that pays the fee"),
    Column("vout", INTEGER, "number of the output in it; none for a fee or subsidy"),
    Column("address", TEXT, "address of the output, empty if its script has none"),
    Column("script_type", TEXT, "type of its script"),
    Column("height", INTEGER, "block that holds the transaction"),
    Column("time_utc", TEXT, "time of that block, as its miner declared it"),
    Column("value_sat", INTEGER, "whole value of the output; none for a fee or subsidy"),
    Column("traced_sat", INTEGER, "traced satoshis in it, by the policy"),
    Column("hops", INTEGER, "fewest transactions between a seed and here"),
)
_END: Final = (
    Column("reason", TEXT, "why following ended here"),
    Column("detail", FOREIGN, "name of the service, or class of the collaborative transaction"),
    Column("basis", TEXT, "`fact`, `inference` or `assertion`: what kind of statement reason and detail make"),
)
_WAY: Final = (
    Column("made_by_step", INTEGER, "step that made it in the order of the walk; none for a seed"),
    Column("next_step", INTEGER, "step that took it; none if following ended"),
    Column("next_txid", TEXT, "transaction of that step; empty if following ended"),
)
_STEPS: Final = (
    Column("step", INTEGER, "number of the step, in the order of the walk"),
    Column("txid", TEXT, "transaction that traced value passed"),
    Column("height", INTEGER, "block that holds it"),
    Column("time_utc", TEXT, "time of that block, as its miner declared it"),
    Column("parts_in", INTEGER, "parts it took, on the side the walk came from"),
    Column("parts_out", INTEGER, "parts it made, fees among them"),
    Column("traced_in_sat", INTEGER, "traced satoshis it took"),
    Column("traced_out_sat", INTEGER, "traced satoshis it gave to outputs"),
    Column("fee_sat", INTEGER, "traced satoshis it gave to fees or took from new money"),
)
_PIECES: Final = (
    Column("part", INTEGER, "number of the part"),
    Column("label", FOREIGN, "label of the seeds these satoshis come from"),
    Column("offset_sat", INTEGER, "where in the output they begin; none if the policy does not know"),
    Column("traced_sat", INTEGER, "how many they are"),
)

ENDPOINTS, STEPS, PARTS, PIECES = "endpoints", "steps", "parts", "pieces"
COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {ENDPOINTS: (*_PLACE, *_END), STEPS: _STEPS, PARTS: (*_PLACE, *_END, *_WAY), PIECES: _PIECES}
)


def table_of(name: str, flow: Flow, reader: Reader) -> Table:
    """One table of a trace.

    Args:
        name: a key of `COLUMNS`.
        flow: a trace.
        reader: the ledger at the snapshot at which it was made.
    """
    return Table(name, COLUMNS[name], _MAKERS[name](flow, Names(reader)))


def _endpoints(flow: Flow, names: Names) -> tuple[Cells, ...]:
    parts = flow.ended
    return (*_place(flow, names, parts), *_end(flow, names, parts))


def _parts(flow: Flow, names: Names) -> tuple[Cells, ...]:
    parts, taken = np.arange(len(flow.output)), flow.next_step >= 0
    txids = np.full(len(parts), "", object)
    txids[taken] = names.txids(flow.tx[flow.next_step[taken]])
    way = (_known(flow.maker, flow.maker >= 0), _known(flow.next_step, taken), txids.tolist())
    return (*_place(flow, names, parts), *_end(flow, names, parts), *way)


def _place(flow: Flow, names: Names, parts: I64) -> tuple[Cells, ...]:
    outputs = flow.output[parts]
    real = outputs >= 0
    at = np.flatnonzero(real)
    tx, vouts, values = payer_of(outputs), np.zeros(len(parts), np.int64), np.zeros(len(parts), np.int64)
    tx[at], vouts[at] = names.places(outputs[at])
    values[at] = names.values(outputs[at])
    kinds = np.where(real, "output", np.where(outputs % 2 == 0, "fee", "subsidy"))
    addresses, types = np.full(len(parts), "", object), np.full(len(parts), "", object)
    addresses[at], types[at] = names.addresses(outputs[at]), names.script_types(outputs[at])
    return (
        parts.tolist(),
        kinds.tolist(),
        names.txids(tx),
        _known(vouts, real),
        addresses.tolist(),
        types.tolist(),
        names.heights(tx).tolist(),
        names.times(tx),
        _known(values, real),
        flow.sat[parts].tolist(),
        flow.hops[parts].tolist(),
    )


def _end(flow: Flow, names: Names, parts: I64) -> tuple[Cells, ...]:
    endings, numbers = Endings(flow, names), parts.tolist()
    reasons = [endings.reason(part) for part in numbers]
    return (
        [str(reason or "") for reason in reasons],
        [endings.detail(part) for part in numbers],
        [str(basis) for basis in endings.bases(parts)],
    )


def _steps(flow: Flow, names: Names) -> tuple[Cells, ...]:
    steps = len(flow.tx)
    taken, given, fees = (np.zeros(steps, np.int64) for _ in range(3))
    going, made = flow.next_step >= 0, np.arange(len(flow.output)) >= flow.first_part[0]
    np.add.at(taken, flow.next_step[going], flow.sat[going])
    maker, virtual = flow.maker, flow.output < 0
    np.add.at(given, maker[made & ~virtual], flow.sat[made & ~virtual])
    np.add.at(fees, maker[made & virtual], flow.sat[made & virtual])
    return (
        list(range(steps)),
        names.txids(flow.tx),
        names.heights(flow.tx).tolist(),
        names.times(flow.tx),
        np.bincount(flow.next_step[going], minlength=steps).tolist(),
        np.diff(flow.first_part).tolist(),
        taken.tolist(),
        given.tolist(),
        fees.tolist(),
    )


def _pieces(flow: Flow, _: Names) -> tuple[Cells, ...]:
    labels = [plain(name) for name in flow.seeds.names]
    parts = np.repeat(np.arange(len(flow.output)), np.diff(flow.first_piece))
    places = np.full(len(flow.offset), flow.asked.policy.positions)
    return (
        parts.tolist(),
        [labels[number] for number in flow.label.tolist()],
        _known(flow.offset, places),
        flow.length.tolist(),
    )


def _known(numbers: I64, where: npt.NDArray[np.bool_]) -> list[int | None]:
    return [number if known else None for number, known in zip(numbers.tolist(), where.tolist(), strict=True)]


_MAKERS: Final[Mapping[str, Callable[[Flow, Names], tuple[Cells, ...]]]] = MappingProxyType(
    {ENDPOINTS: _endpoints, STEPS: _steps, PARTS: _parts, PIECES: _pieces}
)
