"""The book of a run: counts by rule, models and stratum, added up over worlds, and figures that are no counts.

A row says how often a rule spoke and how often it was wrong; its bound is what that many checks prove about the rate if
they were independent (METHODS.md 10.5), which checks in one economy are not.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from cointrail.simulation.score.intervals import upper_bound

ALL = "all"
_DIGITS = 6


@dataclass(slots=True)
class Count:
    """Sums of one row: said n times, wrong so often; of `wanted` things to be found, `found`."""

    n: int = 0
    errors: int = 0
    found: int = 0
    wanted: int = 0


@dataclass(slots=True)
class Mean:
    """A weighted mean over worlds."""

    total: float = 0.0
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it is published; `precision`, `upper_fdr` and `recall` are None where nothing was counted."""

    rule: str
    version: int
    models: str
    stratum: str
    n: int
    errors: int
    precision: float | None
    upper_fdr: float | None
    recall: float | None


@dataclass(slots=True)
class Book:
    """Rows and figures of a run."""

    counts: dict[tuple[str, int, str, str], Count] = field(default_factory=dict)
    figures: dict[tuple[str, str], Mean] = field(default_factory=dict)

    def add(
        self,
        rule: str,
        models: str,
        stratum: str,
        n: int,
        errors: int,
        *,
        version: int = 1,
        found: int = 0,
        wanted: int = 0,
    ) -> None:
        """Add to a row."""
        row = self.counts.setdefault((rule, version, models, stratum), Count())
        row.n += int(n)
        row.errors += int(errors)
        row.found += int(found)
        row.wanted += int(wanted)

    def weigh(self, figure: str, models: str, value: float, weight: float) -> None:
        """Add to a mean."""
        mean = self.figures.setdefault((figure, models), Mean())
        mean.total += float(value) * float(weight)
        mean.weight += float(weight)

    def figure(self, figure: str, models: str) -> float | None:
        """A mean, or None if nothing was added."""
        mean = self.figures.get((figure, models))
        return mean.total / mean.weight if mean and mean.weight else None

    def line(self, rule: str, models: str, stratum: str = ALL, version: int = 1) -> Line | None:
        """A row, or None if there is none."""
        count = self.counts.get((rule, version, models, stratum))
        return None if count is None else _line((rule, version, models, stratum), count)

    def lines(self) -> list[Line]:
        """All rows, in the order of their keys but rules by number."""
        return [_line(key, count) for key, count in sorted(self.counts.items(), key=lambda each: _order(each[0]))]

    def document(self) -> dict[str, Any]:
        """Rows and figures as plain values."""
        figures = [
            {"figure": name, "models": models, "value": round(mean.total / mean.weight, _DIGITS)}
            for (name, models), mean in sorted(self.figures.items())
            if mean.weight
        ]
        return {"rows": [asdict(line) for line in self.lines()], "figures": figures}


def _line(key: tuple[str, int, str, str], count: Count) -> Line:
    rule, version, models, stratum = key
    checked = count.n > 0
    return Line(
        rule,
        version,
        models,
        stratum,
        count.n,
        count.errors,
        round(1 - count.errors / count.n, _DIGITS) if checked else None,
        round(upper_bound(count.errors, count.n), _DIGITS) if checked else None,
        round(count.found / count.wanted, _DIGITS) if count.wanted else None,
    )


def _order(key: tuple[str, int, str, str]) -> tuple[Any, ...]:
    rule, version, models, stratum = key
    head, _, number = rule.partition(".C")
    return head, int(number) if number.isdigit() else 0, rule, version, stratum != ALL, stratum, models
