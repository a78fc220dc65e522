"""The Python API: a ledger at a snapshot, and what can be asked of it.

import cointrail
with cointrail.open("ledger") as ledger:
    ledger.transaction("f4184fc5...").outputs[0].spender
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

from cointrail.ledger.reader import Reader
from cointrail.service import addresses, blocks, clusters, traces, transactions
from cointrail.service.addresses import History
from cointrail.service.answers import AddressAnswer, BlockAnswer, ClusterAnswer, Status, TraceAnswer, TransactionAnswer

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

    def cluster(self, text: str, *, first: int = 0, limit: int | None = None, most: int | None = None) -> ClusterAnswer:
        """The co-spend cluster of an address, with a page of its members."""
        return self._checked(lambda: clusters.cluster(self.reader, text, first=first, limit=limit, most=most))

    def trace(
        self,
        seed: str,
        *,
        direction: Literal["forward", "backward"] = "forward",
        policy: str = "fifo",
        hops: int | None = None,
        min_sat: int = 0,
        transactions: int = 100_000,
        through_coinjoins: bool = False,
    ) -> TraceAnswer:
        """Follow a txid, an outpoint or an address under a policy."""
        return self._checked(
            lambda: traces.trace(
                self.reader,
                seed,
                direction=direction,
                policy=policy,
                hops=hops,
                min_sat=min_sat,
                transactions=transactions,
                through_coinjoins=through_coinjoins,
            )
        )


def open_ledger(path: str | Path, as_of: int | None = None) -> Ledger:
    """Open a ledger for questions; see `Ledger`."""
    return Ledger(path, as_of)
