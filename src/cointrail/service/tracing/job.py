"""A trace as a job: begun, run in portions under a budget, stopped, saved, taken up again, finished."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.attribution.choice import TagSource
from cointrail.service.tracing.seeds import SeedFile, find_seeds
from cointrail.service.tracing.stops import find_stops
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.trace import saved
from cointrail.trace.fees import ACCOUNT, Fees
from cointrail.trace.flow import Direction, Flow
from cointrail.trace.limits import COURT, Limits
from cointrail.trace.policy import named
from cointrail.trace.seeds import Collision
from cointrail.trace.walk import Walk, Watch, asked


@dataclass(frozen=True, slots=True)
class TraceJob:
    """One question under one or several policies, on its way.

    Attributes:
        reader: the ledger at a snapshot.
        walks: one a policy.
        seeds: as they were given.
        seed_file: the file of seeds.
        tags: the file that names services.
    """

    reader: Reader
    walks: tuple[Walk, ...]
    seeds: tuple[str, ...]
    seed_file: SeedFile | None
    tags: TagsUsed | None

    @classmethod
    def begin(
        cls,
        reader: Reader,
        seeds: Sequence[str] = (),
        *,
        direction: Literal["forward", "backward"] = "forward",
        policies: Sequence[str] = ("fifo", "haircut"),
        limits: Limits = COURT,
        fees: Fees = ACCOUNT,
        seed_file: Path | None = None,
        collision: Collision = Collision.FIRST,
        services: TagSource = None,
        service_like: bool = False,
        watch: Callable[[int], None] = lambda _rows: None,
        scoring: Watch = lambda _scored, _waiting: False,
    ) -> Self:
        """Read the question.

        Args:
            reader: the ledger at a snapshot.
            seeds: what to trace: see `tracing.seeds`.
            direction: where to.
            policies: how to divide a transaction; several are shown side by side.
            limits: when to stop.
            fees: what becomes of traced fees.
            seed_file: seeds with labels.
            collision: which label holds for an output that has two.
            services: files of tags, or the database: what arrives at a service is not followed further.
            service_like: whether it stops at clusters that behave like services, too; see `stops`.
            watch: called with the rows read so far of a file of seeds.
            scoring: sees how clusters are scored, and may stop it.

        Raises:
            UsageError: there is no seed, or an unknown policy, or one that cannot be read backward.
            InputRefused, NotFound: a seed or a file is not one, or not in this snapshot.
            Unavailable: the ledger's clusters do not reach the snapshot.
            Interrupted: it was stopped while clusters were scored.
        """
        chosen = named(policies, backward=direction == "backward")
        if not chosen:
            raise UsageError("no policy was named", hint="give at least one")
        found, read = find_seeds(reader, seeds, seed_file, collision=collision, watch=watch)
        stops, tags = find_stops(reader, services, service_like=service_like, scoring=scoring)
        questions = [asked(policy, Direction(direction), limits, fees, stops) for policy in chosen]
        return cls(reader, tuple(Walk(reader, found, each) for each in questions), tuple(seeds), read, tags)

    @classmethod
    def resume(cls, reader: Reader, path: Path, budgets: Limits) -> Self:
        """Take up a saved job; see `trace.saved.load`."""
        walks, note = saved.load(path, reader, budgets)
        file, tags = note["seed_file"], note["tags"]
        return cls(
            reader,
            tuple(walks),
            tuple(note["seeds"]),
            None if file is None else SeedFile(**{**file, "unreadable": tuple(file["unreadable"])}),
            None if tags is None else TagsUsed(**tags),
        )

    def run(self, watch: Watch = lambda _passed, _waiting: False) -> None:
        """Go on until everything has ended, or a budget or `watch` stops it."""
        for walk in self.walks:
            walk.run(watch)

    @property
    def stopped(self) -> bool:
        """True if something still waits."""
        return any(walk.ended is not None for walk in self.walks)

    def save(self, path: Path) -> None:
        """Write the job so that it can be taken up again; before `finish`."""
        note: dict[str, Any] = {
            "seeds": self.seeds,
            "seed_file": None if self.seed_file is None else asdict(self.seed_file),
            "tags": None if self.tags is None else asdict(self.tags),
        }
        saved.save(path, self.walks, note)

    def finish(self) -> tuple[Flow, ...]:
        """The result of each policy; what still waits ends with the reason why."""
        return tuple(walk.finish() for walk in self.walks)
