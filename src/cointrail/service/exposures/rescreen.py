"""Re-screening: an earlier answer beside the present, and which cause moved the score.

One input is changed at a time: first the tags, at the earlier height and by the earlier limits and rules, so that the
earlier tags are not needed; then the snapshot, the limits, and the rules, which the earlier answer holds. If the chain
was reorganised below the earlier snapshot, tags and snapshot cannot be told apart, and that is said.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from cointrail.errors import InputRefused, NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.profile.risk.evaluate import Evaluation
from cointrail.profile.risk.file import parse_rules
from cointrail.profile.risk.rescreen import Movement, Scored, moved
from cointrail.profile.risk.rules import Rule, RuleSet
from cointrail.service.answers import SnapshotName
from cointrail.service.exposures.exposure import FIGURES_ONLY, answer_of
from cointrail.service.exposures.found import Found
from cointrail.service.exposures.risk_answers import KIND, KIND_VERSION, RescreenAnswer
from cointrail.service.names import snapshot_name
from cointrail.trace.limits import Limits

MOST_BYTES: Final = 64 << 20
TAGS = "tags: an assertion is new, changed or was retracted"
TAGS_OR_OVERLAY = "tags or overlay"
PROGRAM = "program: the same question is answered differently"
MOVED = "snapshot: funds moved, or the cluster grew"
TAGS_OR_MOVED = "tags or snapshot"
LIMITS_CHANGED = "limits"
RULES = "rules"
_HINT: Final = "give a file written by `cointrail risk ADDRESS --json`"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier answer says.

    Attributes:
        wallet, overlay: what was asked.
        snapshot: at which.
        tags: digest of the tag set, None without tags.
        limits, rules: as they were.
        scored: the result.
    """

    wallet: str
    overlay: str | None
    snapshot: SnapshotName
    tags: str | None
    limits: Limits
    rules: RuleSet
    scored: Scored


@dataclass(frozen=True, slots=True)
class Inputs:
    """The present question, and how to ask it again.

    Attributes:
        reader, wallet, now, rules: the present.
        find: exposure at a reader within limits, everything else as it is now.
        evaluate: rules on an exposure.
    """

    reader: Reader
    wallet: str
    now: Found
    rules: RuleSet
    find: Callable[[Reader, Limits], Found]
    evaluate: Callable[[Found, tuple[Rule, ...]], Evaluation]


def rescreen(earlier: Earlier, present: Inputs) -> RescreenAnswer:
    """Divide the movement of the score among its causes.

    Raises:
        UsageError: the earlier answer is about another wallet or network.
    """
    if earlier.wallet != present.wallet:
        raise UsageError(f"the earlier answer is about {earlier.wallet}", hint="ask about the same address")
    if earlier.snapshot.network != present.reader.snapshot.network:
        raise UsageError(f"the earlier answer is about {earlier.snapshot.network}", hint="name that ledger")
    notes: list[str] = []
    chain = [("", earlier.scored), *_chain(earlier, present, notes)]
    movements = [moved(cause, before, after) for (_, before), (cause, after) in pairwise(chain)]
    if earlier.snapshot.program != snapshot_name(present.reader).program:
        notes.append(f"the earlier answer was made by {earlier.snapshot.program}")
    return RescreenAnswer(
        earlier_snapshot=earlier.snapshot,
        earlier_tags=earlier.tags,
        earlier_rules=earlier.rules.sha256,
        score_before=earlier.scored.score,
        score_after=chain[-1][1].score,
        movements=tuple(each for each in movements if _says_something(each)),
        notes=tuple(notes),
    )


def _says_something(each: Movement) -> bool:
    return bool(each.rules or each.rows or each.score_before != each.score_after)


def _chain(earlier: Earlier, present: Inputs, notes: list[str]) -> Iterator[tuple[str, Scored]]:
    """Each cause and the evaluation after it, one input changed at a time."""
    old = earlier.rules.rules

    def score(found: Found, rules: tuple[Rule, ...]) -> Scored:
        return scored(found, present.evaluate(found, rules))

    before = _reader_before(earlier.snapshot, present.reader)
    if before is None:
        notes.append("the earlier snapshot is not in this chain: tags and snapshot cannot be told apart")
        yield TAGS_OR_MOVED, score(present.find(present.reader, earlier.limits), old)
    else:
        with before:
            try:
                yield _first_cause(earlier, present, notes), score(present.find(before, earlier.limits), old)
            except NotFound:
                notes.append("the address was not in the earlier snapshot")
        yield MOVED, score(present.find(present.reader, earlier.limits), old)
    yield LIMITS_CHANGED, score(present.now, old)
    yield RULES, score(present.now, present.rules.rules)


