"""Criterion 5: are the operator's deposits at exchanges found, and is what went through CoinJoins left a question?

A row of `cashouts.csv` without a candidate set claims: these are proceeds of the market, still held by those who hold
it. It is right if the output is one of the deposits to the two Alpha accounts or the Beta account; one that other
people paid is wrong, however much taint it carries, and so is a Gamma deposit, since only CoinJoins lead there. Rows of
one candidate set are alternatives. Those are true whose transaction spends what `mix_links` pair with an input of the
market's controller, and `probability` says: of the true ones, one drawn by lot is this one. The Brier score of a set is
the mean, over the true ones, of the squared distance to certainty about that one; uniform guessing gives each of n
candidates 1/n. A set in which none is true is as wrong as a certainty about none of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum, isclose

from cointrail.simulation.score.parts import criterion, unanswered
from cointrail.simulation.score.rows import Row, exact, figure, rate
from cointrail.simulation.score.tables import Tables

BASES = ("fact", "inference", "assertion")

_SURE = ("alpha1", "alpha2", "beta")
_ROUNDING = 1e-6  # probabilities are written in decimals
_WHAT = {
    "criterion.5": "demands on the proceeds that are met",
    "criterion.5.alpha1": "deposits to the operator's first Alpha account that are reported without alternatives",
    "criterion.5.alpha2": "deposits to the operator's second Alpha account that are reported without alternatives",
    "criterion.5.beta": "deposits to the operator's Beta account that are reported without alternatives",
    "criterion.5.wrong": "outputs reported without alternatives that are the operator's deposits, no CoinJoin between",
    "criterion.5.outputs": "reported outputs that are that exchange's, have that value, and are reported once",
    "criterion.5.basis": "reported outputs with a basis, an inference where there are alternatives",
    "criterion.5.gamma": "reported deposits to the Gamma account that are inferences among at least two candidates",
    "criterion.5.probabilities": "candidate sets whose probabilities add up to 1",
    "criterion.5.brier": "Brier score of the candidates, not above that of uniform guessing",
    "criterion.5.uniform": "Brier score of uniform guessing (reported only)",
    "criterion.5.gamma_recall": "deposits to the Gamma account that are among the candidates (reported only)",
}

_TRUE = "SELECT c.txid, c.vout::VARCHAR, c.leg FROM truth_cashouts c"
_REPORTED = """
    WITH held AS (SELECT entity_id FROM truth_entities
            WHERE controller_id IN (SELECT controller_id FROM truth_entities WHERE kind = 'market')),
        mixed AS (SELECT DISTINCT i.txid FROM truth_inputs i JOIN truth_mix_links m
            ON m.txid = i.previous_txid AND m.vout = i.previous_vout WHERE m.entity_id IN (FROM held))
    SELECT r.txid, r.vout, coalesce(r.basis, ''), coalesce(r.candidate_set, ''),
        CASE WHEN TRY_CAST(r.probability AS DOUBLE) BETWEEN 0 AND 1 THEN r.probability::DOUBLE END,
        coalesce(e.kind = 'exchange' AND lower(e.name) = lower(r.exchange) AND o.value_sat::VARCHAR = r.value_sat,
            false),
        r.txid IN (FROM mixed)
    FROM result_cashouts r LEFT JOIN truth_outputs o ON o.txid = r.txid AND o.vout::VARCHAR = r.vout
    LEFT JOIN truth_entities e ON e.entity_id = o.entity_id
