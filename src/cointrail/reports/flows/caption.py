"""What stands around the drawing of a trace: its title, the account of the money, caption and legend."""

from collections.abc import Iterable

import numpy as np

from cointrail.ledger.reader import Reader
from cointrail.reports.flows.endings import Endings
from cointrail.reports.graph import Basis, Edge, LegendEntry, Node, NodeKind, Total
from cointrail.reports.names import Names
from cointrail.reports.wording import btc, counted, foreign, listed
from cointrail.trace.fees import FeeMode
from cointrail.trace.flow import Direction, Flow
from cointrail.trace.limits import MILLION, Limits
from cointrail.trace.reason import BUDGETS, Reason
from cointrail.version import VERSION

_MOST_TOTALS = 12
_MOST_LABELS = 6


def title_of(flow: Flow) -> str:
    """The question, with the name of the convention."""
    question = "Where did {} go?" if flow.asked.direction is Direction.FORWARD else "Where did {} come from?"
    return f"{question.format(btc(flow.traced_sat))} Policy: {flow.asked.policy.name}"


def totals_of(flow: Flow, endings: Endings) -> tuple[Total, ...]:
    """Where the money is, the largest first, and the sum; no sum under a policy that marks."""
    ended = np.flatnonzero(flow.reason)
    kinds = endings.kinds(ended)
    distinct, first, place = np.unique(kinds, return_index=True, return_inverse=True)
    sums, counts = np.zeros(len(distinct), np.int64), np.bincount(place, minlength=len(distinct))
    np.add.at(sums, place, flow.sat[ended])
    found = [
        Total(_words(endings, int(ended[at])), int(count), int(sat))
        for at, count, sat in zip(first, counts, sums, strict=True)
    ]
    found.sort(key=lambda total: (-total.sat, total.words))
    rest = found[_MOST_TOTALS:]
    if len(rest) > 1:
        kept = found[:_MOST_TOTALS]
        found = [*kept, Total(f"{len(rest)} more ways to end", sum(t.count for t in rest), sum(t.sat for t in rest))]
    if flow.asked.policy.conserves:
        found.append(Total("together", len(ended), sum(total.sat for total in found)))
    return tuple(found)


def _words(endings: Endings, part: int) -> str:
    if endings.service(part) >= endings.flow.asked.services.named:
        return foreign(endings.flow.asked.services.said[endings.service(part)])
    if endings.service(part) >= 0:
        return f"attributed to {foreign(endings.detail(part))}"
    words = endings.words(part)
    return "fees" if endings.reason(part) is Reason.FEE else words


def caption_of(flow: Flow, reader: Reader, nodes: Iterable[Node]) -> tuple[str, ...]:
    """Seeds, convention, limits, what is not shown one by one, whether it is complete, snapshot."""
    asked, snapshot = flow.asked, reader.snapshot
    lines = [_seeds(flow, reader), f"Policy {asked.policy.name}, version {asked.policy.version}: {asked.policy.text}."]
    if asked.policy.conserves:
        lines.append("Which satoshis went on in mixed money is this convention, not a finding; other policies differ.")
    else:
        lines.append("It marks what could hold traced money: amounts are whole outputs, and they do not add up.")
    if asked.direction is Direction.BACKWARD:
        lines.append("Traced backward from the seeds; the drawing runs forward in time all the same.")
    lines.append(f"Limits: {_limits(asked.limits)}.")
    if asked.services.named:
        by = f", by list {asked.services.digest[:12]}…" if asked.services.digest else ""
        lines.append(f"It stops at {counted(asked.services.named, 'named service')}{by}.")
    if inferred := asked.services.inferred:
        rule = f"{inferred.rule} {inferred.version}, model {inferred.model[:12]}…, an inference"
        lines.append(f"It stops at {counted(inferred.count, 'cluster')} of behaviour like a service's ({rule}).")
    if len(asked.targets):
        lines.append(f"It ends at {counted(len(asked.targets), 'target')}.")
    if asked.fees.mode is FeeMode.PROPAGATE:
        lines.append(f"Fees are traced on into the coinbase of their block ({asked.fees.coinbase_order}).")
    hidden = [node for node in nodes if node.kind is NodeKind.MORE]
    if hidden:
        lines.append(_hidden(hidden))
    if flow.coalesced:
        lines.append(f"On {counted(flow.coalesced, 'output')} only amounts by label were kept.")
    if not flow.complete:
        reasons = listed(str(reason) for reason in flow.ended_sat if reason in BUDGETS)
        lines.append(f"NOT COMPLETE: the walk was ended by: {reasons}.")
    lines.append(f"Snapshot: {snapshot.network}, height {snapshot.height:,}, block {snapshot.block_hash}.")
    lines.append(f"Made by cointrail {VERSION}.")
    return tuple(lines)


