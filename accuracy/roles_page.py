"""The part of docs/accuracy.md about roles."""

from collections.abc import Iterable, Sequence

import roles_words as words
from book import Book, Line
from cointrail.profile.roles.segments import RULE as SEGMENTS
from cointrail.profile.roles.segments import Kind, Segment
from cointrail.profile.roles.service_like import RULE as LIKE
from cointrail.profile.roles.service_like import Likeness
from cointrail.profile.roles.stores import RULE as STORE
from cointrail.trace.finders.deposits import RULE as DEPOSIT
from roles_rows import Confusion, Matrices
from worlds import HOLDOUT, TRAINING, World

BEGIN, END = "<!-- roles: measured by accuracy/run.py -->", "<!-- end of roles -->"
RULES = (DEPOSIT, SEGMENTS, STORE, LIKE)


def roles_section(book: Book, matrices: Matrices, worlds: list[World], command: str) -> str:
    """The whole part, with its marks."""
    where = ", ".join(f"{world.name} (`{world.digest[:16]}`)" for world in worlds)
    parts = [
        BEGIN, "## Roles from behaviour", f"`{command}`, on {where}.", words.ROLES,
        "### Deposit addresses", words.DEPOSITS, _lines(book, DEPOSIT, "recall"),
        "### Segments", words.SEGMENTS, _lines(book, SEGMENTS, "recall"),
        words.SEGMENT_MATRIX, _matrix(matrices.segments, [each.words for each in Segment]),
        words.TRANSACTIONS, _matrix(matrices.transactions, [each.words for each in Kind]),
        "### Cold stores", words.STORES, _lines(book, STORE, "recall"),
        "### Service-like behaviour", words.LIKE, _lines(book, LIKE, "recall"),
        words.CONFUSION, _matrix(matrices.likeness, list(Likeness)),
        words.CALIBRATION, _tenths(matrices), END,
    ]  # fmt: skip
    return "\n\n".join(part.strip() for part in parts)


def put_roles(page: str, section: str) -> str:
    """A page with its part about roles replaced, or with one at its end."""
    before, found, rest = page.partition(BEGIN)
    if not found:
        return f"{page.rstrip()}\n\n{section}\n"
    return f"{before}{section}{rest.partition(END)[2]}"


def _lines(book: Book, rule: str, recall: str) -> str:
    rows = [(line.stratum, line.models, *_counted(line)) for line in book.lines() if line.rule == rule]
    return _table(("stratum", "models", "n", "wrong", "right", "bound of wrong", recall), rows)


def _counted(line: Line) -> tuple[str, ...]:
    return f"{line.n:,}", f"{line.errors:,}", *map(_share, (line.precision, line.upper_fdr, line.recall))


def _matrix(found: Confusion, said: Sequence[str]) -> str:
    rows = [
        (true, models, *(f"{found[models, true, each]:,}" for each in said))
        for models in (HOLDOUT, TRAINING)
        for true in sorted({key[1] for key in found if key[0] == models})
    ]
    return _table(("truly", "models", *said), rows)


def _tenths(matrices: Matrices) -> str:
    rows = []
    for (models, tenth), (n, services, sums) in sorted(matrices.tenths.items()):
        where = f"{10 * tenth} to {10 * tenth + 10} %"
        rows.append((where, models, f"{n:,}", _share(sums / n / 1e6), f"{services:,}", _share(services / n)))
    return _table(("probability", "models", "units", "mean", "services", "share"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"
