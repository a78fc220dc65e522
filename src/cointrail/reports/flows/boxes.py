"""The nodes of a trace's graph, one after another, with what stands in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.reports.flows.endings import Endings
from cointrail.reports.graph import Basis, Node, NodeKind
from cointrail.reports.names import Names
from cointrail.reports.wording import btc, counted, foreign, listed, short
from cointrail.trace.flow import Direction, Flow, payer_of
from cointrail.trace.reason import Reason

I64 = npt.NDArray[np.int64]
Shares = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """What some parts hold together: outputs, traced satoshis, whole values, traced satoshis by label if several."""

    count: int
    sat: int
    value_sat: int
    shares: Shares

    @property
    def amounts(self) -> tuple[str, ...]:
        """What is traced, and of how much."""
        if self.sat == self.value_sat:
            return (btc(self.sat),)
        return (f"{btc(self.sat)} traced", f"of {btc(self.value_sat)}")

    @property
    def amount(self) -> str:
        """The same on one line."""
        return " ".join(self.amounts)


class Boxes:
    """Makes the nodes of one flow.

    Args:
        flow, names, endings: the trace, and what it is told with.
        sources: who says so, by the name of a service.
    """

    def __init__(self, flow: Flow, names: Names, endings: Endings, sources: Mapping[str, str]) -> None:
        self.flow, self.names, self.endings, self.sources = flow, names, endings, sources
        self._pieces = np.diff(flow.first_piece)

    def sums(self, parts: Sequence[int] | I64) -> Sums:
        """Of parts; of a virtual output's value no more is known than what is traced of it."""
        rows = np.asarray(parts, np.int64)
        outputs, sat = self.flow.output[rows], self.flow.sat[rows]
        real = outputs >= 0
        value = int(self.names.values(outputs[real]).sum()) + int(sat[~real].sum())
        return Sums(len(rows), int(sat.sum()), value, self._shares(rows))

    def _shares(self, rows: I64) -> Shares:
        """(label, satoshis), empty if there is one label only."""
        if len(self.flow.seeds.names) < 2:
            return ()
        starts, counts = self.flow.first_piece[rows], self._pieces[rows]
        pieces = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(int(counts.sum()))
        labels, place = np.unique(self.flow.label[pieces], return_inverse=True)
        sums = np.zeros(len(labels), np.int64)
        np.add.at(sums, place, self.flow.length[pieces])
        return tuple(zip(labels.tolist(), sums.tolist(), strict=True))

    def transactions(self, steps: I64, taken: I64, fees: I64, orders: I64) -> list[Node]:
        """Transactions at steps: int64 arrays of what each took, what of it was fee, and its place in time."""
        tx = self.flow.tx[steps]
        keys, heights, times = self.names.keys(tx), self.names.heights(tx).tolist(), self.names.times(tx)
        found = []
        for row, (key, height, time) in enumerate(zip(keys, heights, times, strict=True)):
            sat, fee = int(taken[row]), int(fees[row])
            lines = [f"tx {short(key)}", f"{time[:10]}, block {height:,}", f"{btc(sat)} traced"]
            found.append(
                Node(
                    id=f"tx:{key}",
                    kind=NodeKind.TRANSACTION,
                    lines=tuple([*lines, f"fee {btc(fee)}"] if fee else lines),
                    title=f"transaction {key} in block {height:,}, {time}: {btc(sat)} traced"
                    + (f", {btc(fee)} of it left as fee" if fee else ""),
                    order=int(orders[row]),
                    traced_sat=sat,
                    fee_sat=fee,
                    height=height,
                    time_utc=time,
                    name=key,
                )
            )
        return found

    def seed(self, parts: Sequence[int], where: str, *, more: bool) -> Node:
        """A seed, or several.

        Args:
            parts: of the seeds, which went on alike, or ended alike.
            where: tells several from others.
            more: whether others are shown beside several.
        """
        sums, said = self.sums(parts), self._said(parts[0])
        labels = [foreign(self.flow.seeds.names[label]) for label, _ in sums.shares]
        if len(parts) == 1:
            return self._output("seed:{}", NodeKind.SEED, f"seed: {labels[0]}" if labels else "seed", parts[0], said)
        what = counted(len(parts), "more seed" if more else "seed")
        shown = [f"labels {listed(labels, 3)}"] if labels else []
        lines = tuple(each for each in (what, *shown, said.words, *sums.amounts) if each)
        return _several(f"more:seeds:{where}", lines, sums, said)

    def end(self, parts: Sequence[int], where: str, *, more: bool) -> Node:
        """Where following ended, on one output or several; parameters as for `seed`."""
        first, sums, said = parts[0], self.sums(parts), self._said(parts[0])
        virtual = int(self.flow.output[first]) < 0
        if len(parts) > 1:
            noun = "fee" if virtual else "output"
            what = counted(len(parts), f"more {noun}" if more else noun)
            return _several(
                f"more:{where}", tuple(each for each in (what, said.words, *sums.amounts) if each), sums, said
            )
        if virtual:
            return self._virtual(first, said, sums)
        forward = self.flow.asked.direction is Direction.FORWARD
        return self._output("end:{}", NodeKind.OUTPUT, "paid to" if forward else "paid from", first, said)

    def _said(self, part: int) -> "_Said":
        """What is said of how a part ended; that it is at a service is said by the edge that leads on to that."""
        reason = self.endings.reason(part)
        if reason is None:
            return _Said("", "", Basis.FACT)
        at_service = reason is Reason.SERVICE
        basis = Basis.FACT if at_service else self.endings.bases(np.array([part]))[0]
        return _Said(self.endings.words(part), str(reason), basis)

    def _virtual(self, part: int, said: "_Said", sums: Sums) -> Node:
        output = self.flow.output[[part]]
        (key,) = self.names.keys(payer_of(output))
        kind = "subsidy" if output[0] % 2 else "fee"
        return Node(
            id=f"end:{key}:{kind}",
            kind=NodeKind.FEE,
            lines=(said.words if kind in said.words else f"{kind}, {said.words}", *sums.amounts),
            title=f"{kind} of transaction {key}, {said.words}: {sums.amount}",
            order=None,
            traced_sat=sums.sat,
            value_sat=sums.value_sat,
            reason=said.reason,
            name=f"{key}:{kind}",
            basis=said.basis,
        )

    def _output(self, id_: str, kind: NodeKind, head: str, part: int, said: "_Said") -> Node:
        """A node of one output; `head` stands first in a seed, and where there is nothing else to say."""
        output, sums = self.flow.output[[part]], self.sums([part])
        (outpoint,), (address,) = self.names.outpoints(output), self.names.addresses(output)
        tx, _ = self.names.places(output)
        (height,), (time,) = self.names.heights(tx).tolist(), self.names.times(tx)
        shown = short(address, 10, 6) if address else f"no address: {self.names.script_types(output)[0]}"
        heads = [head] if kind is NodeKind.SEED or not said.words else []
        return Node(
            id=id_.format(outpoint),
            kind=kind,
            lines=tuple(each for each in (*heads, said.words, shown, *sums.amounts) if each),
            title=f"{', '.join(each for each in (*heads, said.words) if each)}: output {outpoint}"
            f"{f' to {address}' if address else ''}, made in block {height:,}, {time}: {sums.amount}",
            order=None,
            traced_sat=sums.sat,
            value_sat=sums.value_sat,
            height=height,
            time_utc=time,
            reason=said.reason,
            name=outpoint,
            address=address,
            basis=said.basis,
        )

    def service(self, number: int, count: int, sat: int, value_sat: int) -> Node:
        """A service, and how many outputs are attributed to it, or inferred to be its."""
        services = self.flow.asked.services
        name, kind = foreign(services.names[number]), services.kinds[number] if services.kinds else ""
        outputs = counted(count, "output")
        if number < services.named:
            by = self.said_by(number)
            basis, lines = Basis.ASSERTION, (f"attributed to {name}", f"by {by}")
            title = f"{outputs} attributed to {name}{f' ({foreign(kind)})' if kind else ''} by {by}"
        else:
            said = foreign(services.said[number])
            basis, lines, title = Basis.INFERENCE, (name, said), f"{outputs} at {name}: {said}"
        return Node(
            id=f"service:{number}",
            kind=NodeKind.SERVICE,
            lines=(*lines, outputs, btc(sat)),
            title=f"{title}: {btc(sat)}",
            order=None,
            traced_sat=sat,
            value_sat=value_sat,
            name=name,
            basis=basis,
            count=count,
        )

    def said_by(self, number: int) -> str:
        """Who attributes to a service."""
        services = self.flow.asked.services
        if services.names[number] in self.sources:
            return foreign(self.sources[services.names[number]])
        return f"list {services.digest[:12]}…" if services.digest else "the list given"

    def rest(self, transactions: int, sat: int, fee: int, *, forward: bool) -> Node:
        """All transactions that are not shown."""
        what = f"{transactions:,} more transaction{'' if transactions == 1 else 's'}"
        lines = (what, "not shown one by one", f"{btc(sat)} traced")
        return Node(
            id="more:transactions",
            kind=NodeKind.MORE,
            lines=(*lines, f"fees {btc(fee)}") if fee else lines,
            title=f"{what}, not shown one by one: {btc(sat)} traced, {btc(fee)} of it left as fees",
            order=len(self.flow.tx) if forward else -1,
            traced_sat=sat,
            fee_sat=fee,
            count=transactions,
        )


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of an end: in words, by the name of the reason, and what kind of statement that is."""

    words: str
    reason: str
    basis: Basis


def _several(id_: str, lines: tuple[str, ...], sums: Sums, said: _Said) -> Node:
    return Node(
        id=id_,
        kind=NodeKind.MORE,
        lines=lines,
        title=f"{', '.join(lines)}; not shown one by one",
        order=None,
        traced_sat=sums.sat,
        value_sat=sums.value_sat,
        reason=said.reason,
        basis=said.basis,
        count=sums.count,
    )
