"""Criteria of the acceptance scenario that the product cannot answer yet (SCENARIO.md 5): a row each.

The others have modules: 1 `market_rows`, 3 `source_rows`, 4 `backward_rows`, 5 `cashout_rows`, 8 `taint_rows`. Their
rows too are not built as long as there is no result file.
"""

from cointrail.simulation.score.rows import Row, not_built

CRITERIA = {
    2: "a checked proof for 200 pairs of scripts in one cluster",
    6: "import of the seized database",
    7: "scan of the seized media",
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