"""


@dataclass(frozen=True, slots=True)
class Reported:
    """A row of `cashouts.csv`.

    Attributes:
        txid, vout, basis, candidate_set, probability: as reported, the last None if it is none.
        exists: whether the output is that exchange's and has that value.
        mixed: whether its transaction spends the market's controller's coins out of a mix.
    """

    txid: str
    vout: str
    basis: str
    candidate_set: str
    probability: float | None
    exists: bool
    mixed: bool

    @property
    def key(self) -> tuple[str, str]:
        """The output."""
        return self.txid, self.vout

    @property
    def true(self) -> bool:
        """Whether it is the right one among its alternatives, or one of them."""
        return self.exists and self.mixed


def cashout_rows(tables: Tables) -> list[Row]:
    """The criterion and what was measured for it."""
    if not tables.has("cashouts"):
        return unanswered(_WHAT)
    legs: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for txid, vout, leg in tables.rows(_TRUE):
        legs[leg].add((txid, vout))
    reported = [Reported(*row) for row in tables.rows(_REPORTED)]
    sets = candidate_sets(reported)
    sure = {each.key for each in reported if each.exists and not each.candidate_set}
    claimed = [each.key for each in reported if not each.candidate_set]
    operators = set().union(*(legs[leg] for leg in _SURE))
    times = Counter((each.key, each.candidate_set) for each in reported)
    repeated = sum(count - 1 for count in times.values())
    branch = [each for each in reported if each.key in legs["gamma"]]
    found = {each.key for each in branch if _is_question(each, sets)}
    parts = [
        *(_exact(leg, len(legs[leg]), len(legs[leg] - sure)) for leg in _SURE),
        _exact("wrong", len(claimed), sum(key not in operators for key in claimed)),
        _exact("outputs", len(times), min(len(times), repeated + sum(not each.exists for each in reported))),
        _exact("basis", len(reported), sum(not _is_founded(each) for each in reported)),
        _exact("gamma", len(branch), sum(not _is_question(each, sets) for each in branch)),
        _exact("probabilities", len(sets), sum(not _add_up(each) for each in sets.values())),
    ]
    score, uniform = _scores(sets.values())
    parts.append(_figure("brier", score, len(sets), at_most=uniform + _ROUNDING if sets else -1))
    recall = "criterion.5.gamma_recall"
    return [
        *criterion("criterion.5", _WHAT["criterion.5"], parts),
        _figure("uniform", uniform, len(sets)),
        rate(recall, _WHAT[recall], len(legs["gamma"]), len(legs["gamma"] - found), at_least=0.0),
    ]


def _exact(name: str, n: int, errors: int) -> Row:
    return exact(f"criterion.5.{name}", _WHAT[f"criterion.5.{name}"], n, errors)


def _figure(name: str, value: float, n: int, *, at_most: float | None = None) -> Row:
    return figure(f"criterion.5.{name}", _WHAT[f"criterion.5.{name}"], value, n, at_most=at_most)


def candidate_sets(reported: Iterable[Reported]) -> dict[str, list[Reported]]:
    """The alternatives, by the name of their set."""
    sets: defaultdict[str, list[Reported]] = defaultdict(list)
    for each in reported:
        if each.candidate_set:
            sets[each.candidate_set].append(each)
    return dict(sets)


def _is_founded(each: Reported) -> bool:
    return each.basis == "inference" if each.candidate_set else each.basis in BASES


def _is_question(each: Reported, sets: dict[str, list[Reported]]) -> bool:
    return each.basis == "inference" and len(sets.get(each.candidate_set, ())) > 1


def _add_up(candidates: Sequence[Reported]) -> bool:
    given = [each.probability for each in candidates if each.probability is not None]
    return len(given) == len(candidates) and isclose(fsum(given), 1, rel_tol=0, abs_tol=_ROUNDING)


def _scores(sets: Iterable[Sequence[Reported]]) -> tuple[float, float]:
    """(mean Brier score of the sets, that of uniform guessing); what is no probability counts as 0."""
    pairs = []
    for candidates in sets:
        given = [each.probability or 0.0 for each in candidates]
        hit = [probability for probability, each in zip(given, candidates, strict=True) if each.true]
        even = 1 / len(candidates)
        score = 1 + fsum(probability**2 for probability in given) - 2 * (fsum(hit) / len(hit) if hit else 0)
        pairs.append((score, 1 + even - (2 * even if hit else 0)))
    count = max(len(pairs), 1)
    return fsum(score for score, _ in pairs) / count, fsum(uniform for _, uniform in pairs) / count
