"""A trace as text: what was asked, each policy in sum, the way, and where it ended."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cointrail.cli.finding import inferred_line, tags_line
from cointrail.cli.output import btc, note, note_page, number, one_line, print_fields, print_table

if TYPE_CHECKING:
    from cointrail.service.tracing.answers import ArrivedAnswer, EndpointAnswer, PolicyAnswer, TraceAnswer

_MOST_SEEDS = 3


def print_trace(answer: "TraceAnswer", first: int = 0) -> None:
    """Print the answer, whose lists begin with row `first`."""
    names = [each.policy for each in answer.policies]
    print_fields(_head(answer))
    print()
    print_table(
        ("policy", "endpoints hold", "fees", "conserved", "transactions", "endpoints", "how it divides"),
        (_policy(each) for each in answer.policies),
    )
    for reason, amounts in _reasons(answer.policies):
        print(f"  {reason}: {', '.join(amounts)}")
    print(f"\n{number(answer.totals['steps'])} transaction(s) passed under {names[0]}")
    if answer.steps:
        print_table(
            ("height", "time", "traced in", "fee part", "txid"),
            ((number(s.height), s.time_utc, btc(s.traced_in_sat), btc(s.fee_sat), s.txid) for s in answer.steps),
        )
        note_page(first, len(answer.steps), answer.totals["steps"], "transactions")
    if answer.services:
        print(f"\n{number(len(answer.services))} service(s)")
        print_table((*names, "endpoints", "attributed"), (_arrived(each, names) for each in answer.services))
    print(f"\n{number(answer.totals['endpoints'])} endpoint(s)")
    if answer.endpoints:
        several = ("spread",) if len(names) > 1 else ()
        print_table(
            (*names, *several, "of", "reason", "hops", "address", "outpoint"),
            (_end(each, names) for each in answer.endpoints),
        )
        note_page(first, len(answer.endpoints), answer.totals["endpoints"], "endpoints")
    note("note: a policy is a convention about money that is mixed, not a fact; see docs/methods/")


def _head(answer: "TraceAnswer") -> Iterator[tuple[str, str]]:
    seeds = ", ".join(answer.seeds[:_MOST_SEEDS]) + (" ..." if len(answer.seeds) > _MOST_SEEDS else "")
    if file := answer.seed_file:
        seeds += f"{', ' if seeds else ''}{number(file.found)} of {number(file.rows)} rows of {file.file}"
        if file.absent:
            seeds += f"; {number(file.absent)} are not on the chain"
        if file.refused:
            lines = ", ".join(map(str, file.unreadable))
            seeds += f"; {number(file.refused)} are no seed (line {lines}{' ...' if file.refused > 20 else ''})"
    yield ("seeds" if len(answer.seeds) != 1 or file else "seed"), seeds
    yield "traced", f"{btc(answer.traced_sat)} {answer.direction} from {number(answer.seed_outputs)} output(s)"
    if answer.totals["labels"] > 1:
        yield "labels", ", ".join(f"{each.label}: {btc(each.seeded_sat)}" for each in answer.labels)
    limits = ", ".join(
        f"{name} {value if isinstance(value, bool) else number(value)}"
        for name, value in answer.limits.items()
        if value not in (None, False, 0) and name != "megabytes"
    )
    yield "limits", limits or "none"
    if answer.fees["mode"] != "account":
        yield "fees", f"followed into the coinbase, {answer.fees['coinbase_order'].replace('_', ' ')}"
    if tags := answer.tags:
        yield "services", tags_line(tags)
    if answer.inferred:
        yield "inferred", inferred_line(answer.inferred)
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _policy(each: "PolicyAnswer") -> tuple[str, ...]:
    held = sum(each.ended.values()) - each.fees_sat
    state = "reach only" if each.conserved is None else "yes" if each.conserved else "NO"
    return (
        each.policy,
        btc(held),
        btc(each.fees_sat),
        state,
        number(each.transactions),
        number(each.endpoints),
        each.text,
    )


def _reasons(policies: Iterable["PolicyAnswer"]) -> Iterator[tuple[str, list[str]]]:
    """Every reason with the amounts under each policy."""
    listed = list(policies)
    for reason in dict.fromkeys(reason for each in listed for reason in each.ended):
        yield reason, [f"{each.policy} {btc(each.ended.get(reason, 0))}" for each in listed]


def _arrived(each: "ArrivedAnswer", names: list[str]) -> tuple[str, ...]:
    category = f" ({each.category})" if each.category else ""
    return *(btc(each.traced_sat[name]) for name in names), number(each.endpoints), one_line(each.statement + category)


def _end(end: "EndpointAnswer", names: list[str]) -> tuple[str, ...]:
    reasons = list(dict.fromkeys(end.reasons.values()))
    reason = " / ".join(reasons)
    if end.inferred:
        reason += f": {end.inferred}"
    elif end.service:
        reason += f": attributed to {end.service}"
    elif end.detail:
        reason += f": {end.detail}"
    several = (btc(end.spread_sat),) if len(names) > 1 else ()
    return (
        *(btc(end.traced_sat[name]) for name in names),
        *several,
        btc(end.value_sat),
        reason,
        str(end.hops),
        end.address or end.script_type,
        end.outpoint,
    )
