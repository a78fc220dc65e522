"""Criteria of the acceptance scenario that the product cannot answer yet (SCENARIO.md 5): a row each.

Criterion 1 is answered: its rows are in `market_rows`.
"""

from cointrail.simulation.score.rows import Row, not_built

CRITERIA = {
    2: "a checked proof for 200 pairs of scripts in one cluster",
    3: "direct payments and the exchange each came from",
    4: "backward trace of the other routes, and where it must stop",
    5: "where the proceeds were cashed out",
    6: "import of the seized database",
    7: "scan of the seized media",
    8: "taint under five rules for 24 targets",
    9: "exchange returns, joined and contradicted",
    10: "watch-list through a reorganisation",
    11: "report and bundle, twice the same",
    12: "the defence's re-run",
    13: "the audit record",
    14: "packages by country",
}


def criteria_rows() -> list[Row]:
    """One row a criterion."""
    return [not_built(f"criterion.{number}", what) for number, what in CRITERIA.items()]
