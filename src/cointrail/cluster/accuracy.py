"""Measured error rates of rules, as `make accuracy` wrote them: what an answer cites beside a rule.

The table is data of the package. Rates come from simulated worlds, on wallet models that no rule was tuned on unless
asked otherwise, and from public CoinJoins; none is a rate of the real chain (METHODS.md 10; docs/accuracy.md).
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

TABLE = "accuracy.json"
FORMAT = 1
ALL = "all"
HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class Row:
    """How often a rule spoke and was wrong.

    Attributes:
        rule, version: which rule.
        models: whose transactions: `training`, `holdout` or `real`.
        stratum: which of them, `all` for all.
        n: how often it spoke; errors: how often it was wrong.
        precision: share that was right, None if it never spoke.
        upper_fdr: one-sided 95 % bound of the error rate, as if checks were independent (Clopper and Pearson).
        recall: share of what it could have found, None where that is no question.
    """

    rule: str
    version: int
    models: str
    stratum: str
    n: int
    errors: int
    precision: float | None
    upper_fdr: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the table comes from.

    Attributes:
        command: that writes it again.
        program_version: of cointrail.
        worlds: name and SHA-256 of the manifest of each simulated world.
        real: name and SHA-256 of each public set.
        models: labels and SHA-256 of each learned model.
    """

    command: str
    program_version: str
    worlds: tuple[tuple[str, str], ...]
    real: tuple[tuple[str, str], ...]
    models: tuple[tuple[str, str], ...]


def measured(rule: str, version: int, stratum: str | None = None, models: str = HOLDOUT) -> Row | None:
    """The measured rate of a rule.

    Args:
        rule: its id, such as `change_vote`, `change.C4`, `cospend`, `gate`, `cluster.L1`.
        version: of the rule; another version was not measured.
        stratum: such as `type p2wpkh`; None for all.
        models: `holdout`, `training`, or `real` for public sets.

    Returns:
        The row, or None if that was not measured.

    Examples:
        >>> measured("no_such_rule", 1) is None
        True
    """
    return _rows().get((rule, version, models, ALL if stratum is None else stratum))


def rows() -> tuple[Row, ...]:
    """All rows, in the order of the table."""
    return tuple(_rows().values())


def origin() -> Origin:
    """Where the table comes from."""
    document = _document()
    listed = {name: tuple((each[0], each[1]) for each in document[name]) for name in ("worlds", "real", "models")}
    return Origin(document["command"], document["program_version"], **listed)


@cache
def _document() -> dict[str, Any]:
    text = resources.files("cointrail.cluster").joinpath(TABLE).read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    if document["format"] != FORMAT:
        raise ValueError(f"{TABLE} has format {document['format']}, not {FORMAT}: run `make accuracy`")
    return document


@cache
def _rows() -> dict[tuple[str, int, str, str], Row]:
    found = (Row(**each) for each in _document()["rows"])
    return {(row.rule, row.version, row.models, row.stratum): row for row in found}
