"""The part `clusters` of a benchmark document as tables."""

from collections.abc import Callable
from typing import Any

from table import Table, missing, number

TARGET = 0.1  # most that the stage `cluster` may take of the rest of an ingest


def tables(part: dict[str, Any]) -> list[Table]:
    if "not_measured" in part:
        return missing("Clusters", part)
    shown: dict[str, tuple[str, Callable[[dict[str, Any]], Table]]] = {
        "share": ("Clusters: share of an ingest", _share),
        "blocks": ("Clusters: block by block", _blocks),
        "rebuild": ("Clusters: built anew", _rebuild),
        "gate": ("The gate alone", _gate),
        "unions": ("Union-find beside graphsense-clustering", _unions),
        "explain": ("Explaining two scripts of one cluster", _explain),
        "answers": ("`cointrail cluster`", _answers),
    }
    return [
        each
        for name, (title, show) in shown.items()
        for each in (missing(title, part[name]) if "not_measured" in part[name] else [show(part[name])])
    ]


def _share(part: dict[str, Any]) -> Table:
    rows = [
        [stage, f"{seconds:.2f}", f"{1e6 * seconds / part['transactions']:.3f}", f"{part['of_rest'][stage]:.3f}"]
        for stage, seconds in part["seconds"].items()
    ]
    rest = part["rest_seconds"]
    rows.append(["everything else", f"{rest:.2f}", f"{1e6 * rest / part['transactions']:.3f}", "1"])
    verdict = "met" if part["of_rest"]["cluster"] < TARGET else "missed"
    note = (
        f"{part['transactions']:,} transactions. `cluster`: gate, facts, links and merges; `change`: the vote on "
        "change and disputes; `same key`: spellings of one key. Everything else: the ingest's seconds without these "
        f"three. Target: `cluster` below {TARGET:g} of everything else: {verdict}."
    )
    header = ["stage", "seconds", "microseconds/transaction", "of everything else"]
    return Table("Clusters: share of an ingest", header, rows, note)


def _blocks(part: dict[str, Any]) -> Table:
    rows = [[stage, f"{median:.2f}", f"{part['worst_ms'][stage]:.2f}"] for stage, median in part["median_ms"].items()]
    note = (
        f"Milliseconds a block: the last {part['blocks']} blocks of the small chain, one ingest each, with a median of "
        f"{part['transactions_a_block']:,.0f} transactions."
    )
    return Table("Clusters: block by block", ["stage", "median", "worst"], rows, note)


def _rebuild(part: dict[str, Any]) -> Table:
    rows = [["withdraw all clusters", f"{part['forget_seconds']:.2f}"]]
    rows += [[f"build: {stage}", f"{seconds:.2f}"] for stage, seconds in part["stages"].items()]
    rows.append(["build, all in all, published", f"{part['build_seconds']:.2f}"])
    note = f"{part['transactions']:,} transactions, {part['scripts']:,} scripts; as after a change of rules or lists."
    return Table("Clusters: built anew", ["", "seconds"], rows, note)


def _gate(part: dict[str, Any]) -> Table:
    rows = [[f"{part['transactions']:,}", f"{part['inputs']:,}", f"{part['seconds']:.2f}"]]
    rows[0].append(number(part["transactions_per_second"]))
    return Table("The gate alone", ["transactions", "inputs", "seconds", "transactions/s"], rows, "One thread, median.")


def _unions(part: dict[str, Any]) -> Table:
    rows = []
    for case, found in part.items():
        for name, each in found["contestants"].items():
            peak = each["peak_added_bytes"]
            figures = [f"{each['join_seconds']:.2f}", f"{each['seconds']:.2f}", f"{peak / 1e6:,.0f} MB"]
            rows.append([case, name, *figures, f"{peak / found['scripts']:.1f}"])
        ratios = (found["ours_of_theirs"][key] for key in ("join_seconds", "seconds", "peak_added_bytes"))
        rows.append([case, "ratio, ours to theirs", *("" if r is None else f"x {r:.2f}" for r in ratios), ""])
    sizes = "; ".join(
        f"{case}: {found['scripts']:,} scripts, {found['groups']:,} groups, {found['members']:,} members"
        for case, found in part.items()
    )
    note = (
        f"{sizes}. Same arrays, same batches, and the partitions must be equal. They do not do the same work: ours "
        "keeps the transaction of every link and a log that takes merges back and proves them; theirs compresses "
        "paths. Total: with the cluster of every script. Memory: what the peak grew by."
    )
    header = ["lists", "", "join, seconds", "total, seconds", "peak memory added", "bytes/script"]
    return Table("Union-find beside graphsense-clustering", header, rows, note)


def _explain(part: dict[str, Any]) -> Table:
    keys = ("explain_median_ms", "explain_worst_ms", "shortly_median_ms", "shortly_worst_ms")
    rows = [
        [
            shape,
            str(r["pairs"]),
            f"{r['median_steps']:,.0f}",
            f"{r['most_steps']:,}",
            *(f"{r[key]:,.2f}" for key in keys),
        ]
        for shape, r in part["shapes"].items()
    ]
    note = (
        f"Milliseconds, in process; one cluster of {part['members']:,} scripts; random pairs of scripts, and the first "
        "with the last. `explain` is the forest's own way; `explain_shortly` adds the bounded search for a shorter one."
    )
    header = ["shape", "pairs", "steps, median", "most", "`explain`, median", "worst"]
    return Table("Explaining two scripts of one cluster", [*header, "`explain_shortly`, median", "worst"], rows, note)


def _answers(part: dict[str, Any]) -> Table:
    rows = [
        [name, f"{r['size']:,}", f"{1000 * r['seconds']:.1f}", f"{1000 * r['process_seconds']:.0f}"]
        for name, r in part.items()
    ]
    note = "Milliseconds, medians: in process, asked before; and the whole command with `--json`."
    return Table("`cointrail cluster`", ["cluster", "scripts", "in process", "command"], rows, note)
