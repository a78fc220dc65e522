"""The part `traces` of a benchmark document as tables."""

from typing import Any

from table import Table, missing, number

TARGETS = {"fifo": 1.0, "poison": 5.0}


def tables(part: dict[str, Any]) -> list[Table]:
    if "not_measured" in part:
        return missing("Traces", part)
    found = []
    for name, show in (("traces", _traces), ("bounds", _bounds), ("peels", _peels)):
        each = part[name]
        found += missing(f"Traces: {name}", each) if "not_measured" in each else show(each)
    return found


def _traces(part: dict[str, Any]) -> list[Table]:
    rows = [
        [
            f"`{name}`",
            number(each["seeds"]),
            number(each["transactions"]),
            number(each["outputs"]),
            number(each["pieces"]),
            f"{each['seconds']:.3f}",
            f"{1e6 * each['seconds'] / each['transactions']:.2f}",
            f"{TARGETS[name]:g} s: {'met' if each['seconds'] < TARGETS[name] else 'missed'}" if name in TARGETS else "",
        ]
        for name, each in part["policies"].items()
    ]
    header = ["policy", "seeds", "transactions", "outputs", "pieces", "seconds", "microseconds each", "target"]
    note = f"In a ledger of {part['transactions']:,} transactions, CoinJoins passed, medians, one thread, warm."
    growth = [
        [
            number(row["transactions"]),
            f"{1000 * row['seconds']:.2f}",
            f"{1e6 * row['seconds'] / row['transactions']:.2f}",
        ]
        for row in part["growth"]
    ]
    peer = part["networkx"]
    beside = [
        ["cointrail", f"{peer['seconds']:.3f}", "x 1"],
        ["networkx, graph given", f"{peer['networkx_seconds']:.2f}", f"x {peer['ratio']:.0f}"],
        [
            "networkx, with making the graph",
            f"{peer['networkx_seconds'] + peer['networkx_build_seconds']:.2f}",
            f"x {peer['ratio_with_build']:.0f}",
        ],
    ]
    return [
        Table("Traces: one policy each", header, rows, note),
        Table(
            "Traces: cost grows with what is touched",
            ["transactions touched", "milliseconds", "microseconds each"],
            growth,
            "Haircut from one output, same ledger.",
        ),
        Table(
            "The same haircut beside networkx",
            ["", "seconds", "time"],
            beside,
            f"{peer['transactions']:,} transactions; the same satoshi on every output. Target: x 50.",
        ),
    ]


def _bounds(part: dict[str, Any]) -> list[Table]:
    rows = [
        [key.replace("_", " "), f"{value:,.3f}" if isinstance(value, float) else str(value)]
        for key, value in part.items()
    ]
    return [Table("Bounds", ["", ""], rows, "Target: a subgraph of 500,000 arcs in 2 s.")]


def _peels(part: dict[str, Any]) -> list[Table]:
    rows = [
        [name, *(f"{each[key]:.1f}" for key in ("median_ms", "best_ms", "worst_ms", "median_processor_ms"))]
        for name, each in part["ways"].items()
    ]
    note = f"{part['hops']:,} hops, each voted on; milliseconds, warm. Target: a median of 50 ms."
    return [Table("Peel chains", ["", "median", "best", "worst", "processor time, median"], rows, note)]
