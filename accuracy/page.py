"""docs/accuracy.md, and the figures inside docs/methods/change-model.md."""

from collections.abc import Iterable, Sequence

import words
from book import ALL, Book, Count, Line
from change_rows import RULE as VOTE
from change_rows import correlation
from cluster_rows import CO_SPEND
from cointrail.cluster.change.rules import RULES
from cointrail.cluster.gate.kinds import RULE_OF, VETO, Sign
from cointrail.cluster.learned.train import NEVER
from gate_rows import GATE, LEFT_ALONE
from learning import INDEPENDENT, Learned
from real import Set
from targets import Target
from worlds import HOLDOUT, REAL, TRAINING, World

NOTE = "<!-- Written by accuracy/run.py. Do not edit: run `make accuracy`. -->"
BEGIN, END = "<!-- measured by accuracy/run.py -->", "<!-- end of what was measured -->"
_MOST_FEATURES = 20


def accuracy_page(
    book: Book, worlds: list[World], sets: list[Set], learned: list[Learned], found: list[Target], command: str
) -> str:
    """The whole page."""
    parts = [
        NOTE, "# Error rates", _head(worlds, sets, learned, command), "## What these figures are not", words.CAVEATS,
        "## Targets", _table(("result", "target", "figure"), ((t.word, t.what, t.figure) for t in found)),
        "## Clusters", _clusters(book), "## Links", _links(book), "## The gate", _gate(book),
        "## Change rules", _changes(book), "## The vote", _vote(book), "## Do families err together?", _together(book),
        "## The learned model", model_section(learned, command, images="images"),
        "Definition, assumption and failure modes: [change model](methods/change-model.md).",
    ]  # fmt: skip
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _head(worlds: list[World], sets: list[Set], learned: list[Learned], command: str) -> str:
    rows = [
        (world.models, world.name, f"{world.transactions:,} transactions", f"`{world.digest[:16]}`") for world in worlds
    ]
    rows += [(REAL, each.name, "", f"`{each.sha256[:16]}`") for each in sets]
    for each in learned:
        size = f"{each.path.stat().st_size:,} bytes"
        rows.append(("model", each.labels, size, f"`{each.model.digest[:16]}`"))
    missing = "" if sets else "\n\n**The public sets were not there**, so no row of real data is in this page."
    return (
        f"How often rules are wrong, as `make accuracy` measured it:\n\n```\n{command}\n```\n\n"
        "The same command writes the same bytes. Answers cite the table `src/cointrail/cluster/accuracy.json`.\n\n"
        + _table(("models", "what", "size", "SHA-256 begins"), rows)
        + missing
    )


# Parts of the page.


def _clusters(book: Book) -> str:
    names = sorted({row.rule for row in book.lines() if row.rule.startswith("cluster.")})
    rows = []
    for rule in names:
        for models in (TRAINING, HOLDOUT):
            line = book.line(rule, models)
            if line:
                figures = [
                    _share(book.figure(f"{rule}.{name}", models))
                    for name in ("bcubed_precision", "bcubed_recall", "court_by_address", "court_by_entity")
                ]
                rows.append((rule.removeprefix("cluster."), models, *_counted(line), _share(line.recall), *figures))
    head = (
        "level", "models", "pairs joined", "wrong", "right", "bound of wrong", "recall of pairs", "B-cubed precision",
        "B-cubed recall", "court, by address", "court, by controller",
    )  # fmt: skip
    return f"{words.CLUSTERS}\n\n{_table(head, rows)}"


def _links(book: Book) -> str:
    rows = [
        (line.rule, line.stratum, line.models, *_counted(line))
        for line in book.lines()
        if line.rule == CO_SPEND or (line.rule == "same_key" and line.stratum == ALL)
    ]
    table = _table(("rule", "stratum", "models", "n", "wrong", "right", "bound of wrong"), rows)
    silent = all(line.n == 0 for line in book.lines() if line.rule == "same_key")
    return "\n\n".join([words.LINKS, table, *([words.SILENT_SAME_KEY] if silent else [])])


def _gate(book: Book) -> str:
    lines = [row for row in book.lines() if row.rule == GATE]
    apart = [(row.stratum.split(": ")[1], row.models, *_counted(row)) for row in lines if "apart: " in row.stratum]
    ordinary = [
        (row.stratum.removeprefix(LEFT_ALONE).lstrip(": ") or ALL, row.models, *_counted(row))
        for row in lines
        if row.stratum.startswith(LEFT_ALONE)
    ]
    real = [(row.stratum, *_counted(row)) for row in lines if row.models == REAL]
    parts = [
        words.APART, _table(("protocol", "models", "pairs", "wrong", "apart", "bound of wrong"), apart),
        words.SIGNS,
        _table(("sign", "strangers kept apart", "suppressed", "of one controller", "of ordinary"), _signs(book)),
        words.ORDINARY,
        _table(("kind", "models", "n", "suppressed", "left alone", "bound of suppressed"), ordinary),
    ]  # fmt: skip
    if real:
        parts += [words.REAL, _table(("set", "n", "wrong", "right", "bound of wrong"), real)]
    return "\n\n".join(parts)


