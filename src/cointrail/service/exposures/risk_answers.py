"""Answers about risk: a score in whole points that never stands without all of its components."""

from dataclasses import dataclass
from typing import Final

from cointrail.profile.risk.rescreen import Movement
from cointrail.service.answers import INFERENCE, Basis, Rule, SnapshotName
from cointrail.service.exposures.answers import ExposureAnswer
from cointrail.service.tracing.tags_used import TagsUsed

KIND: Final = "cointrail-risk"
KIND_VERSION: Final = 1

STATEMENT: Final = (
    "Points order work. They rest on tags of others, on a convention and on rules that somebody chose; they are no "
    "finding about a person, and no clearance. A decision is a person's to make."
)
PRIVACY_ALONE: Final = (
    "every point comes from mixers or CoinJoins alone: using privacy tools is no evidence of anything"
)
NOBODY: Final = "no tag was used: nobody is named, so there is nothing to score"


@dataclass(frozen=True, slots=True)
class RuleSetAnswer:
    """The rules that were applied, whole: whoever has the answer can apply them again."""

    name: str
    revision: int
    file: str
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class InputAnswer:
    """Satoshis that a component counts, and the row of the exposure they lie in."""

    row: str
    sat: int


@dataclass(frozen=True, slots=True)
class ConditionAnswer:
    """What a rule asks of its satoshis together, what was found, and whether it is enough."""

    name: str
    least: int
    found: int
    met: bool


@dataclass(frozen=True, slots=True)
class ComponentAnswer:
    """One rule: what it selects, its inputs, its conditions, its arithmetic, its points.

    `line` is where it begins in the rule file. `sat` of `gross_sat` are what it counts, out of what the wallet received
    or sent. `informative`: it can add nothing, and is shown.
    """

    rule: str
    line: int
    reason: str
    selects: str
    informative: bool
    inputs: tuple[InputAnswer, ...]
    sat: int
    gross_sat: int
    conditions: tuple[ConditionAnswer, ...]
    arithmetic: str
    points: int


@dataclass(frozen=True, slots=True)
class RescreenAnswer:
    """What moved the score since an earlier answer.

    `movements` change one input at a time, in their order, and sum to the difference. `notes` say what could not be
    told apart.
    """

    earlier_snapshot: SnapshotName
    earlier_tags: str | None
    earlier_rules: str
    score_before: int
    score_after: int
    movements: tuple[Movement, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RiskAnswer:
    """The score of a wallet by open rules.

    `score` is None if no tag was used; `ceiling` is what all rules together could add. `arithmetic` is the sum of the
    components' points. `exposure` has the rows that inputs name, without ways. `warnings` limit what can be said.
    """

    kind: str
    kind_version: int
    wallet: str
    score: int | None
    ceiling: int
    arithmetic: str
    components: tuple[ComponentAnswer, ...]
    warnings: tuple[str, ...]
    statement: str
    rule_set: RuleSetAnswer
    exposure: ExposureAnswer
    rescreen: RescreenAnswer | None
    rules: tuple[Rule, ...]
    overlay: str | None
    tags: TagsUsed | None
    complete: bool
    snapshot: SnapshotName
    basis: Basis = INFERENCE
