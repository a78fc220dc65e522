"""The parts `tags`, `profiles` and `exposures` of a benchmark document as tables."""

from typing import Any

from table import Table, mb, missing, number

Part = dict[str, Any]


def _verdict(seconds: float, target: float) -> str:
    shown = f"{1000 * target:g} ms" if target < 1 else f"{target:g} s"
    return f"{shown}: {'met' if seconds < target else 'missed'}"


def tags(part: Part) -> list[Table]:
    if "not_measured" in part:
        return missing("Tags", part)
    found = []
    for name, show in (("import", _imports), ("resolved", _resolved)):
        each = part[name]
        found += missing(f"Tags: {name}", each) if "not_measured" in each else show(each)
    return found


def _imports(part: Part) -> list[Table]:
    targets = {"table": 180.0, "pack": 120.0}
    rows = []
    for server, measured in part.items():
        if "not_measured" in measured:
            rows.append([server, f"not measured: {measured['not_measured']}", "", "", "", "", ""])
        for name, each in measured.items():
            if not isinstance(each, dict):
                continue
            rows.append(
                [
                    f"{server}: {name}",
                    number(each["tags"]),
                    f"{each['seconds']:.1f}",
                    number(each["tags"] / each["seconds"]),
                    number(each["bytes_a_tag"]),
                    mb(each["peak_resident_bytes"]),
                    _verdict(each["seconds"], targets[name]) if name in targets else "",
                ]
            )
    looked = ", ".join(
        f"{server} {each['lookup_us'] / 1000:.2f} ms" for server, each in part.items() if "lookup_us" in each
    )
    header = ["import", "tags", "seconds", "tags/s", "bytes a tag", "peak memory", "target"]
    note = (
        "By the command line, once each, program start included; peak memory of the command, a server's not counted. "
        f"Tags of one address in an open store, median: {looked}."
    )
    return [Table("Tags: import", header, rows, note)]


def _resolved(part: Part) -> list[Table]:
    rows = [
        ["look all tags up in the ledger", f"{part['first_seconds']:.2f}", ""],
        ["the same, remembered", f"{part['remembered_seconds']:.2f}", ""],
        ["remembered, and whom they name on scripts and clusters", f"{part['services_seconds']:.2f}", ""],
    ]
    names = {"exposure": "`exposure` within 5 hops", "who": "`who`"}
    for key, name in names.items():
        each = part["questions"][key]
        for measure, what in (("median", "median"), ("worst", f"worst of {each['asked']}")):
            seconds = each[f"{measure}_seconds"]
            target = _verdict(seconds, 1.0) if key == "exposure" else ""
            rows.append([f"{name} of an address with all of them, {what}", f"{seconds:.2f}", target])
    note = (
        f"{part['tags']:,} imported tags (SQLite), each of which speaks for its cluster, in a ledger of "
        f"{part['transactions']:,} transactions and {part['scripts']:,} scripts."
    )
    return [Table("Tags: a million in a ledger", ["", "seconds", "target"], rows, note)]


def profiles(part: Part) -> list[Table]:
    if "not_measured" in part:
        return missing("Profiles", part)
    ordinary = part["ordinary"]
    rows = [
        [
            "`profile` of an ordinary address, median (worst)",
            f"{ordinary['profile_median_ms']:.2f} ms ({ordinary['profile_worst_ms']:.1f})",
            f"{_verdict(ordinary['profile_median_ms'] / 1000, 0.010)} by the median, "
            f"{'met' if ordinary['profile_worst_ms'] < 10 else 'missed'} by the worst",
        ],
        [
            "`counterparties` of an ordinary address, median (worst)",
            f"{ordinary['counterparties_median_ms']:.2f} ms ({ordinary['counterparties_worst_ms']:.1f})",
            "",
        ],
    ]
    names = {"busiest": "the busiest address", "busy": "an address made busy", "wide": "a cluster made wide"}
    for key, name in names.items():
        each = part[key]
        what = f"{name}: {each['scripts']:,} script(s), {each['transactions']:,} transactions"
        for asked in ("profile", "counterparties"):
            first, whole = each[f"{asked}_first_seconds"], each[f"{asked}_whole_seconds"]
            rows.append([f"`{asked}` of {what}, first page", f"{first:.2f} s", _verdict(first, 1.0)])
            rows.append([f"`{asked}` of {what}, whole", f"{whole:.2f} s", _verdict(whole, 5.0)])
    if scored := part.get("service_like"):  # documents of earlier runs have none
        what = f"service-like: {scored['asked']:,} clusters scored, {scored['found']:,} found"
        rows.append([what, f"{scored['seconds']:.2f} s", ""])
    note = (
        f"In process, warm. {ordinary['addresses']} ordinary addresses and the busiest one in a ledger of "
        f"{part['transactions']:,} transactions; the two others in ledgers of their own."
    )
    return [Table("Profiles", ["", "time", "target"], rows, note)]


def _exposure_verdict(name: str, each: Part) -> str:
    if not name.endswith(", 5 hops"):
        return ""
    if each["ended_at_once"] == each["wallets"]:
        return "1 s: nothing was walked"
    return _verdict(each["worst_seconds"], 1.0)


def exposures(part: Part) -> list[Table]:
    if "not_measured" in part:
        return missing("Exposure", part)
    rows = [
        [
            name,
            f"{each['largest_scripts']:,}",
            f"{each['most_transactions']:,}",
            f"{1000 * each['median_seconds']:.1f}",
            f"{1000 * each['worst_seconds']:.0f}",
            *(f"{each[count]} of {each['wallets']}" for count in ("with_arrivals", "complete")),
            str(each["fewest_whole_hops"]),
            f"{each['ended_at_once']} of {each['wallets']}",
            _exposure_verdict(name, each),
        ]
        for name, each in part["wallets"].items()
    ]
    header = ["wallets", "most scripts", "most transactions passed", "median ms", "worst ms", "reach somebody"]
    header += ["complete", "fewest hops walked whole", "ended at once", "target, of the worst"]
    note = (
        f"Both sides, with ways and bounds, in a ledger of {part['transactions']:,} transactions; "
        f"{part['tagged']:,} random scripts are tagged; in process, warm. Not complete: a million transactions a "
        "side allow fewer hops, each of them whole. Ended at once: no transaction was passed, so its time says "
        "nothing of a walk. Clusters beyond the limit are not entered, and the wallet's own is where the walk begins."
    )
    return [Table("Exposure", header, rows, note)]
