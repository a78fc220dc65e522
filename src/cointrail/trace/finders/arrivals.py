"""Where a walk forward came to services: the outputs at which an account was credited, and how much came to each.

An arrival is the output that pays a script of the service; or the one before, if that is a deposit address and the
walk saw it swept; or an unspent one on a script that is a deposit address by its other spends.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.trace.finders.deposits import Deposit, Deposits
from cointrail.trace.flow import Flow
from cointrail.trace.reason import Reason

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An output at which money came to a service.

    Attributes:
        output: output_index.
        service: number of the service.
        sat: traced satoshis that came.
        hops: fewest transactions from a seed.
        deposit: why it is taken for the service's, if it lies on a deposit address; else tags name it, or its cluster.
        swept: whether the service took it in already.
    """

    output: int
    service: int
    sat: int
    hops: int
    deposit: Deposit | None
    swept: bool


def arrivals(reader: Reader, flow: Flow, deposits: Deposits, sat: I64 | None = None) -> tuple[Arrival, ...]:
    """Read a walk forward.

    Args:
        reader: the ledger at a snapshot.
        flow: the walk.
        deposits: who knows deposit addresses.
        sat: int64 (p,), amounts to count instead of the traced ones.

    Returns:
        Each output once, ascending.
    """
    found: dict[int, Arrival] = {}
    for each in _arrivals(reader, flow, deposits, flow.sat if sat is None else sat):
        known = found.get(each.output)
        if known is not None:
            each = Arrival(
                each.output, each.service, each.sat + known.sat, min(each.hops, known.hops), each.deposit, each.swept
            )
        found[each.output] = each
    return tuple(found[output] for output in sorted(found))


def _arrivals(reader: Reader, flow: Flow, deposits: Deposits, sat: I64) -> Iterator[Arrival]:
    scripts = reader.column("output", "script")
    maker = flow.maker
    came = np.flatnonzero(flow.reason == Reason.SERVICE.code)
    at: defaultdict[tuple[int, int], list[int]] = defaultdict(list)  # by (step, service): parts that arrived
    for part in came.tolist():
        at[int(maker[part]), int(flow.detail[part])].append(part)
    order = np.argsort(flow.next_step, kind="stable")
    steps = flow.next_step[order]
    for (step, service), parts in at.items():
        taken = (
            order[np.searchsorted(steps, step) : np.searchsorted(steps, step, "right")].tolist() if step >= 0 else []
        )
        known = {part: deposits.of(int(scripts[flow.output[part]])) for part in taken}
        swept = [part for part in taken if (each := known[part]) is not None and each.service == service]
        for part in swept:
            yield Arrival(
                int(flow.output[part]), service, int(sat[part]), int(flow.hops[part]), known[part], swept=True
            )
        rest, whole = sum(int(sat[part]) for part in taken if part not in swept), sum(int(sat[part]) for part in taken)
        if rest == 0 and swept:
            continue
        for part in parts:
            share = int(sat[part]) * rest // whole if swept else int(sat[part])
            yield Arrival(int(flow.output[part]), service, share, int(flow.hops[part]), None, swept=True)
    for part in np.flatnonzero(flow.reason == Reason.UNSPENT.code).tolist():
        deposit = deposits.of(int(scripts[flow.output[part]]))
        if deposit is not None:
            yield Arrival(
                int(flow.output[part]), deposit.service, int(sat[part]), int(flow.hops[part]), deposit, swept=False
            )
