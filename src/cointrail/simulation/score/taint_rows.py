"""Criterion 8: is the taint of every target account, under each of five rules, the truth's to the satoshi?

A row of `taint.csv` is an answer to its target, rule and source set, as the truth spells them, and is given once.
Whatever is reported, asked for or not, must also be sound in itself: a rule that conserves value leaves nothing out and
lies within the bounds, and poison reaches at least what any other rule traces (METHODS.md 4 and 5).
"""

from cointrail.simulation.score.parts import criterion, unanswered
from cointrail.simulation.score.rows import Row, exact
from cointrail.simulation.score.tables import Tables

RULES = ("poison", "haircut", "fifo", "lifo", "tiho")

_WHAT = {
    "criterion.8": "demands on taint that are met",
    **{f"criterion.8.{rule}": f"targets whose taint under {rule} equals the truth to the satoshi" for rule in RULES},
    "criterion.8.bounds": "answers whose bounds equal the truth to the satoshi",
    "criterion.8.conserved": "answers but poison in which traced, untraced and fee add up to the total",
    "criterion.8.within": "answers but poison that lie within their bounds",
    "criterion.8.reach": "answers of other rules that trace no more than poison reaches",
}

# Text against text: a number that is not spelled as a whole one is wrong. An answer given twice is none.
_ANSWERED = """
    WITH answers AS (FROM result_taint QUALIFY count(*) OVER (PARTITION BY target_id, rule, source_set) = 1)
    SELECT {aggregates}
    FROM truth_taint t LEFT JOIN answers r USING (target_id, rule, source_set)
"""
_SUMS = ("total_sat", "traced_sat", "untraced_sat", "fee_sat")
_BOUNDS = ("lower_sat", "upper_sat")

_SOUND = """
    WITH numbers AS (SELECT rule, target_id, source_set, TRY_CAST(total_sat AS HUGEINT) AS total,
            TRY_CAST(traced_sat AS HUGEINT) AS traced, TRY_CAST(untraced_sat AS HUGEINT) AS untraced,
            TRY_CAST(fee_sat AS HUGEINT) AS fee, TRY_CAST(lower_sat AS HUGEINT) AS least,
            TRY_CAST(upper_sat AS HUGEINT) AS most FROM result_taint),
        poison AS (SELECT target_id, source_set, min(traced) AS reach FROM numbers WHERE rule = 'poison' GROUP BY ALL)
    SELECT count(*), count(*) FILTER (WHERE (traced + untraced + fee = total) IS NOT TRUE),
        count(*) FILTER (WHERE (traced BETWEEN least AND most) IS NOT TRUE),
        count(*) FILTER (WHERE (traced <= reach) IS NOT TRUE)
    FROM numbers LEFT JOIN poison USING (target_id, source_set) WHERE rule IS DISTINCT FROM 'poison'
"""


def taint_rows(tables: Tables) -> list[Row]:
    """The criterion and what was measured for it."""
    if not tables.has("taint"):
        return unanswered(_WHAT)
    counted = {rule: tables.numbers(_query(_SUMS, f"t.rule = '{rule}'")) for rule in RULES}
    counted["bounds"] = tables.numbers(_query(_BOUNDS, "true"))
    n, *errors = tables.numbers(_SOUND)
    counted |= {name: (n, wrong) for name, wrong in zip(("conserved", "within", "reach"), errors, strict=True)}
    parts = [
        exact(f"criterion.8.{name}", _WHAT[f"criterion.8.{name}"], asked, wrong)
        for name, (asked, wrong) in counted.items()
    ]
    return criterion("criterion.8", _WHAT["criterion.8"], parts)


def _query(columns: tuple[str, ...], asked: str) -> str:
    equal = " AND ".join(f"t.{column}::VARCHAR = r.{column}" for column in columns)
    aggregates = f"count(*) FILTER (WHERE {asked}), count(*) FILTER (WHERE {asked} AND ({equal}) IS NOT TRUE)"
    return _ANSWERED.format(aggregates=aggregates)