def _seeds(flow: Flow, reader: Reader) -> str:
    outputs, names = flow.seeds.outputs, flow.seeds.names
    text = f"Seeds: {counted(len(outputs), 'output')}, {btc(flow.traced_sat)}"
    if len(outputs) <= 3:
        text += f" ({', '.join(Names(reader).outpoints(outputs))})"
    if len(names) > 1:
        sums = np.zeros(len(names), np.int64)
        np.add.at(sums, flow.seeds.labels, flow.seed_sat)
        words = (f"{foreign(name)} {btc(int(sat))}" for name, sat in zip(names, sums, strict=True))
        text += f"; labels: {listed(words, _MOST_LABELS)}"
    elif names[0]:
        text += f", label {foreign(names[0])}"
    return text + "."


def _limits(limits: Limits) -> str:
    found = []
    if limits.hops is not None:
        found.append(counted(limits.hops, "hop"))
    if limits.min_sat:
        found.append(f"no part below {btc(limits.min_sat)} followed")
    if limits.min_share_ppm:
        share = f"{limits.min_share_ppm * 100 / MILLION:.4f}".rstrip("0").rstrip(".")
        found.append(f"none below {share} % of an average seed")
    for number, words in (
        (limits.outputs, "no transaction of more than {} outputs crossed"),
        (limits.inputs, "none of more than {} inputs crossed"),
        (limits.cluster, "no L1 cluster of more than {} scripts entered"),
        (limits.from_height, "nothing before height {}"),
        (limits.to_height, "nothing after height {}"),
        (limits.transactions, "at most {} transactions"),
        (limits.seconds, "at most {} seconds"),
    ):
        if number is not None:
            found.append(words.format(f"{number:,}"))
    found.append("goes through CoinJoins" if limits.through_coinjoins else "stops at CoinJoins")
    return "; ".join(found)


def _hidden(nodes: list[Node]) -> str:
    seeds = [node for node in nodes if node.id.startswith("more:seeds:")]
    transactions = [node for node in nodes if node.id == "more:transactions"]
    ends = [node for node in nodes if node not in seeds and node not in transactions]
    found = []
    for several, noun in ((seeds, "seed"), (ends, "output")):
        if several:
            sat = sum(node.traced_sat for node in several)
            found.append(f"{counted(sum(node.count for node in several), noun)} ({btc(sat)})")
    found += [f"{counted(node.count, 'transaction')} ({btc(node.traced_sat)})" for node in transactions]
    return f"Counted together, not shown one by one: {', '.join(found)}. The tables have each."


def legend_of(flow: Flow, nodes: Iterable[Node], edges: Iterable[Edge]) -> tuple[LegendEntry, ...]:
    """What the signs that occur mean."""
    bases = {node.basis for node in nodes} | {edge.basis for edge in edges}
    kinds = {node.kind for node in nodes}
    found = [LegendEntry("fact", "fact: follows from the chain")]
    if Basis.INFERENCE in bases:
        found.append(LegendEntry("inference", "inference: a named rule"))
    if Basis.ASSERTION in bases:
        found.append(LegendEntry("assertion", "assertion: somebody says so"))
    conserves = flow.asked.policy.conserves
    found.append(
        LegendEntry(
            "band", "amount traced by the policy, a convention; in BTC" if conserves else "reach: whole outputs"
        )
    )
    for kind, text in (
        (NodeKind.SEED, "seed: the question begins here"),
        (NodeKind.TRANSACTION, "transaction; later ones stand further right"),
        (NodeKind.OUTPUT, "output at which following ends, and why"),
        (NodeKind.SERVICE, "name that an attribution gives"),
        (NodeKind.MORE, "several, counted together"),
    ):
        if kind in kinds:
            found.append(LegendEntry(str(kind), text))
    if len(flow.seeds.names) > 1:
        found += [LegendEntry(f"label {n}", foreign(name)) for n, name in enumerate(flow.seeds.names[:_MOST_LABELS])]
        if len(flow.seeds.names) > _MOST_LABELS:
            found.append(LegendEntry("label", f"{len(flow.seeds.names) - _MOST_LABELS:,} more labels"))
    return tuple(found)
