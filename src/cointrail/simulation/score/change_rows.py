"""Are the outputs that level L2 names as change really change, and how many of them does it name?

The truth's `is_change` is what returns to the payer. The only output of a transaction counts as such there, but nobody
has to tell it from another one, so it is left out of the recall.
"""

from cointrail.simulation.score.rows import Row, rate
from cointrail.simulation.score.tables import Tables

_NAMED = "SELECT DISTINCT txid, vout::BIGINT AS vout FROM result_changes"

_CHANGE = """
    SELECT txid, vout FROM truth_outputs
    QUALIFY is_change AND count(*) OVER (PARTITION BY txid) > 1
"""


def change_rows(tables: Tables) -> list[Row]:
    """Precision and recall of the vote."""
    named, wrong = tables.numbers(
        f"SELECT count(*), count(*) FILTER (WHERE t.is_change IS NOT TRUE) FROM ({_NAMED}) n "
        "LEFT JOIN truth_outputs t USING (txid, vout)"
    )
    change, missed = tables.numbers(
        f"SELECT count(*), count(*) FILTER (WHERE n.txid IS NULL) FROM ({_CHANGE}) c "
        f"LEFT JOIN ({_NAMED}) n USING (txid, vout)"
    )
    return [
        rate("change.precision", "outputs named as change that are change", named, wrong, at_least=0.99),
        rate("change.recall", "change outputs beside others that are named (a lower bound, reported only)", change,
             missed, at_least=0.0),
    ]  # fmt: skip
