"""Clusters as people read them: figures first, then the lists that were asked for."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cointrail.cli.finding import lists_text
from cointrail.cli.output import btc, note_page, number, one_line, print_fields, print_table

if TYPE_CHECKING:
    from cointrail.service.answers import (
        Accuracy,
        ClusterAnswer,
        HeldAnswer,
        ModelName,
        RuleShare,
        SuspicionAnswer,
        TaggedTable,
    )

LEADS = "leads only"
_SIZES = 4  # parts of a bridge that are named in a line
_ACTORS = 5  # that are named in a line


def print_cluster(answer: "ClusterAnswer", first: int, *, members: bool) -> None:
    """Print a cluster and its lists."""
    print_fields([*_figures(answer), *_warnings(answer), ("as of", _snapshot(answer))])
    if members:
        for member in answer.members:
            print(f"  {member}")
        note_page(first, len(answer.members), answer.totals["members"], "members")
    for name, show in _LISTS.items():
        rows = getattr(answer, name)
        if rows is not None:
            title, header, cells = show
            print(f"\n{title}")
            print_table(header, [cells(row) for row in rows])
            note_page(first, len(rows), answer.totals[_TOTALS.get(name, name)], title)
    if answer.suspicious:
        _print_reasons(answer.suspicious)


def _figures(answer: "ClusterAnswer") -> list[tuple[str, str]]:
    rules = ", ".join(f"{rule.id} {rule.version}" for rule in answer.rules if not rule.id.startswith("coinjoin."))
    joined = f", {number(answer.level_one_clusters)} clusters of L1" if answer.level != "L1" else ""
    kind = LEADS if answer.level == "L3" else "inference, a lower bound"
    if answer.basis == "assertion":
        kind = f"{LEADS}, and rests on a merge by hand" if answer.level == "L3" else "rests on a merge by hand"
    fields = [
        ("cluster", answer.cluster_id),
        ("level", f"{answer.level} ({kind}; rules: {rules}; gate: coinjoin rules)"),
        ("size", f"{number(answer.size)} scripts{joined}"),
        ("evidence", "; ".join(_evidence(answer))),
    ]
    if answer.model:
        fields.insert(2, ("model", model_text(answer.model)))
    if answer.overlay:
        fields.insert(2, ("overlay", answer.overlay))
    if answer.tagged:
        fields.append(("tagged", tags_text(answer.tagged)))
    if len(answer.evidence) > 1:
        fields.append(("shares", ", ".join(f"{_rule(each)} {100 * each.share:.1f} %" for each in answer.evidence)))
    if told := [f"{_rule(each)} {_rate(each.measured)}" for each in answer.evidence if each.measured]:
        fields.append(("measured", "; ".join(told)))
    return [
        *fields,
        ("received", btc(answer.received_sat)),
        ("spent", btc(answer.spent_sat)),
        ("balance", btc(answer.balance_sat)),
        ("first seen", f"height {number(answer.first_seen.height)}, {answer.first_seen.time_utc}"),
        ("last seen", f"height {number(answer.last_seen.height)}, {answer.last_seen.time_utc}"),
    ]


def _evidence(answer: "ClusterAnswer") -> list[str]:
    found = [f"{number(answer.co_spends)} co-spends"]
    if answer.same_keys:
        found.append(f"{number(answer.same_keys)} same-key facts")
    if answer.inferences:
        found.append(f"{number(answer.inferences)} inferences above L1")
    if answer.assertions:
        found.append(f"{number(answer.assertions)} merges by hand")
    return [*found, f"{number(answer.suppressed)} collaborative left out"]


def model_text(model: "ModelName") -> str:
    """A change model in a line."""
    return f"SHA-256 {model.sha256}, names change from {1000 * model.tau:.1f} per mille"


def tags_text(tags: "TaggedTable") -> str:
    """A table of tags in a line: who is named, who says so, and which file that is."""
    named = ", ".join(f"{each.actor} ({number(each.addresses)})" for each in tags.attributed[:_ACTORS])
    named += f" and {number(tags.actors - _ACTORS)} more" if tags.actors > _ACTORS else ""
    lists = lists_text(tags.lists)
    said = f"attributed to {named} by {lists}" if named else f"nothing here is attributed to anybody by {lists}"
    rules = ", ".join(f"{rule.id} {rule.version}" for rule in tags.rules) or "no rule"
    return one_line(f"{said}, an assertion: {number(tags.tags)} tags, tag set {tags.digest}; read by {rules}")


def _rate(row: "Accuracy") -> str:
    bound = "" if row.upper_fdr is None else f", at most {100 * row.upper_fdr:.2g} %"
    return f"{number(row.errors)} of {number(row.n)} wrong{bound} ({row.models} worlds)"


def _rule(share: "RuleShare") -> str:
    return f"{share.id} {share.detail}".rstrip()


def _warnings(answer: "ClusterAnswer") -> list[tuple[str, str]]:
    counted = (
        ("post-mix", answer.postmix_merges, "co-spends of outputs that come from collaborative transactions"),
        ("forced", answer.forced_co_spends, "forced co-spend possible: dust that somebody else sent is spent"),
        ("payjoin", answer.payjoin_suspects, "co-spends with an unnecessary input, as a PayJoin has"),
        ("disputes", len(answer.disputes), "later signs against a co-spend"),
    )
    return [(name, f"{number(count)} {text}") for name, count, text in counted if count]


def _snapshot(answer: "ClusterAnswer | HeldAnswer") -> str:
    return f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _height(height: int | None) -> str:
    return "-" if height is None else number(height)


def _sizes(parts: int, sizes: Sequence[int]) -> str:
    if not parts:
        return "-"
    more = f" + {number(parts - _SIZES)} more" if parts > _SIZES else ""
    return " | ".join(number(size) for size in sizes[:_SIZES]) + more


_LISTS: dict[str, tuple[str, tuple[str, ...], Callable[[Any], tuple[str, ...]]]] = {
    "transactions": (
        "co-spends",
        ("height", "rule", "verdict", "members", "txid", "notes"),
        lambda each: (
            number(each.height),
            f"{each.rule.id} {each.rule.version}",
            each.verdict,
            number(each.members),
            each.txid,
            "; ".join(each.notes),
        ),
    ),
    "suppressed_transactions": (
        "co-spends not believed",
        ("height", "class", "txid", "reasons"),
        lambda each: (number(each.height), each.kind, each.txid, "; ".join(each.reasons)),
    ),
    "evolution": (
        "growth",
        ("height", "time", "before", "after", "parts", "largest part", "txid"),
        lambda each: (
            number(each.height),
            each.time_utc,
            number(each.before),
            number(each.after),
            number(each.parts),
            number(each.largest_part),
            each.txid,
        ),
    ),
    "aliases": (
        "former cluster ids",
        ("height", "size", "cluster id", "txid"),
        lambda each: (number(each.height), number(each.size), each.cluster_id, each.txid),
    ),
    "bridges": (
        "bridges",
        ("height", "rule", "parts", "txid"),
        lambda each: (_height(each.height), each.rule, _sizes(each.parts, each.sizes), each.txid or "-"),
    ),
    "suspicious": (
        "merges to look at",
        ("rank", "height", "rule", "bits", "parts", "txid"),
        lambda each: (
            number(each.rank),
            _height(each.height),
            each.rule,
            f"{each.score_bits:.1f}",
            _sizes(each.parts, each.sizes),
            each.txid or "-",
        ),
    ),
}
_TOTALS = {"suppressed_transactions": "suppressed"}


def _print_reasons(rows: Sequence["SuspicionAnswer"]) -> None:
    for each in rows:
        print(f"  {each.rank}. {each.reason}")


def print_held(answer: "HeldAnswer", first: int) -> None:
    """Print what is held for review, and the growth alarms."""
    reasons = ", ".join(f"{number(count)} by {reason}" for reason, count in answer.by_reason.items() if count)
    print_fields(
        [
            ("level", f"{answer.level} ({LEADS if answer.level == 'L3' else 'inference'})"),
            *([("model", model_text(answer.model))] if answer.model else []),
            *([("tagged", tags_text(answer.tagged))] if answer.tagged else []),
            ("held", f"{number(answer.held_total)} merges for review{f': {reasons}' if reasons else ''}"),
            ("alarms", f"{number(answer.alarms_total)} blocks that made an L1 cluster much larger"),
            ("as of", _snapshot(answer)),
        ]
    )
    if answer.held:
        print("\nheld merges")
        rows = [
            (_height(each.height), each.rule, each.reason, number(each.size_a), number(each.size_b), each.txid or "-")
            for each in answer.held
        ]
        print_table(("height", "rule", "guard", "one side", "other side", "txid"), rows)
    note_page(first, len(answer.held), answer.held_total, "held merges")
    if answer.alarms:
        print("\ngrowth alarms")
        found = [
            (number(each.height), number(each.before), number(each.after), each.cluster_id, each.txid)
            for each in answer.alarms
        ]
        print_table(("height", "before", "after", "cluster", "greatest merge"), found)
    note_page(first, len(answer.alarms), answer.alarms_total, "growth alarms")
