"""The Python API: a ledger at a snapshot, and what can be asked of it.

import cointrail
with cointrail.open("ledger") as ledger:
    ledger.transaction("f4184fc5...").outputs[0].spender
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from cointrail.ledger.reader import Reader
from cointrail.service import addresses, blocks, changes, clusters, overlays, proofs, transactions
from cointrail.service.addresses import History
from cointrail.service.answers import (
    AddressAnswer,
    BlockAnswer,
    ClusterAnswer,
    HeldAnswer,
    Status,
    TransactionAnswer,
)
from cointrail.service.attribution.choice import TagSource
from cointrail.service.changes import ChangeAnswer
from cointrail.service.clustering import held
from cointrail.service.clustering.levels import Level
from cointrail.service.overlays import OverlayComparison, OverlayEffect
from cointrail.service.prices.beside import Beside, beside
from cointrail.service.proofs import ProofAnswer
from cointrail.service.tracing import bounds, linkability, paths, peels
from cointrail.service.tracing.answers import TraceAnswer
from cointrail.service.tracing.bounds import BoundsAnswer
from cointrail.service.tracing.job import TraceJob
from cointrail.service.tracing.linkability import LinkabilityAnswer
from cointrail.service.tracing.paths import PathsAnswer
from cointrail.service.tracing.peels import PeelAnswer
from cointrail.service.tracing.trace import answer_of
from cointrail.service.worth import FiatChoice
from cointrail.trace.bounds import WHOLE
from cointrail.trace.fees import ACCOUNT, Fees
from cointrail.trace.limits import COURT, Limits
from cointrail.trace.paths import NEARBY
from cointrail.trace.seeds import Collision

if TYPE_CHECKING:
    from cointrail.service.exposures.answers import ExposureAnswer
    from cointrail.service.exposures.risk_answers import RiskAnswer
    from cointrail.service.profiles.counterparties import CounterpartiesAnswer
    from cointrail.service.profiles.profile import ProfileAnswer
    from cointrail.service.profiles.who import WhoAnswer

_T = TypeVar("_T")


class Ledger:
    """A ledger at one snapshot. A context manager.

    An answer is given only if the chain was not reorganised below the snapshot while it was made; otherwise
    `cointrail.errors.SnapshotGone` is raised, never a mixture.

    Args:
        path: the ledger's folder.
        as_of: height to read at; the tip if not given.

    Raises:
        Unavailable: there is no ledger, or it is damaged or of another format.
        NotFound: the ledger does not reach that height.
    """

    def __init__(self, path: str | Path, as_of: int | None = None) -> None:
        self.reader = Reader(Path(path), as_of)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the files."""
        self.reader.close()

    def _checked(self, ask: Callable[[], _T]) -> _T:
        answer = ask()
        self.reader.check_current()
        return answer

    def _valued(self, fiat: FiatChoice | None, ask: Callable[[Beside], _T]) -> _T:
        """An answer with amounts in money, if they are wanted."""
        with beside(self.reader, fiat) as worth:
            return self._checked(lambda: ask(worth))

    def status(self) -> Status:
        """Counts, unspent outputs and digest."""
        return self._checked(lambda: blocks.status(self.reader))

    def block(self, which: str | int, *, first: int = 0, limit: int | None = None) -> BlockAnswer:
        """A block by height or hash, with a page of its txids."""
        return self._checked(lambda: blocks.block(self.reader, str(which), first=first, limit=limit))

    def transaction(self, txid: str) -> TransactionAnswer:
        """A transaction by its txid."""
        return self._checked(lambda: transactions.transaction(self.reader, txid))

    def address(self, text: str) -> AddressAnswer:
        """Sums of an address, a public key in hex, or `script:HEX`."""
        return self._checked(lambda: addresses.address(self.reader, text))

    def history(self, text: str, *, first: int = 0, limit: int | None = None) -> History:
        """An address's transactions, oldest first; `total` says how many there are."""
        return self._checked(lambda: addresses.history(self.reader, text, first=first, limit=limit))

    def cluster(
        self,
        text: str,
        *,
        level: Level = "L1",
        show: Collection[str] = ("members",),
        first: int = 0,
        limit: int | None = None,
        order: Literal["time", "size"] = "time",
        overlay: str | Path | None = None,
        tagged: TagSource = None,
        model: str | Path | None = None,
    ) -> ClusterAnswer:
        """The cluster of an address: what holds it together and the lists that are asked for; see `clusters.VIEWS`.

        `model` is a file of a change model, whose names are leads at L3.
        """
        return self._checked(
            lambda: clusters.cluster(
                self.reader,
                text,
                level=level,
                show=show,
                first=first,
                limit=limit,
                order=order,
                overlay=None if overlay is None else Path(overlay),
                tagged=tagged,
                model=None if model is None else Path(model),
            )
        )

    def held(
        self, *, level: Level = "L2", first: int = 0, limit: int | None = None, model: str | Path | None = None
    ) -> HeldAnswer:
        """What guards of a level hold for review, and blocks that made an L1 cluster much larger."""
        file = None if model is None else Path(model)
        return self._checked(lambda: held.held(self.reader, level=level, first=first, limit=limit, model=file))

    def change(self, txid: str, *, follow: int = 0) -> ChangeAnswer:
        """What a transaction shows of its wallet: its form, and which output each rule takes for change."""
        return self._checked(lambda: changes.change(self.reader, txid, follow=follow))

    def explain(
        self,
        a: str,
        b: str,
        *,
        level: Level = "L1",
        model: str | Path | None = None,
        raw: bool = False,
        check: bool = False,
    ) -> ProofAnswer:
        """Why two addresses are in one cluster; `raw` adds the document that proves it, `check` checks that.

        `model` is a file of a change model, whose names are leads at L3.
        """
        file = None if model is None else Path(model)
        return self._checked(lambda: proofs.explain(self.reader, a, b, level=level, model=file, raw=raw, check=check))

    def overlay(
        self, file: str | Path, text: str | None = None, *, first: int = 0, limit: int | None = None
    ) -> OverlayEffect:
        """What an overlay file changes in the clusters, and in the one of an address."""
        return self._checked(lambda: overlays.apply(self.reader, Path(file), text, first=first, limit=limit))

    def compare_overlays(
        self, file: str | Path, other: str | Path, *, first: int = 0, limit: int | None = None
    ) -> OverlayComparison:
        """Where two overlay files disagree about clusters."""
        return self._checked(lambda: overlays.compare(self.reader, Path(file), Path(other), first=first, limit=limit))

    def trace(
        self,
        *seeds: str,
        direction: Literal["forward", "backward"] = "forward",
        policies: Sequence[str] = ("fifo", "haircut"),
        limits: Limits = COURT,
        fees: Fees = ACCOUNT,
        seed_file: str | Path | None = None,
        collision: Collision = Collision.FIRST,
        services: TagSource = None,
        service_like: bool = False,
        first: int = 0,
        limit: int | None = None,
    ) -> TraceAnswer:
        """Follow txids, outpoints, addresses, `cluster:ADDRESS`, or a file of them, under policies side by side.

        `services` are files of tags, or a `TagChoice`: what arrives at a service is not followed further; with
        `service_like` neither is what arrives at a cluster that behaves like one.
        """

        def ask() -> TraceAnswer:
            job = TraceJob.begin(
                self.reader,
                seeds,
                direction=direction,
                policies=policies,
                limits=limits,
                fees=fees,
                seed_file=None if seed_file is None else Path(seed_file),
                collision=collision,
                services=services,
                service_like=service_like,
            )
            job.run()
            return answer_of(job, job.finish(), first=first, limit=limit)

        return self._checked(ask)

    def bounds(
        self,
        sources: Sequence[str],
        targets: Sequence[str],
        *,
        limits: Limits = WHOLE,
        fees: Fees = ACCOUNT,
        services: TagSource = None,
    ) -> BoundsAnswer:
        """How much of the targets derives from the sources, at least and at most, under every convention."""
        return self._checked(
            lambda: bounds.bounds(self.reader, sources, targets, limits=limits, fees=fees, services=services)
        )

    def paths(
        self,
        sources: Sequence[str],
        targets: Sequence[str],
        *,
        by: str = "share",
        k: int = 10,
        limits: Limits = NEARBY,
        services: TagSource = None,
        service_like: bool = False,
    ) -> PathsAnswer:
        """The best ways from sources to targets: `by` share, hops or time."""
        return self._checked(
            lambda: paths.paths(
                self.reader,
                sources,
                targets,
                by=by,
                k=k,
                limits=limits,
                services=services,
                service_like=service_like,
            )
        )

    def peel(
        self,
        seed: str,
        *,
        direction: Literal["forward", "backward"] = "forward",
        undecided: Literal["stop", "larger", "branch"] = "stop",
        hops: int | None = None,
        services: TagSource = None,
    ) -> PeelAnswer:
        """Follow one output along the change of its spenders, or back; `undecided` says what to do without a vote."""
        return self._checked(
            lambda: peels.peel(self.reader, seed, direction=direction, undecided=undecided, hops=hops, tags=services)
        )

    def profile(
        self,
        wallet: str,
        *,
        begin: str | None = None,
        end: str | None = None,
        min_sat: int | None = None,
        max_sat: int | None = None,
        overlay: str | Path | None = None,
        fiat: FiatChoice | None = None,
    ) -> "ProfileAnswer":
        """Sums, times, types, fees and unspent outputs of an address, or of `cluster:ADDRESS`; `fiat` values them."""
        from cointrail.service.profiles.asked import Asked
        from cointrail.service.profiles.profile import profile

        asked, file = Asked(begin, end, min_sat, max_sat), None if overlay is None else Path(overlay)
        return self._valued(fiat, lambda worth: profile(self.reader, wallet, overlay=file, asked=asked, worth=worth))

    def who(self, wallet: str, *, tags: TagSource = None, overlay: str | Path | None = None) -> "WhoAnswer":
        """Who may be behind an address or `cluster:ADDRESS`: claims, rival hypotheses, roles."""
        from cointrail.service.profiles.who import who

        file = None if overlay is None else Path(overlay)
        return self._checked(lambda: who(self.reader, wallet, tags, overlay=file))

    def counterparties(
        self,
        wallet: str,
        *,
        by: str = "script",
        rank: str = "gross",
        direction: str = "both",
        tags: TagSource = None,
        first: int = 0,
        limit: int | None = None,
        fiat: FiatChoice | None = None,
    ) -> "CounterpartiesAnswer":
        """Whom a wallet paid and who paid it, by `script`, `cluster` or `entity`; `fiat` values what was paid."""
        from cointrail.service.profiles.counterparties import counterparties_of

        return self._valued(
            fiat,
            lambda worth: counterparties_of(
                self.reader,
                wallet,
                by=by,
                rank=rank,
                direction=direction,
                tags=tags,
                first=first,
                limit=limit,
                worth=worth,
            ),
        )

    def exposure(
        self,
        wallet: str,
        *,
        tags: TagSource = None,
        service_like: bool = False,
        overlay: str | Path | None = None,
        fiat: FiatChoice | None = None,
    ) -> "ExposureAnswer":
        """From whom a wallet's money came and to whom it went, by category, with the ways behind every satoshi.

        With `service_like` clusters end a way that behave like services and that no tag names. `fiat` values what came
        and went.
        """
        from cointrail.service.exposures.exposure import exposure

        file = None if overlay is None else Path(overlay)
        return self._valued(
            fiat,
            lambda worth: exposure(
                self.reader, wallet, services=tags, service_like=service_like, overlay=file, worth=worth
            ),
        )

    def risk(self, wallet: str, *, tags: TagSource = None, rules: str | Path | None = None) -> "RiskAnswer":
        """A score by open rules, with every component; the program's own rules if no file is given."""
        from cointrail.profile.risk.file import read_rules
        from cointrail.service.exposures.risk import risk

        chosen = None if rules is None else read_rules(Path(rules))
        return self._checked(lambda: risk(self.reader, wallet, services=tags, rules=chosen))

    def linkability(self, txid: str, *, max_cj_fee_sat: int = 0) -> LinkabilityAnswer:
        """What links the two sides of a transaction: interpretations, probabilities, candidates."""
        return self._checked(lambda: linkability.linkability(self.reader, txid, max_cj_fee_sat=max_cj_fee_sat))


def open_ledger(path: str | Path, as_of: int | None = None) -> Ledger:
    """Open a ledger for questions; see `Ledger`."""
    return Ledger(path, as_of)
