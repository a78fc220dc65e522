"""Why following ended, in words and with its basis: that an output lies there is a fact, whose it is never is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.gate.kinds import Kind, kind_of
from cointrail.reports.graph import Basis
from cointrail.reports.names import Names
from cointrail.reports.wording import plain
from cointrail.trace.flow import Direction, Flow
from cointrail.trace.reason import ACCOUNTS, REASONS, Reason

I64 = npt.NDArray[np.int64]

_WORDS: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.SEED: "reaches another seed",
        Reason.TARGET: "target reached",
        Reason.UNSPENT: "unspent",
        Reason.COINBASE: "mined: coinbase",
        Reason.LARGE_CLUSTER: "large cluster",
        Reason.MANY_OUTPUTS: "too many outputs",
        Reason.MANY_INPUTS: "too many inputs",
        Reason.MINIMUM: "below minimum",
        Reason.SHARE: "below minimum share",
        Reason.FEE: "fee",
        Reason.UNCLAIMED: "unclaimed reward",
        Reason.SUBSIDY: "new money: subsidy",
        Reason.UNSPENDABLE: "cannot be spent",
        Reason.OVERWRITTEN: "overwritten (BIP30)",
        Reason.GENESIS: "genesis output",
    }
)
_INFERRED: Final = frozenset((Reason.COINJOIN, Reason.LARGE_CLUSTER))
_KINDS: Final = tuple(Kind)
_NUMBER: Final = MappingProxyType({kind: number for number, kind in enumerate(_KINDS)})
_BOOKED: Final = tuple(each.code for each in ACCOUNTS if each is not Reason.SUBSIDY)


class Endings:
    """The ends of one flow.

    Args:
        flow: a trace.
        names: of the ledger it was made from.
    """

    def __init__(self, flow: Flow, names: Names) -> None:
        self.flow, self._names = flow, names
        self._services = [plain(name) for name in flow.asked.services.names]

    @property
    def drawn(self) -> npt.NDArray[np.bool_]:
        """True for parts that end in a place of their own; fees are booked where they were paid. bool (p,)."""
        ended: npt.NDArray[np.bool_] = (self.flow.reason > 0) & ~np.isin(self.flow.reason, _BOOKED)
        return ended

    def kinds(self, parts: I64) -> I64:
        """One number for ends that are told in the same words: reason, service or class, real or virtual; int64."""
        reasons, details = self.flow.reason[parts].astype(np.int64), self.flow.detail[parts].astype(np.int64)
        details[~np.isin(reasons, (Reason.SERVICE.code, Reason.COINJOIN.code))] = 0
        mixes = reasons == Reason.COINJOIN.code
        signs, place = np.unique(details[mixes], return_inverse=True)
        details[mixes] = np.array([_NUMBER[kind_of(int(each))] for each in signs], np.int64)[place]
        return details << 16 | reasons << 1 | (self.flow.output[parts] < 0)

    def reason(self, part: int) -> Reason | None:
        """Why a part ended, None if it went on."""
        found: Reason | None = REASONS[self.flow.reason[part]]
        return found

    def service(self, part: int) -> int:
        """Number of the service at which a part ended, -1 if at none."""
        return int(self.flow.detail[part]) if self.reason(part) is Reason.SERVICE else -1

    def detail(self, part: int) -> str:
        """Name of the service, or class of the collaborative transaction; empty for every other reason."""
        reason = self.reason(part)
        if reason is Reason.SERVICE:
            return self._services[int(self.flow.detail[part])]
        return str(kind_of(int(self.flow.detail[part]))) if reason is Reason.COINJOIN else ""

    def bases(self, parts: I64) -> list[Basis]:
        """What kind of statement each end makes.

        A service named for the script itself is an assertion; one that is named for another script of the same L1
        cluster is an inference upon it, and one that nobody names is an inference.
        """
        found = [Basis.INFERENCE if REASONS[code] in _INFERRED else Basis.FACT for code in self.flow.reason[parts]]
        at_services = np.flatnonzero(self.flow.reason[parts] == Reason.SERVICE.code)
        scripts = self._names.scripts(self.flow.output[parts[at_services]])
        itself = np.isin(scripts, self.flow.asked.services.scripts)
        itself &= self.flow.detail[parts[at_services]] < self.flow.asked.services.named
        for row, direct in zip(at_services.tolist(), itself.tolist(), strict=True):
            found[row] = Basis.ASSERTION if direct else Basis.INFERENCE
        return found

    def words(self, part: int) -> str:
        """The end of a part in a few words; empty for a service, whose name stands elsewhere."""
        reason = self.reason(part)
        if reason is None or reason is Reason.SERVICE:
            return ""
        if reason is Reason.COINJOIN:
            into = "into" if self.flow.asked.direction is Direction.FORWARD else "out of"
            return f"{into} CoinJoin: {self.detail(part)}"
        return _WORDS.get(reason, f"stopped: {reason}")
