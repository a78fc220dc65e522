"""What behaviour says for and against categories of tags."""

from typing import Final

from cointrail.attribution.hypotheses import Observation
from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.profile.roles.behaviour import clusters_behaviour
from cointrail.profile.roles.service_like import Likeness
from cointrail.service.roles.answers import ServiceLikeAnswer
from cointrail.service.roles.roles import likeness_of
from cointrail.service.tracing.services import STOPS

PERSONS: Final = frozenset({"user", "person", "individual"})
"""Categories that nobody has who serves many."""


def observations_of(found: ServiceLikeAnswer) -> tuple[Observation, ...]:
    """What a score says for and against categories; nothing if it abstains.

    Hardly anybody behaves like a service, so not to do so speaks against services and for nobody.
    """
    rule, text = found.rule, found.statement
    if found.likeness == Likeness.LIKE:
        return (Observation(rule.id, rule.version, text, STOPS, PERSONS),)
    if found.likeness == Likeness.UNLIKE:
        return (Observation(rule.id, rule.version, text, frozenset(), STOPS),)
    return ()


def observed(reader: Reader, script_id: int) -> tuple[Observation, ...]:
    """The same of the L1 cluster of a script."""
    return observations_of(likeness_of(clusters_behaviour(reader, Forest(reader), [script_id])))
