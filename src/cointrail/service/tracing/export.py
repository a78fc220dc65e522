"""A trace as files, one a policy; the same bytes each time."""

from collections.abc import Sequence
from pathlib import Path

from cointrail.ledger.reader import Reader
from cointrail.reports.export import Choice, export
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.trace.flow import Flow


def write_flows(
    reader: Reader, flows: Sequence[Flow], path: Path, *, tags: TagsUsed | None = None, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write flows in the format that the suffix names; with several policies the name of each goes before it.

    Args:
        reader: the ledger at the snapshot of the flows.
        flows: one a policy.
        path: `trace.svg` becomes `trace.fifo.svg` and so on if there are several.
        tags: who names the services.
        overwrite: whether files that exist are replaced.

    Raises:
        UsageError: no format has this suffix, or a file exists.
        Unavailable: the disk refuses.
    """
    written: list[Path] = []
    for flow in flows:
        services = flow.asked.services
        sources = {} if tags is None else dict.fromkeys(services.names[: services.named], tags.lists)
        place = path if len(flows) == 1 else path.with_name(f"{path.stem}.{flow.asked.policy.name}{path.suffix}")
        written += export(flow, reader, place, Choice(sources=sources, overwrite=overwrite))
    return tuple(written)