def _first_cause(earlier: Earlier, present: Inputs, notes: list[str]) -> str:
    if earlier.overlay != present.now.wallet.overlay:
        notes.append("the corrections of the cluster changed: they and the tags cannot be told apart")
        return TAGS_OR_OVERLAY
    tags = present.now.tags
    return PROGRAM if earlier.tags == (None if tags is None else tags.digest) else TAGS


def _reader_before(snapshot: SnapshotName, reader: Reader) -> Reader | None:
    """The ledger at the earlier snapshot; None if it is not there."""
    if snapshot.height > reader.height:
        return None
    before = Reader(reader.folder, snapshot.height)
    if before.snapshot.block_hash != snapshot.block_hash:
        before.close()
        return None
    return before


def scored(found: Found, evaluation: Evaluation) -> Scored:
    """An evaluation in figures."""
    answer = answer_of(found, FIGURES_ONLY)
    rows: dict[str, int] = {}
    for side in (answer.received, answer.sent):
        for category in side.categories:
            for each in category.entities:
                rows[each.row_direct] = each.direct.value_sat
                rows[each.row_indirect] = each.indirect.value_sat
        rows |= {f"{side.side}/rest/{reason}": sat for reason, sat in side.rest_sat.items()}
        rows[f"{side.side}/gross"] = side.gross_sat
    points = {each.rule.id: each.points for each in evaluation.components}
    return Scored(evaluation.score, points, {row: sat for row, sat in rows.items() if sat})


def read_earlier(path: Path) -> Earlier:
    """Read an earlier answer.

    Raises:
        InputRefused: it is none.
    """
    if not path.is_file():
        raise InputRefused(f"{path} is no regular file" if path.exists() else f"there is no file {path}", hint=_HINT)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InputRefused(f"{path} is larger than {MOST_BYTES >> 20} MiB", hint=_HINT)
        document = json.loads(content)
    except OSError as error:
        raise InputRefused(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputRefused(f"{path} is no JSON: {error}", hint=_HINT) from error
    try:
        return _earlier(document)
    except KeyError as error:
        raise InputRefused(f"{path} is no earlier answer of this command: it has no {error}", hint=_HINT) from error
    except ValueError as error:
        raise InputRefused(f"{path} is no earlier answer of this command: {error}", hint=_HINT) from error
    except (TypeError, AttributeError) as error:
        raise InputRefused(
            f"{path} is no earlier answer of this command: a list or text is where fields should be", hint=_HINT
        ) from error


def _earlier(document: Any) -> Earlier:
    if (document["kind"], document["kind_version"]) != (KIND, KIND_VERSION):
        raise ValueError("another kind or version of answer")
    names = {each.name for each in fields(Limits)}
    limits = {name: _whole(value) for name, value in document["exposure"]["limits"].items() if name in names}
    rules, tags = document["rule_set"], document["tags"]
    return Earlier(
        wallet=_text(document["wallet"]),
        overlay=None if document["overlay"] is None else _text(document["overlay"]),
        snapshot=SnapshotName(
            height=_number(document["snapshot"]["height"]),
            **{name: _text(document["snapshot"][name]) for name in ("network", "block_hash", "digest", "program")},
        ),
        tags=None if tags is None else _text(tags["digest"]),
        limits=Limits(**limits),
        rules=parse_rules(_text(rules["text"]).encode(), _text(rules["file"])),
        scored=_scored(document),
    )


def _scored(document: Mapping[str, Any]) -> Scored:
    rows: dict[str, int] = {}
    for name in ("received", "sent"):
        side = document["exposure"][name]
        for category in side["categories"]:
            for each in category["entities"]:
                rows[_text(each["row_direct"])] = _number(each["direct"]["value_sat"])
                rows[_text(each["row_indirect"])] = _number(each["indirect"]["value_sat"])
        rows |= {f"{name}/rest/{reason}": _number(sat) for reason, sat in side["rest_sat"].items()}
        rows[f"{name}/gross"] = _number(side["gross_sat"])
    points = {_text(each["rule"]): _number(each["points"]) for each in document["components"]}
    return Scored(sum(points.values()), points, {row: sat for row, sat in rows.items() if sat})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is no text")
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"{str(value)[:40]!r} is no whole number")
    return value


def _whole(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else _number(value)
