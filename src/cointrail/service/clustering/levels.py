"""What a level above L1 rests on: its inferences, its rules, and the model that gives leads if one was named.

L2 takes what the ledger stores. L3 adds leads of a change model; without a model it shows what L2 shows and says so.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from cointrail.cluster.change import vote
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.level.edges import EdgeRule, Edges, stored_changes
from cointrail.cluster.level.guard import Guards
from cointrail.errors import UsageError
from cointrail.service.answers import ListUsed, ModelName

if TYPE_CHECKING:
    from cointrail.cluster.learned.model import Model
    from cointrail.service.clustering.tagged import Tags

Level = Literal["L1", "L2", "L3"]
LEVELS: tuple[Level, ...] = get_args(Level)

GUARD = ("collapse_guard", 1)
MODEL = EdgeRule.CHANGE_MODEL.rule
_MODEL_VERSION = 1


def level_named(text: str) -> Level:
    """The level of a name.

    Raises:
        UsageError: there is no such level.
    """
    for level in LEVELS:
        if level == text:
            return level
    raise UsageError(f"there is no level {text}", hint=f"choose among {', '.join(LEVELS)}")


def model_of(level: Level, path: Path | None) -> "Model | None":
    """The model of a file, if one is given.

    Raises:
        UsageError: the level takes no model.
        InputRefused, Unavailable: as `cluster.learned.model.load`.
    """
    if path is None:
        return None
    if level != "L3":
        raise UsageError(f"level {level} takes no model: its names are leads", hint="ask for level L3, or give none")
    from cointrail.cluster.learned.model import load

    return load(path)


def edges_of_level(forest: Forest, level: Level, model: "Model | None" = None) -> Edges:
    """The inferences above L1 of a level; those of a model are computed for the whole snapshot.

    Method: METHODS.md 2.3, 2.4.
    """
    stored = stored_changes(forest.reader)
    if level != "L3" or model is None:
        return stored
    from cointrail.cluster.learned.edges import model_edges

    return Edges.together((stored, model_edges(forest.reader, forest, model)))


def guards_with(tags: "Tags | None") -> Guards:
    """The guards of a level above L1: the defaults, and what tags keep apart.

    Method: METHODS.md 2.6.
    """
    return Guards(cannot_link=tags.cannot_link()) if tags else Guards()


def rules_of_level(
    rules: tuple[tuple[str, int], ...], level: Level, model: "Model | None" = None
) -> tuple[tuple[str, int], ...]:
    """The rules that decide at a level, of those that a ledger was clustered with; higher ones where they do."""
    above = {vote.RULE}
    if level == "L1":
        return tuple(rule for rule in rules if rule[0] not in above)
    known = {rule for rule, _ in rules}
    added = [rule for rule in ((vote.RULE, vote.VERSION), GUARD) if rule[0] not in known]
    return (*rules, *added, *([(MODEL, _MODEL_VERSION)] if model else []))


def lists_used(forest: Forest) -> tuple[ListUsed, ...]:
    """The lists that the clusters were built with, as answers name them."""
    return tuple(ListUsed(each.name, each.sha256) for each in forest.lists)


def name_of_model(model: "Model | None") -> ModelName | None:
    """How answers name a model."""
    return None if model is None else ModelName(model.digest, model.tau)


def note_of(level: Level, model: "Model | None") -> str:
    """What is to be said about the leads of a level; nothing for L1 and L2."""
    if level != "L3":
        return ""
    if model is None:
        return "no change model was given, so L3 shows what L2 shows"
    if model.tau > 1:
        return "the threshold of the change model is above 1: it names nothing, so L3 shows what L2 shows"
    return "names of a change model are leads, never evidence"
