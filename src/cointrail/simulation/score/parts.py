"""A criterion of several demands: a row that counts them, and a row for each."""

from collections.abc import Mapping, Sequence

from cointrail.simulation.score.rows import Row, exact, not_built


def criterion(row_id: str, what: str, parts: Sequence[Row]) -> list[Row]:
    """The criterion, which passes if every part does, and its parts."""
    return [exact(row_id, what, len(parts), sum(part.status != "pass" for part in parts)), *parts]


def unanswered(whats: Mapping[str, str]) -> list[Row]:
    """Rows for which there is no result file."""
    return [not_built(row_id, what) for row_id, what in whats.items()]
