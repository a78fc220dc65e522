"""A table of the benchmarks' page, and how numbers are shown in it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table with a note below."""

    title: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""


def number(value: float, digits: int = 1) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.{digits}f}"


def mb(count: float) -> str:
    return f"{count / 1e6:,.0f} MB"


def missing(title: str, part: dict[str, Any]) -> list[Table]:
    return [Table(title, ["result"], [[f"not measured: {part['not_measured']}"]])]
