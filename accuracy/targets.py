"""What the figures have to reach, registered before the run (METHODS.md 10.6; RELIABILITY.md G21, G22)."""

from collections.abc import Iterator
from dataclasses import dataclass

from book import ALL, Book, Line
from change_rows import RULE as VOTE
from cluster_rows import CO_SPEND, WITHOUT_PAYJOINS
from cointrail.cluster.learned.train import FALSE_DISCOVERIES
from cointrail.trace.finders.deposits import RULE as DEPOSIT
from cointrail.trace.finders.deposits import VERSION as DEPOSIT_VERSION
from gate_rows import GATE, LEFT_ALONE
from judged import LEAST_RIGHT, SURE
from learning import INDEPENDENT, Learned
from roles_rows import TWICE
from worlds import HOLDOUT, REAL, TRAINING

LEVEL_ONE, CO_SPENDS, VOTES, SUPPRESSED = 0.999, 0.995, 0.99, 0.02
DEPOSITS = 0.99


@dataclass(frozen=True, slots=True)
class Target:
    """One target: what, the figure, and whether it is reached; None if nothing was there to check."""

    what: str
    figure: str
    reached: bool | None

    @property
    def word(self) -> str:
        """pass, fail or not checked."""
        return "not checked" if self.reached is None else "pass" if self.reached else "fail"


def targets(book: Book, learned: list[Learned]) -> list[Target]:
    """Check all targets."""
    return [*_levels(book), *_changes(book), *_gate(book), *_models(learned), *role_targets(book)]


def role_targets(book: Book) -> Iterator[Target]:
    """Those about roles alone."""
    line = book.line(DEPOSIT, HOLDOUT, TWICE, DEPOSIT_VERSION)
    yield _at_least(f"deposit addresses at two sweeps or more at least {DEPOSITS:.0%}, {HOLDOUT}", line, DEPOSITS)


def _at_least(what: str, line: Line | None, least: float) -> Target:
    if line is None or line.precision is None:
        return Target(what, "-", None)
    figure = f"{line.precision:.3%} ({line.errors:,} wrong of {line.n:,})"
    return Target(what, figure, (line.n - line.errors) >= least * line.n)


def _levels(book: Book) -> Iterator[Target]:
    for models in (TRAINING, HOLDOUT):
        line = book.line(f"cluster.L1 {WITHOUT_PAYJOINS}", models)
        yield _at_least(f"L1 pair precision at least {LEVEL_ONE:.1%} without PayJoins, {models}", line, LEVEL_ONE)
    line = book.line(CO_SPEND, HOLDOUT)
    yield _at_least(
        f"co-spend behind the gate at least {CO_SPENDS:.1%}, pairs joined at once, {HOLDOUT}", line, CO_SPENDS
    )
    apart = [row for row in book.lines() if "decoy" in row.stratum and WITHOUT_PAYJOINS not in row.rule]
    for rule in sorted({row.rule for row in apart if "without" not in row.rule}):
        rows = [row for row in apart if row.rule == rule]
        wrong, n = sum(row.errors for row in rows), sum(row.n for row in rows)
        yield Target(
            f"the decoy (LuckyDice) is never merged with the market, {rule}", f"{wrong} of {n} worlds", wrong == 0
        )


def _changes(book: Book) -> Iterator[Target]:
    yield _at_least(f"two agreeing families at least {VOTES:.0%}, {HOLDOUT}", book.line(VOTE, HOLDOUT), VOTES)
    rows = [
        row for row in book.lines() if (row.rule, row.models) == (VOTE, HOLDOUT) and row.stratum.startswith("families")
    ]
    weak = [row for row in rows if row.precision is not None and row.precision < VOTES]
    figure = "; ".join(f"{row.stratum.removeprefix('families ')} {row.precision:.1%} of {row.n:,}" for row in weak)
    what = f"the same for each combination of families, {HOLDOUT}"
    yield Target(what, figure or f"{len(rows)} combinations", not weak if rows else None)


def _gate(book: Book) -> Iterator[Target]:
    real = [row for row in book.lines() if (row.rule, row.models) == (GATE, REAL) and row.recall is not None]
    figure = "; ".join(f"{row.stratum}: {row.errors} of {row.n:,} pass" for row in real)
    missed = sum(row.errors for row in real)
    yield Target(
        "no CoinJoin of the real sets or of the emulation passes the gate", figure or "-", missed == 0 if real else None
    )
    for models in (TRAINING, HOLDOUT):
        line = book.line(GATE, models, LEFT_ALONE)
        what = f"less than {SUPPRESSED:.0%} of ordinary transactions of several scripts are suppressed, {models}"
        if line is None or not line.n:
            yield Target(what, "-", None)
        else:
            yield Target(
                what, f"{line.errors / line.n:.2%} ({line.errors} of {line.n:,})", line.errors < SUPPRESSED * line.n
            )


def _models(learned: list[Learned]) -> Iterator[Target]:
    for each in learned:
        for models in (TRAINING, HOLDOUT):
            named, wrong, _ = each.tests[f"{models}, {INDEPENDENT}"].named[ALL]
            where = "other entities, later" if models == TRAINING else "other wallet models"
            what = f"model ({each.labels}): at most {FALSE_DISCOVERIES:.1%} of its names are wrong, {models} ({where})"
            share = f"{wrong / named:.3%} ({wrong} of {named:,})" if named else "names nothing"
            yield Target(what, share, wrong <= FALSE_DISCOVERIES * named if named else None)
        for name, judged in each.tests.items():
            what = f"model ({each.labels}): {SURE:.0%} and more is right in at least {LEAST_RIGHT:.0%}, {name}"
            figure = f"{judged.sure_right / judged.sure:.2%} of {judged.sure:,}" if judged.sure else "-"
            yield Target(what, figure, judged.calibrated if judged.sure else None)
