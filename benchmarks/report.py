"""One benchmark document as tables: for a terminal, and as the page docs/benchmarks.md."""

from collections.abc import Callable
from typing import Any

import cluster_tables
import profile_tables
import trace_tables
from kept import runs_of
from table import Table, mb, missing, number

CHAIN_CAVEAT = (
    "The chain is the simulator's (docs/explanation/the-simulator.md has its shape): regtest, signatures are "
    "placeholders, and no block needs to be refused."
)


def _ingest(part: dict[str, Any]) -> list[Table]:
    if "not_measured" in part:
        return missing("Ingest", part)
    small, large, growth = part["small"], part["large"], part["growth"]

    def row(name: str, key: str, show: Any) -> list[str]:
        return [name, show(small[key]), show(large[key])]

    rows = [
        ["runs, median of", str(len(small["runs"])), str(len(large["runs"]))],
        ["bytes of block files", mb(small["chain"]["bytes"]), mb(large["chain"]["bytes"])],
        ["unspent outputs at the tip", *(f"{side['chain']['live_unspent']:,}" for side in (small, large))],
        row("seconds", "seconds", lambda s: number(s, 2)),
        row("seconds of the whole process", "process_seconds", lambda s: number(s, 2)),
        row("transactions/s", "transactions_per_second", number),
        row("MB/s of block bytes", "mb_per_second", number),
        row("peak memory, anonymous", "peak_anonymous_bytes", mb),
        row("peak memory, resident (with mapped files)", "peak_resident_bytes", mb),
        row("ledger bytes/transaction", "ledger_bytes_per_transaction", number),
        row("ledger bytes/transaction, allocated on disk", "allocated_bytes_per_transaction", number),
    ]
    names = list(large["stage_seconds"])
    names += [name for name in small["stage_seconds"] if name not in names]
    stages = [
        [name, *(f"{100 * side['stage_seconds'].get(name, 0) / side['seconds']:.1f} %" for side in (small, large))]
        for name in names
    ]
    stages.append(["sum of the stages", *(f"{100 * side['stage_sum_of_seconds']:.1f} %" for side in (small, large))])
    header = ["", *(f"{side['chain']['transactions']:,} transactions" for side in (small, large))]
    note = (
        f"From a tenth to the whole, speed changes by x {growth['speed']:.2f} and anonymous memory by "
        f"x {growth['anonymous_memory']:.2f}, {growth['anonymous_bytes_per_added_unspent_output']:,.0f} bytes for each "
        "unspent output more. Compiled kernels come from their cache; block files from the page cache."
    )
    overlap = "Share of the ingest's seconds. Stages that run side by side may sum to more than 100 %."
    return [Table("Ingest", header, rows, note), Table("Ingest: time per stage", header, stages, overlap)]


def _lookups(part: dict[str, Any]) -> list[Table]:
    if "not_measured" in part:
        return missing("Look-ups", part)
    rows = [
        [f"`ledger.{name}`", f"{r['lookups']:,}", *(number(r[key]) for key in ("median_us", "p99_us", "worst_us"))]
        for name, r in ((name, part[name]) for name in ("transaction", "address"))
    ]
    note = (
        "Microseconds, one after another, in process, random existing ids, each asked once. Cold ones are excluded: "
        f"1,000 others come first. Opening the ledger took {part['open_us'] / 1000:.1f} ms."
    )
    return [Table("Look-ups in the large ledger", ["", "look-ups", "median", "p99", "worst"], rows, note)]


def _kernels(part: dict[str, Any]) -> list[Table]:
    if "not_measured" in part:
        return missing("Kernels alone", part)
    names = {
        "parse": "`parse_blocks`, block bytes to columns",
        "memcpy": "numpy copy of the same bytes",
        "hash": "`hash_messages`, txids (double SHA-256)",
        "hashlib": "`hashlib.sha256` twice, same messages, a Python loop",
    }
    rows = [
        [
            text,
            mb(part[key]["bytes"]),
            number(part[key]["mb_per_second"]),
            f"{1000 * part[key]['median_seconds']:.1f}",
        ]
        for key, text in names.items()
    ]
    rounds = len(part["parse"]["seconds"])
    note = (
        f"One thread, one block file of the synthetic chain in memory ({part['transactions']:,} transactions), medians "
        f"of {rounds} rounds, all four in each round. MB/s of hashing count message bytes once, and our time includes "
        "gathering the messages' places. Parsing runs at "
        f"{part['parse_of_memcpy']:.3f} of the copy's speed; hashing at {part['hash_of_hashlib']:.2f} times hashlib's."
    )
    return [Table("Kernels alone", ["", "bytes", "MB/s", "ms"], rows, note)]


