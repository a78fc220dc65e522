"""Tags as clusters hear of them: whose scripts must not be joined above L1, and which merges look wrong.

No cluster is made from tags, and none of level L1 depends on them. They order suspicious merges, and above L1 the
collapse guard keeps scripts of different actors apart. Tags below `service_data` are not heard; the asker's own are.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.attribution.confidence import SPEAKS_FOR_CLUSTERS
from cointrail.cluster.level.guard import CannotLink
from cointrail.ledger.reader import Reader
from cointrail.service.answers import Attribution, Rule, TaggedTable
from cointrail.service.attribution.choice import TagSource
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.attribution.resolved import resolve

I64 = npt.NDArray[np.int64]

MOST_ACTORS = 100
"""Actors that an answer names, those of most addresses first."""


@dataclass(frozen=True, slots=True, eq=False)
class Tags:
    """Actors of scripts at a snapshot.

    Attributes:
        lists: who attributes: names of files or collections.
        digest: of the tag set.
        script_id, actor: int64 (k,), the tagged scripts, ascending, and the number of each one's actor; a script that
            is given to two is there twice.
        actors: their names, by number.
    """

    lists: str
    digest: str
    script_id: I64
    actor: I64
    actors: tuple[str, ...]

    @classmethod
    def of(cls, reader: Reader, source: TagSource | Resolved, scripts: I64 | None = None) -> "Tags | None":
        """The tags of a source that counts here, if there is one.

        Args:
            reader: the ledger at a snapshot.
            source: of the tags.
            scripts: int64 (n,), if only their tags matter.

        Raises:
            InputRefused: a file is no list of tags, or has an address that is none of this network.
            Unavailable: the database cannot be used.
        """
        found = source if isinstance(source, Resolved) else resolve(reader, source, scripts)
        if found is None:
            return None
        heard = [each.own or each.level >= SPEAKS_FOR_CLUSTERS for each in found.stated]
        rows = np.flatnonzero(np.array([*heard, False])[found.number])
        actors = tuple(sorted({each.name for each, counts in zip(found.stated, heard, strict=True) if counts}))
        place = {name: number for number, name in enumerate(actors)}
        numbers = np.array([place.get(each.name, -1) for each in found.stated], np.int64)
        pairs = np.stack([found.script_id[rows], numbers[found.number[rows]]])
        script_id, actor = np.unique(pairs, axis=1)
        return cls(" + ".join(found.lists), found.digest, script_id, actor, actors)

    def cannot_link(self) -> CannotLink:
        """For the collapse guard."""
        return CannotLink(self.script_id, self.actor, self.digest)

    def used(self, rules: tuple[tuple[str, int], ...], scripts: I64 | None = None) -> TaggedTable:
        """How an answer names them.

        Args:
            rules: that read them.
            scripts: int64 (n,), those that the answer is about; all if not given.
        """
        actor = self.actor if scripts is None else self.actor[np.isin(self.script_id, scripts)]
        numbers, counts = np.unique(actor, return_counts=True)
        found = sorted(zip((-counts).tolist(), numbers.tolist(), strict=True))
        return TaggedTable(
            lists=self.lists,
            digest=self.digest,
            tags=len(self.script_id),
            rules=tuple(Rule(*rule) for rule in rules),
            actors=len(found),
            attributed=tuple(
                Attribution(self.actors[number], -less, f"attributed to {self.actors[number]} by {self.lists}")
                for less, number in found[:MOST_ACTORS]
            ),
        )
