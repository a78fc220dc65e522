"""Is a name that may be used ever wrong, and is the market's double anywhere called a market?

A name counts in any spelling of case. What is a lead only, or disputed, may be wrong: it says so.
"""

from cointrail.simulation.score.parts import unanswered
from cointrail.simulation.score.rows import Row, exact, rate
from cointrail.simulation.score.tables import Tables

_WHAT = {
    "attribution.named": "scripts with a name that may be used, and that is true",
    "attribution.decoy": "scripts of the market's double with no name or category of a market that may be used",
    "attribution.recall": "scripts in clusters of tagged services that have their true name (reported only)",
}
_DECOY = "LuckyDice"


def name_rows(tables: Tables) -> list[Row]:
    """All of them; not built without `names.csv`."""
    if not tables.has("names"):
        return unanswered(_WHAT)
    named, wrong = tables.numbers(
        """
        SELECT count(*), count(*) FILTER (WHERE e.name IS NULL OR lower(e.name) <> lower(r.name))
        FROM result_names r LEFT JOIN truth_scripts s USING (script_hash) LEFT JOIN truth_entities e USING (entity_id)
        WHERE r.standing = 'attributed'
        """
    )
    decoys, called = tables.numbers(
        f"""
        SELECT count(DISTINCT script_hash), count(DISTINCT script_hash) FILTER (
            WHERE r.standing = 'attributed' AND (r.name ILIKE '%market%' OR r.categories ILIKE '%market%'))
        FROM truth_scripts s JOIN truth_entities e USING (entity_id) LEFT JOIN result_names r USING (script_hash)
        WHERE e.name = '{_DECOY}'
        """
    )
    reached, unnamed = tables.numbers(
        """
        SELECT count(*), count(*) FILTER (WHERE NOT named) FROM (
            SELECT script_hash, bool_or(r.standing = 'attributed' AND lower(r.name) = lower(e.name)) AS named
            FROM result_names r JOIN truth_scripts s USING (script_hash) JOIN truth_entities e USING (entity_id)
            WHERE e.tagged GROUP BY script_hash)
        """
    )
    return [
        exact("attribution.named", _WHAT["attribution.named"], named, wrong),
        exact("attribution.decoy", _WHAT["attribution.decoy"], decoys, called),
        rate("attribution.recall", _WHAT["attribution.recall"], reached, unnamed, at_least=0.0),
    ]
