"""A rule set: what is looked for in an exposure, and how many points it adds. Integers and reasons, nothing hidden.

A rule selects satoshis of one side of the exposure (received or sent), asks whether they are enough, and if they are,
adds `fixed` points and `by_share` points times their share of the wallet's gross, rounded down, but at most `most`. A
rule without points is informative: it is shown, and adds nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cointrail.profile.exposure.exposure import Side

ANY: Final = "*"
"""Every category."""

PRIVACY: Final = frozenset({"mixer", "mixing_service", "coinjoin"})
"""Categories and stops that show privacy tools. Using them is no evidence of anything: a warning is due."""


class Reach(StrEnum):
    """How near."""

    DIRECT = "direct"
    INDIRECT = "indirect"
    ANY = "any"


class Listed(StrEnum):
    """When, beside the listing of whom it leads to."""

    BEFORE = "before"
    AFTER = "after"
    ENDED = "ended"
    """After the listing ended."""
    UNKNOWN = "unknown"
    """No tag says since when."""
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: its name, each once in a set.
        line: where it begins in the file, from 1.
        reason: why it is there.
        side: which side of the exposure.
        reach: how near.
        categories: of the services that count; `ANY` for all. Empty if `stops` are what is looked at.
        entities: only these services, if there are any.
        stops: reasons for which ways ended elsewhere, such as `coinjoin`, instead of services.
        listed: when, beside the listing.
        max_hops: only what came within so many transactions; None for all.
        within_days: only what came so many days before the snapshot's block at most; None for all.
        min_sat, min_share_ppm: so much together at least, and so many millionths of the gross.
        fixed, by_share, most: points, see above; `most` is None for no cap.
    """

    id: str
    line: int
    reason: str
    side: Side
    reach: Reach = Reach.ANY
    categories: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    listed: Listed = Listed.ANY
    max_hops: int | None = None
    within_days: int | None = None
    min_sat: int = 1
    min_share_ppm: int = 0
    fixed: int = 0
    by_share: int = 0
    most: int | None = None

    @property
    def informative(self) -> bool:
        """True if it can add nothing."""
        return not self.ceiling

    @property
    def ceiling(self) -> int:
        """The most points it can add."""
        whole = self.fixed + self.by_share
        return whole if self.most is None else min(self.most, whole)

    @property
    def on_privacy(self) -> bool:
        """True if it looks at nothing but privacy tools."""
        return {*self.categories, *self.stops} <= PRIVACY

    def points(self, sat: int, gross_sat: int) -> int:
        """Points for so many satoshis out of so many, if they are enough."""
        whole = self.fixed + (self.by_share * sat // gross_sat if gross_sat else 0)
        return whole if self.most is None else min(self.most, whole)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules as a file gives them.

    Attributes:
        name, revision: what the file calls itself, and its number, raised by whoever changes it.
        file: its name without folder.
        sha256: of its bytes, in hex.
        text: its content, so that an answer can be recomputed by its rules.
        rules: in the order of the file.
    """

    name: str
    revision: int
    file: str
    sha256: str
    text: str
    rules: tuple[Rule, ...]
