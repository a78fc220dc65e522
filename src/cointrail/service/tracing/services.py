"""From a file of tags to the services at which a trace stops (METHODS.md 6.3, 7.4)."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cointrail.cluster.forest.view import Forest
from cointrail.errors import AddressError, InputRefused, NotFound
from cointrail.ledger.reader import Reader
from cointrail.service.names import find_script
from cointrail.service.tag_files import CONFIDENCE, Tag, TagFile, read_tags
from cointrail.trace.services import NONE, Services, services_of

STOPS: Final = frozenset(
    {"exchange", "payment_processor", "hosted_wallet", "mixer", "mixing_service", "gambling", "miner", "mining_pool"}
)
"""Categories of services that hold other people's money."""

LEAST_CONFIDENCE: Final = CONFIDENCE["service_data"]


@dataclass(frozen=True, slots=True)
class TagsUsed:
    """The file that says which scripts are services', and how much of it was used.

    `used`: tags of a service whose address is on the chain; `absent`: those whose address is not; `left_out`: tags of a
    category that holds nobody else's money, or below the confidence that is asked for; `mixed`: clusters that tags give
    to several services, which inherit nothing.
    """

    file: str
    sha256: str
    used: int
    absent: int
    left_out: int
    mixed: int


def find_services(
    reader: Reader,
    path: Path | None,
    *,
    least_confidence: int = LEAST_CONFIDENCE,
    categories: Collection[str] | None = STOPS,
) -> tuple[Services, TagsUsed | None]:
    """The services that a file of tags names, with their L1 clusters where a tag speaks for them.

    A table without categories is taken at its word: all its actors are services. A table without confidences is the
    asker's own, and each of its tags speaks for the whole cluster.

    Raises:
        InputRefused: the file is no table of tags, or an address is none of this network.
        Unavailable: the ledger's clusters do not reach the snapshot.
    """
    if path is None:
        return NONE, None
    file = read_tags(path)
    return services_from(reader, file, least_confidence=least_confidence, categories=categories)


def services_from(
    reader: Reader,
    file: TagFile,
    *,
    least_confidence: int = LEAST_CONFIDENCE,
    categories: Collection[str] | None = STOPS,
) -> tuple[Services, TagsUsed]:
    """The same from tags that were read already."""
    wanted = [tag for tag in file.tags if _counts(tag, least_confidence, categories)]
    names = tuple(sorted({tag.actor for tag in wanted}))
    numbers = {name: number for number, name in enumerate(names)}
    kinds = {tag.actor: tag.category for tag in wanted if tag.category}
    scripts, services, definers = [], [], []
    for tag in wanted:
        try:
            script = find_script(reader, tag.address)
        except NotFound:
            continue
        except AddressError as error:
            raise InputRefused(f"a tag of {file.name}: {error}", hint="correct the address, or leave it out") from error
        scripts.append(script)
        services.append(numbers[tag.actor])
        definers.append(tag.is_cluster_definer or tag.confidence == "unknown")
    found = services_of(
        Forest(reader),
        scripts,
        services,
        names,
        kinds=[kinds.get(name, "") for name in names],
        definers=definers,
        digest=file.sha256,
    )
    absent = len(wanted) - len(scripts)
    used = TagsUsed(file.name, file.sha256, len(scripts), absent, len(file.tags) - len(wanted), found.mixed)
    return found, used


def _counts(tag: Tag, least_confidence: int, categories: Collection[str] | None) -> bool:
    sure = tag.confidence == "unknown" or CONFIDENCE[tag.confidence] >= least_confidence
    return sure and (not tag.category or categories is None or tag.category in categories)
