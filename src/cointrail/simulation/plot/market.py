"""Bazaar: orders, weekly sweeps, the PayJoin with the merchant, and the week that goes through a CoinJoin.

The sweeps fall evenly into all weeks but the last, whose deposits stay unswept. A sweep with change spends the market's
float, a coin on a script of the change branch, together with the deposits and pays it back to the same script: that
chains the weeks at level L1. An exact sweep spends the float too and leaves nothing, so the operator must put a new
float on the next change script. In the week of the PayJoin the float is what Bazaar spends in it, and its change the
next float. Over each of these breaks only R1 or R2, deposit addresses that are paid on both sides, hold the weeks
together (SCENARIO.md 3).
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cointrail.simulation.agenda import DAY, HOUR, WEEK
from cointrail.simulation.chain import START_TIME
from cointrail.simulation.economy import Economy
from cointrail.simulation.keys import Script
from cointrail.simulation.plot.addresses import AddressBook, Deposit
from cointrail.simulation.plot.records import Order
from cointrail.simulation.scale import Scale
from cointrail.simulation.stream import Stream
from cointrail.simulation.transactions import Coin, estimated_vsize
from cointrail.simulation.truth import MixLinkRow
from cointrail.simulation.wallet import DUST_SAT, Choice, Wallet, feerate_of
from cointrail.simulation.world import Payment, Sent, World

PAYJOIN = "payjoin-merchant"

_ROUND_SAT = 1_000_000  # sweeps with change collect whole hundredths of a BTC
_LEAST_FLOAT_SAT = 20_000
_BILL_SAT = (8_000_000, 16_000_000)  # what Bazaar pays the merchant
_LEAST_GUEST_SAT = 100_000  # the merchant's coin in the PayJoin


@dataclass(frozen=True, slots=True)
class Calendar:
    """When what happens at the market, in seconds after the prelude and numbers of sweeps, which start at 1.

    Attributes:
        opens, closes: the market's life.
        sweeps: time of each sweep.
        exact: sweeps that leave nothing, ascending.
        payjoin: the sweep whose float meets the PayJoin.
        coinjoin: the sweep that leaves some deposits to the CoinJoin.
    """

    opens: int
    closes: int
    sweeps: tuple[int, ...]
    exact: tuple[int, ...]
    payjoin: int
    coinjoin: int

    @classmethod
    def draw(cls, scale: Scale, stream: Stream) -> "Calendar":
        """Decide; each half of the market's life gets its share of the breaks, none of them in the middle."""
        weeks = scale.market_weeks
        assert weeks == scale.sweeps_with_change + scale.sweeps_exact, "there is a sweep a week"
        opens = min(2, (scale.weeks - weeks) // 3) * WEEK
        sweeps = tuple(
            opens + number * (weeks - 1) * WEEK // weeks - stream.below(12 * HOUR) for number in range(1, weeks + 1)
        )
        half = weeks // 2
        exact: list[int] = []
        for numbers, count in (
            (range(1, half), scale.sweeps_exact // 2),
            (range(half + 1, weeks), scale.sweeps_exact - scale.sweeps_exact // 2),
        ):
            candidates = list(numbers)
            stream.shuffle(candidates)
            exact += candidates[:count]
        others = [number for number in range(4, weeks - 2) if number not in exact and number != half]
        stream.shuffle(others)
        return cls(opens, opens + weeks * WEEK, sweeps, tuple(sorted(exact)), others[0], others[1])

    def week(self, number: int) -> int:
        """When a calendar week of the market begins; the first is 1."""
        return self.opens + (number - 1) * WEEK

    def returns(self, half: int) -> tuple[int, ...]:
        """Periods between sweeps in which R1 (0) or R2 (1) is paid; period k ends with sweep k."""
        middle = len(self.sweeps) // 2
        breaks = [each for each in (*self.exact, self.payjoin) if (each > middle) == bool(half)]
        return tuple(number for number in range(1, len(self.sweeps) + 1) if number in breaks or number - 1 in breaks)

    def period(self, number: int) -> tuple[int, int]:
        """Begin and end of a period."""
        begin = self.sweeps[number - 2] if number > 1 else self.opens
        return begin, self.sweeps[number - 1]


def spend(
    world: World, wallet: Wallet, coins: Sequence[Coin], payments: Sequence[Payment], kind: str, *, label: str = ""
) -> Sent:
    """Pay out of exactly these coins of a wallet; its habits decide the fee and where the change goes."""
    types = [*(payment.script.kind for payment in payments), wallet.model.script_type]
    fee = feerate_of(wallet.model, world.fee_level) * estimated_vsize(coins, types)
    change = sum(coin.value_sat for coin in coins) - sum(payment.value_sat for payment in payments) - fee
    assert change > -fee // 4, f"{wallet.name} cannot afford a {kind}"
    if change < DUST_SAT:
        fee, change = fee + change, 0
    return world.send_choice(wallet, Choice(list(coins), fee, change), payments, kind, label=label)


class Market:
    """Bazaar at work.

    Args:
        economy: everybody else.
        book: its addresses.
        calendar: its weeks.
        scale: how many deposits go through the CoinJoin.
        treasury: the operator's wallet, which sweeps pay.
        mixing: the operator's wallet behind CoinJoins.
        pairs: where the true pairs of the PayJoin go.

    Attributes:
        orders: paid ones, in order.
        registered: when users registered, ascending.
        on_collected: told of the coin that each sweep brought the operator.
    """

    def __init__(
        self,
        economy: Economy,
        book: AddressBook,
        calendar: Calendar,
        scale: Scale,
        treasury: Wallet,
        mixing: Wallet,
        pairs: list[MixLinkRow],
    ) -> None:
        self._economy, self._world, self._book, self._scale = economy, economy.world, book, scale
        self._calendar, self._treasury, self._mixing, self._pairs = calendar, treasury, mixing, pairs
        self._stream = self._world.stream("market")
        self._float_script: Script | None = None
        self._created = START_TIME + calendar.opens
        self._bill_sat = self._stream.between(*_BILL_SAT) // 10_000 * 10_000
        self._kept: set[int] = set()
        self._named: list[Coin] = []
        self.orders: list[Order] = []
        self.registered: list[int] = []
        self.on_collected: Callable[[Coin], None] = lambda coin: None

    def start(self) -> None:
        """Put sweeps and what goes with them on the agenda."""
        calendar, at_time = self._calendar, self._economy.at_time
        for number, time in enumerate(calendar.sweeps, start=1):
            if number not in calendar.exact and (number == 1 or number - 1 in calendar.exact):
                before, _ = calendar.period(number)
                at_time(before + 3 * DAY, self._new_float)
            at_time(time, self._sweeper(number))
        at_time(calendar.sweeps[calendar.payjoin - 1] + self._stream.between(20, 60) * HOUR, self._pay_merchant)
        at_time(calendar.sweeps[calendar.coinjoin - 1] + self._stream.between(12, 40) * HOUR, self._coinjoin)

    # Orders.

    def order(self, user_id: int, amount_sat: int, deposit: Deposit | None = None) -> Deposit:
        """Take an order that will be paid; gives the address to pay to.

        Args:
            user_id: who orders.
            amount_sat: what it costs.
            deposit: an address the user was shown before, if it is to be paid again.
        """
        shown = self._world.chain.time - self._stream.between(120, 3_000)
        self._created = max(self._created + 1, shown)
        if deposit is None:
            deposit = self._book.next(user_id, bisect_right(self.registered, self._created))
        self.orders.append(Order(len(self.orders) + 1, user_id, deposit.address, amount_sat, self._created))
        return deposit

    def hold_back(self, script: Script) -> None:
        """Never send this deposit through the CoinJoin."""
        self._kept.add(script.number)

    # Sweeps.

    def _sweeper(self, number: int) -> Callable[[], None]:
        return lambda: self._sweep(number)

    def _deposits(self) -> list[Coin]:
        """Confirmed deposits, oldest first."""
        height = self._world.chain.height
        coins = [*self._book.legacy_wallet.coins.values(), *self._book.wallet.coins.values()]
        return [coin for coin in coins if coin.script.role == "deposit" and coin.height < height]

    def _float(self) -> list[Coin]:
        return [coin for coin in self._book.wallet.coins.values() if coin.script is self._float_script]

    def _sweep(self, number: int) -> None:
        calendar, exact = self._calendar, number in self._calendar.exact
        deposits = self._deposits()
        if number == calendar.coinjoin:
            self._named = self._choose_named(deposits)
            named = {coin.outpoint for coin in self._named}
            deposits = [coin for coin in deposits if coin.outpoint not in named]
        coins = [*deposits, *self._float()]
        types = [self._book.wallet.model.script_type] * (1 if exact else 2)
        fee = feerate_of(self._book.wallet.model, self._world.fee_level) * estimated_vsize(coins, types)
        left = sum(coin.value_sat for coin in coins) - fee
        collection = self._world.new_script(self._treasury, "collection")
        outputs = [Payment(collection, left)]
        if not exact:
            assert self._float_script in [coin.script for coin in coins], "a sweep with change needs the float"
            wanted = _LEAST_FLOAT_SAT + (self._bill_sat + _ROUND_SAT if number == calendar.payjoin else 0)
            value = (left - wanted) // _ROUND_SAT * _ROUND_SAT
            assert value > 0, "a week's deposits are worth a sweep"
            outputs = [Payment(collection, value), Payment(self._float_script, left - value, change=True)]
        label = f"sweep-{number:02d}"
        sent = self._world.send(self._book.wallet, coins, outputs, "market_sweep", label=label)
        if exact:
            self._float_script = None
        self.on_collected(sent.coin(0))

    def _new_float(self) -> None:
        """The operator puts a new float on the next change script."""
        self._float_script = self._book.next_change()
        value = self._stream.between(10, 30) * 100_000
        payment = Payment(self._float_script, value)
        sent = self._world.pay(self._treasury, [payment], "self_transfer")
        assert sent is not None, "the operator can afford a float"

    # Collaborations.

    def _pay_merchant(self) -> None:
        """Bazaar pays the merchant in a transaction with one input of each."""
        merchant, stream = self._economy.merchant, self._stream
        guests = [coin for coin in merchant.wallet.coins.values() if coin.value_sat >= _LEAST_GUEST_SAT]
        (own,) = self._float()
        if not guests:
            self._economy.agenda.after(4 * HOUR, self._pay_merchant)
            return
        guest = stream.pick(guests)
        coins = [own, guest]
        stream.shuffle(coins)
        self._float_script = self._book.next_change()
        types = [own.script.kind, guest.script.kind]
        fee = feerate_of(self._book.wallet.model, self._world.fee_level) * estimated_vsize(coins, types)
        outputs = [
            Payment(merchant.pay_script(), guest.value_sat + self._bill_sat),
            Payment(self._float_script, own.value_sat - self._bill_sat - fee, change=True),
        ]
        stream.shuffle(outputs)
        sent = self._world.send(self._book.wallet, coins, outputs, "payjoin", protocol="payjoin", label=PAYJOIN)
        for position, coin in enumerate(sent.inputs):
            vout = next(
                place for place, each in enumerate(sent.outputs) if each.script.entity_id == coin.script.entity_id
            )
            self._pairs.append(MixLinkRow(sent.txid, position, vout, coin.script.entity_id))

    def _choose_named(self, deposits: list[Coin]) -> list[Coin]:
        """The largest deposits of the CoinJoin's week, by an account key's script each, none of a test purchase."""
        begin, _ = self._calendar.period(self._calendar.coinjoin)
        first = self._economy.agenda.height_at(begin)
        wanted = [
            coin
            for coin in deposits
            if coin.height >= first and coin.script.wallet_id == self._book.wallet.number
            and coin.script.number not in self._kept
        ]  # fmt: skip
        wanted.sort(key=lambda coin: (-coin.value_sat, coin.outpoint))
        return wanted[: self._scale.coinjoined_deposits]

    def _coinjoin(self) -> None:
        """The named deposits, left out of the sweep, go through a round; what comes out is the operator's."""
        sent = self._economy.coordinators["wabisabi"].join([(self._mixing, self._named)], label="sweep-coinjoin")
        for position, coin in enumerate(sent.inputs):
            for vout, payment in enumerate(sent.outputs):
                if coin in self._named and payment.script.wallet_id == self._mixing.number:
                    self._pairs.append(MixLinkRow(sent.txid, position, vout, payment.script.entity_id))