def _signs(book: Book) -> Iterable[Sequence[str]]:
    for sign in Sign:
        if sign in VETO and sign is not Sign.LISTED:
            whole, ordinary = (_over_worlds(book, RULE_OF[sign], stratum) for stratum in (ALL, LEFT_ALONE))
            apart = _share(whole.found / whole.wanted if whole.wanted else None)
            alarms = _share(ordinary.errors / ordinary.n if ordinary.n else None)
            yield f"`{RULE_OF[sign]}`", apart, f"{whole.n:,}", f"{whole.errors:,}", alarms


def _over_worlds(book: Book, rule: str, stratum: str) -> Count:
    """A row of simulated worlds, whatever their models."""
    found = Count()
    for (of_rule, _, models, of_stratum), count in book.counts.items():
        if (of_rule, of_stratum) == (rule, stratum) and models != REAL:
            found.n += count.n
            found.errors += count.errors
            found.found += count.found
            found.wanted += count.wanted
    return found


def _changes(book: Book) -> str:
    rows = []
    for rule in RULES:
        both = [book.line(rule.id, models, version=rule.version) for models in (TRAINING, HOLDOUT)]
        if any(both):
            cells = [cell for line in both for cell in ((*_counted(line), _share(line.recall)) if line else ("-",) * 5)]
            rows.append((f"{rule.id} {rule.name}", str(rule.family), *cells))
    head = ("rule", "family", *(f"{models}: {name}" for models in (TRAINING, HOLDOUT)
            for name in ("fired", "wrong", "right", "bound of wrong", "recall")))  # fmt: skip
    silent = ", ".join(rule.id for rule in RULES if not any(row[0] == f"{rule.id} {rule.name}" for row in rows))
    never = [f"Never fired here: {silent}."] if silent else []
    return "\n\n".join([words.CHANGES, _table(head, rows), *never])


def _vote(book: Book) -> str:
    rows = [
        (line.stratum, line.models, *_counted(line), _share(line.recall)) for line in book.lines() if line.rule == VOTE
    ]
    head = ("stratum", "models", "n", "wrong", "right", "bound of wrong", "recall")
    return f"{words.VOTE}\n\n{_table(head, rows)}"


def _together(book: Book) -> str:
    rows = []
    names = sorted({name.split(".")[1] for name, _ in book.figures if name.startswith("families.")})
    for name in names:
        for models in (TRAINING, HOLDOUT):
            cells = [
                book.figure(f"families.{name}.{cell}", models) for cell in ("first wrong", "second wrong", "both wrong")
            ]
            phi = correlation(book, name, models)
            rows.append(
                (name.replace("&", " and "), models, *map(_share, cells), "-" if phi is None else f"{phi:+.3f}")
            )
    head = ("families", "models", "first wrong", "second wrong", "both wrong", "phi")
    return f"{words.TOGETHER}\n\n{_table(head, rows)}"


# The model, here and on its method page.


def model_section(learned: list[Learned], command: str, images: str = "../images") -> str:
    """Figures of the models."""
    head = ("trained with", "grown on", "calibrated on", "threshold", "file")
    rows = [
        (
            each.labels, f"{each.sizes['grow']:,} transactions", f"{each.sizes['calibrate']:,}",
            "none: it names nothing" if each.model.tau >= NEVER else f"{each.model.tau:.4f}", f"`{each.path.name}`",
        )
        for each in learned
    ]  # fmt: skip
    parts = [f"`{command}`:", _table(head, rows), _named(learned), _calibration(learned)]
    parts.append(f"![ROC curves of the change model by script type]({images}/change-model-roc.svg)")
    return "\n\n".join([*parts, _importance(learned)])


def _named(learned: list[Learned]) -> str:
    rows = []
    for each in learned:
        for name, judged in each.tests.items():
            for stratum, (named, wrong, wanted) in judged.named.items():
                area = judged.curves[stratum].area
                share = _share(wrong / named) if named else "-"
                found = _share((named - wrong) / wanted) if wanted else "-"
                rows.append((each.labels, name, stratum, f"{area:.4f}", f"{named:,}", f"{wrong:,}", share, found))
    head = ("trained with", "tested on", "inputs", "ROC area", "named", "wrong", "share wrong", "recall")
    return f"{words.NAMED}\n\n{_table(head, rows)}"


def _calibration(learned: list[Learned]) -> str:
    rows = []
    for each in learned:
        for name, judged in each.tests.items():
            rows += [
                (each.labels, name, f"{t.low:.0%} to {t.low + 0.1:.0%}", f"{t.n:,}", _share(t.mean), _share(t.change))
                for t in judged.tenths
            ]
    head = ("trained with", "tested on", "probability", "n", "mean", "is change")
    return f"{words.CALIBRATION}\n\n{_table(head, rows)}"


def _importance(learned: list[Learned]) -> str:
    tests = [each.tests[f"{HOLDOUT}, {INDEPENDENT}"] for each in learned]
    names = [name for name, _ in tests[0].importance][:_MOST_FEATURES]
    lost = [dict(test.importance) for test in tests]
    rows = [(f"`{name}`", *(f"{each.get(name, 0.0):+.5f}" for each in lost)) for name in names]
    return f"{words.IMPORTANCE}\n\n{_table(('feature', *(each.labels for each in learned)), rows)}"


def put_section(page: str, section: str) -> str:
    """A page with what stands between the marks replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{section}\n{END}{after}"


# Cells.


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _counted(line: Line) -> tuple[str, str, str, str]:
    return f"{line.n:,}", f"{line.errors:,}", _share(line.precision), _share(line.upper_fdr)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"