def _peers(part: dict[str, Any]) -> list[Table]:
    title = "Real blocks: bytes to transactions"
    if "not_measured" in part:
        return missing(title, part)
    rows = []
    for name, result in part["contestants"].items():
        if "not_measured" in result:
            rows.append([name, f"not measured: {result['not_measured']}", "", "", result["what"]])
            continue
        ratio = result.get("times_the_time_of_cointrail")
        milliseconds = f"{1000 * result['median_seconds']:.2f}"
        times = f"x {ratio:.2f}" if ratio else ""
        rows.append([name, milliseconds, number(result["mb_per_second"]), times, result["what"]])
    note = (
        f"{part['blocks']} mainnet blocks, {part['bytes']:,} bytes, {part.get('transactions', 0):,} transactions, "
        f"{part.get('inputs', 0):,} inputs, {part.get('outputs', 0):,} outputs; one thread; medians of "
        f"{part['rounds']} rounds. All agree on every txid, outpoint, value and script (the line without values: no "
        "block refused). They do not do the same work: beside programs that give Python objects, the fair line is "
        "`Python values`; beside C++ alone, `columns`."
    )
    return [Table(title, ["", "ms", "MB/s", "time", "what it does"], rows, note)]


PARTS: dict[str, Callable[[dict[str, Any]], list[Table]]] = {
    "ingest": _ingest,
    "lookups": _lookups,
    "kernels": _kernels,
    "peers": _peers,
    "clusters": cluster_tables.tables,
    "traces": trace_tables.tables,
    "tags": profile_tables.tags,
    "profiles": profile_tables.profiles,
    "exposures": profile_tables.exposures,
}


def tables(document: dict[str, Any]) -> list[Table]:
    return [table for name, show in PARTS.items() if name in document for table in show(document[name])]


def _machine(machine: dict[str, Any]) -> str:
    return (
        f"{machine['date_utc']} UTC; {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB memory, {machine['filesystem']}, {machine['system']}; "
        f"cointrail {machine['cointrail']}, Python {machine['python']}, numpy {machine['numpy']}, "
        f"numba {machine['numba']}; load before {machine['load_before']}, after {machine['load_after']}"
    )


def as_text(document: dict[str, Any]) -> str:
    """Tables for a terminal. The long column of the peers is left to the page."""
    lines = [_machine(document["machine"])]
    for table in tables(document):
        rows = [table.header, *table.rows]
        if table.header[-1] == "what it does":
            rows = [row[:-1] for row in rows]
        rows = [[cell.replace("`", "") for cell in row] for row in rows]
        widths = [max(len(row[k]) for row in rows if k < len(row)) for k in range(len(rows[0]))]
        lines += ["", table.title]
        for row in rows:
            first, *rest = (
                cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=False))
            )
            lines.append("  " + "  ".join([first, *rest]).rstrip())
        if table.note:
            lines.append("  " + table.note.replace("`", ""))
    return "\n".join(lines) + "\n"


def as_markdown(document: dict[str, Any]) -> str:
    """The page docs/benchmarks.md."""
    runs = list(runs_of(document, tuple(PARTS)))
    commands = "command" if len(runs) == 1 else "commands"
    lines = [
        "# Benchmarks",
        "",
        f"Written by the {commands} below, not by hand. Compare ratios rather than seconds: they survive another "
        "machine.",
    ]
    for machine, names in runs:
        lines += ["", f"```\n{machine['command']}\n```", ""]
        lines.append(_machine(machine) + (f". Measured: {', '.join(names)}." if len(runs) > 1 else "."))
    for table in tables(document):
        lines += ["", f"## {table.title}", ""]
        lines.append("| " + " | ".join(table.header) + " |")
        lines.append("|---" * len(table.header) + "|")
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows]
        if table.note:
            lines += ["", table.note]
    loads = "; ".join(f"before {machine['load_before']}, after {machine['load_after']}" for machine, _ in runs)
    lines += [
        "",
        "## Caveats",
        "",
        f"- {CHAIN_CAVEAT}",
        f"- The machine may be shared. Load {loads}; our own process counts 1.",
        "- The page cache is warm throughout: neither a slow disk nor the first, cold look-up is in these numbers.",
        f"- Mainnet (1.44e9 transactions) is {1.44e9 / document['parameters']['transactions']:,.0f} times as long as "
        "the large chain: growth beyond it is extrapolation.",
    ]
    return "\n".join(lines) + "\n"
