"""What the plot leaves behind for others: users and orders of the market, test purchases, movements of accounts."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cointrail.simulation.keys import Script
from cointrail.simulation.stream import Stream
from cointrail.simulation.world import Sent

EXCHANGE, NOT_TRACEABLE, NO_EXCHANGE = "exchange", "not_traceable_beyond", "no_exchange_found"
"""Verdicts."""

COUNTRIES = ("XA", "XB", "XC", "XD", "XE", "XF", "XG", "XH")

_GIVEN = ("Ada", "Bela", "Cato", "Dela", "Edo", "Fina", "Gero", "Hali", "Ivo", "Jana", "Kiri", "Levi", "Mona", "Nilo",
          "Ora", "Pavo", "Runa", "Sefi", "Timo", "Una", "Vito", "Wila", "Yori", "Zena")  # fmt: skip
_FIRST = ("Al", "Bren", "Cor", "Dun", "El", "Far", "Gal", "Hol", "Im", "Jar", "Kel", "Lor", "Mar", "Nor", "Os", "Pel",
          "Quar", "Ros", "Sten", "Tor", "Ul", "Var", "Wen", "Yar")  # fmt: skip
_LAST = ("bach", "brook", "dal", "den", "feld", "ford", "grove", "ham", "holm", "kamp", "land", "lund", "mark", "mond",
         "rik", "stad", "strand", "ton", "vall", "wick")  # fmt: skip


@dataclass(frozen=True, slots=True)
class User:
    """A user of the market's site: `entity_id` is who it truly is, -1 for somebody who never paid."""

    user_id: int
    name: str
    created: int
    entity_id: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was paid. `created` is when the address was shown, seconds since 1970."""

    order_id: int
    user_id: int
    address: str
    amount_sat: int
    created: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """A test purchase by the agency; `time` is its block's."""

    purchase_no: int
    market_user: str
    txid: bytes
    vout: int
    value_sat: int
    time: int
    funding: str
    note: str


@dataclass(frozen=True, slots=True)
class Movement:
    """A deposit to or a withdrawal from an account, as the exchange sees it. `time` is its block's."""

    account_id: str
    exchange: str
    type: str
    txid: bytes
    vout: int
    value_sat: int
    height: int
    time: int
    script_pubkey: bytes


@dataclass(frozen=True, slots=True)
class PoolKey:
    """A key of the market's legacy key pool; `script` is None if it was never given out."""

    secret: bytes = field(repr=False)
    public_key: bytes
    script_pubkey: bytes
    script: Script | None


@dataclass(frozen=True, slots=True)
class Source:
    """A withdrawal from an exchange that funds something."""

    exchange: str
    account_id: str
    txid: bytes
    vout: int
    value_sat: int


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment to the market, and what a perfect investigation finds about it.

    Attributes:
        sent, vout: the payment.
        hops: transactions from where the trace stops to the payment; 0 if it is the payment itself.
        verdict: EXCHANGE, NOT_TRACEABLE or NO_EXCHANGE.
        stop_txid, stop_reason: where a trace must stop and why.
        sources: withdrawals that funded it, if it can be traced to them.
    """

    user_id: int
    buyer_id: int
    sent: Sent
    vout: int
    route: str
    hops: int
    verdict: str
    stop_txid: bytes
    stop_reason: str
    sources: tuple[Source, ...] = ()


class Names:
    """Invented names of people and of market users, none twice."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._taken: set[str] = set()

    def person(self) -> str:
        """A given name and a family name."""
        return self._fresh(lambda: f"{self._pick(_GIVEN)} {self._pick(_FIRST)}{self._pick(_LAST)}")

    def user(self) -> str:
        """What somebody calls himself on the site."""
        return self._fresh(lambda: f"{self._pick(_FIRST).lower()}{self._pick(_LAST)}{self._stream.below(1_000):03d}")

    def _pick(self, words: tuple[str, ...]) -> str:
        return self._stream.pick(words)

    def _fresh(self, make: Callable[[], str]) -> str:
        while (name := make()) in self._taken:
            pass
        self._taken.add(name)
        return name
