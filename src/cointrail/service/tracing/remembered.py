"""Whom imported tags name in a ledger, remembered between commands: to number a million tags takes a second."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Final

from cointrail.attribution.propagation import RULE as PROPAGATION
from cointrail.ledger.reader import Reader
from cointrail.service.remembered import I64, Memory, Remembered, of_snapshot
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.trace.services import Sanction, Services

FEWEST: Final = 10_000
"""Tagged scripts from which on it is worth a file."""

_SCRIPTS: Final = ("scripts", "script_service")
_ROOTS: Final = ("roots", "root_service")
_WORDS: Final = ("names", "kinds", "said", "categories")


@dataclass(frozen=True, slots=True)
class NamedBy:
    """What decides whom imported tags name: the tag set as known then, and which of its tags count."""

    digest: str
    known_at: str | None
    least_confidence: int
    categories: Collection[str] | None

    def _memory(self, reader: Reader) -> Memory:
        categories = None if self.categories is None else sorted(self.categories)
        return Memory(
            "services", f"{self.digest} {self.least_confidence} {categories} {PROPAGATION} {of_snapshot(reader)}"
        )

    def recall(self, reader: Reader) -> tuple[Services, TagsUsed] | None:
        """Whom they name, if that is remembered."""
        found = self._memory(reader).recall()
        if found is None or set(found.columns) != {*_SCRIPTS, *_ROOTS}:
            return None
        columns, words = found.columns, found.words
        try:
            services = Services(
                names=tuple(words["names"]),
                kinds=tuple(words["kinds"]),
                said=tuple(words["said"]),
                categories=tuple(map(tuple, words["categories"])),
                sanctions=tuple(each and Sanction(**each) for each in words["sanctions"]),
                scripts=columns["scripts"],
                script_service=columns["script_service"],
                roots=columns["roots"],
                root_service=columns["root_service"],
                digest=self.digest,
                mixed=words["tags"]["mixed"],
            )
            used = replace(TagsUsed(**words["tags"]), known_at=self.known_at)
        except (KeyError, TypeError):
            return None
        sound = all(
            len(keys) == len(numbers) and _within(keys, reader.counts.script) and _within(numbers, len(services.names))
            for keys, numbers in (
                (services.scripts, services.script_service),
                (services.roots, services.root_service),
            )
        )
        return (services, used) if sound else None

    def remember(self, reader: Reader, services: Services, used: TagsUsed) -> None:
        """Keep it, if it is worth a file."""
        if len(services.scripts) < FEWEST or used.digest != self.digest:
            return  # somebody imported between the question for the digest and that for the tags
        columns = {name: getattr(services, name) for name in (*_SCRIPTS, *_ROOTS)}
        words = {name: getattr(services, name) for name in _WORDS}
        words |= {"sanctions": [each and asdict(each) for each in services.sanctions], "tags": asdict(used)}
        self._memory(reader).remember(Remembered(columns, words))


def _within(numbers: I64, end: int) -> bool:
    return not len(numbers) or 0 <= int(numbers.min()) <= int(numbers.max()) < end
