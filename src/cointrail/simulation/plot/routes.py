"""How coins come to Bazaar: the five routes of SCENARIO.md 3, step by step, and what is truly known about each payment.

A method starts now; what it waits for (a withdrawal, a mixing round) calls the next step. The address is shown when the
order is placed: before the withdrawal on the routes `direct` and `one_hop`, just before the payment on the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cointrail.simulation.actors.exchanges import Account
from cointrail.simulation.agenda import DAY, HOUR
from cointrail.simulation.economy import Economy
from cointrail.simulation.keys import Script
from cointrail.simulation.plot.addresses import Deposit
from cointrail.simulation.plot.market import Market, spend
from cointrail.simulation.plot.records import EXCHANGE, NO_EXCHANGE, NOT_TRACEABLE, Movement, Paid, Source
from cointrail.simulation.prices import market_amount_sat
from cointrail.simulation.stream import Stream
from cointrail.simulation.transactions import Coin
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import Entity, Payment, Sent

DIRECT, ONE_HOP, PEEL, MIXER, UNHOSTED = "direct", "one_hop", "peel", "mixer", "unhosted"

PROTOCOLS = ("wasabi1", "wabisabi", "joinmarket")
"""Buyers mix with these; a Whirlpool user would need one pool for each price."""

_STEP = (8 * HOUR, 36 * HOUR)
LONGEST_STEP = _STEP[1]
_FEE_ROOM_SAT = 40_000


@dataclass(slots=True, eq=False)
class Buyer:
    """Somebody who buys at the market.

    Attributes:
        entity: who; user_id: at the market, known before the first order.
        route: how he pays; protocol: of his CoinJoins, or empty.
        accounts: at exchanges, none for the unhosted.
        wallet: his own.
    """

    entity: Entity
    route: str
    accounts: list[Account]
    wallet: Wallet
    protocol: str = ""
    user_id: int = 0


class Routes:
    """Performs payments.

    Args:
        economy: everybody else.
        market: where orders are placed.

    Attributes:
        paid: all payments so far, in order of sending.
        withdrawals: all withdrawals from the accounts concerned.
    """

    def __init__(self, economy: Economy, market: Market) -> None:
        self._economy, self._world, self._market = economy, economy.world, market
        self._stream = self._world.stream("routes")
        self.paid: list[Paid] = []
        self.withdrawals: list[Movement] = []

    def price(self, item: int, *, later: bool = False) -> int:
        """What a thing costs now; `later` with room for a fall of the price of bitcoin in the weeks to come."""
        stream = Stream(self._world.seed, f"market item {item}")
        amount = market_amount_sat(stream, self._economy.prices, self._economy.agenda.now)
        return amount * 8 // 5 if later else amount

    def withdraw(
        self, account: Account, script: Script, value_sat: int, then: Callable[[Sent, Source], None], label: str = ""
    ) -> None:
        """Withdraw from an exchange; `then` gets the transaction, and which output of it came from where."""

        def on_sent(sent: Sent, vout: int) -> None:
            self.withdrawals.append(
                Movement(
                    account.account_id, account.exchange, "withdrawal", sent.txid, vout, value_sat, sent.height, 0,
                    script.script_pubkey,
                )
            )  # fmt: skip
            then(sent, Source(account.exchange, account.account_id, sent.txid, vout, value_sat))

        self._economy.exchanges[account.exchange].withdraw(account, script, value_sat, label=label, on_sent=on_sent)

    # The routes.

    def direct(self, buyer: Buyer, item: int, *, deposit: Deposit | None = None, label: str = "") -> Deposit:
        """A withdrawal pays the market's address."""
        amount = self.price(item)
        deposit = self._market.order(buyer.user_id, amount, deposit)

        def paid(sent: Sent, source: Source) -> None:
            self._note(buyer, sent, source.vout, 0, EXCHANGE, source.txid, EXCHANGE, (source,))

        self.withdraw(buyer.accounts[0], deposit.script, amount, paid, label)
        return deposit

    def one_hop(self, buyer: Buyer, item: int, wait: int, accounts: Sequence[Account]) -> None:
        """Withdrawals to the buyer's wallet, one or two, and one transaction that spends them all.

        Args:
            buyer: who.
            item: what is bought.
            wait: seconds until the payment at least.
            accounts: where the money comes from.
        """
        amount = self.price(item)
        deposit = self._market.order(buyer.user_id, amount)
        earliest = self._economy.agenda.now + wait
        needed = amount + _FEE_ROOM_SAT + self._stream.below(amount // 8)
        shares = [needed]
        if len(accounts) == 2:
            first = needed * self._stream.between(35, 65) // 100
            shares = [first, needed - first]
        arrived: list[tuple[Coin, Source]] = []

        def come(sent: Sent, source: Source) -> None:
            arrived.append((sent.coin(source.vout), source))
            if len(arrived) == len(accounts):
                self._economy.agenda.after(max(earliest - self._economy.agenda.now, 0), pay)

        def pay() -> None:
            sources = tuple(source for _, source in arrived)
            payment = Payment(deposit.script, amount)
            sent = spend(self._world, buyer.wallet, [coin for coin, _ in arrived], [payment], "payment")
            self._note(buyer, sent, _vout(sent, payment), 1, EXCHANGE, sources[0].txid, EXCHANGE, sources)

        for account, share in zip(accounts, shares, strict=True):
            self.withdraw(account, self._world.receive_script(buyer.wallet), -(-share // 10_000) * 10_000, come)

    def peel(self, buyer: Buyer, items: Sequence[int | None]) -> None:
        """A withdrawal, then a peel chain of one transaction for each of `items`; None is a peel to somebody else."""
        stream = self._stream
        others = [stream.heavy(100_000, 3_000_000) for item in items if item is None]
        needed = sum(self.price(item, later=True) for item in items if item is not None) + sum(others)
        needed += len(items) * _FEE_ROOM_SAT

        def come(sent: Sent, source: Source) -> None:
            coin = sent.coin(source.vout)
            self._economy.agenda.after(stream.between(*_STEP), lambda: step(0, coin, source))

        def step(number: int, coin: Coin, source: Source) -> None:
            item = items[number]
            if item is None:
                payment = Payment(self._somebody(), others.pop())
            else:
                payment = Payment(self._market.order(buyer.user_id, self.price(item)).script, self.price(item))
            sent = spend(self._world, buyer.wallet, [coin], [payment], "peel_step")
            vout = _vout(sent, payment)
            if item is not None:
                self._note(buyer, sent, vout, number + 1, EXCHANGE, source.txid, EXCHANGE, (source,))
            if number + 1 < len(items):
                rest = sent.coin(1 - vout)
                self._economy.agenda.after(stream.between(*_STEP), lambda: step(number + 1, rest, source))

        script = self._world.receive_script(buyer.wallet)
        self.withdraw(buyer.accounts[0], script, -(-needed // 100_000) * 100_000, come)

    def coinjoin(self, buyer: Buyer, items: Sequence[int]) -> None:
        """A withdrawal, a CoinJoin, and payments out of what comes out of it."""
        needed = sum(self.price(item, later=True) for item in items) + 15_000_000

        def come(sent: Sent, source: Source) -> None:
            self._economy.agenda.after(self._stream.between(HOUR, DAY), lambda: mix(sent.coin(source.vout)))

        def mix(coin: Coin) -> None:
            sent = self._economy.coordinators[buyer.protocol].join([(buyer.wallet, [coin])])
            mixed = {
                sent.coin(vout): 1
                for vout, each in enumerate(sent.outputs)
                if each.script.wallet_id == buyer.wallet.number
            }
            self._economy.agenda.after(self._stream.between(6 * HOUR, 2 * DAY), lambda: pay(0, sent.txid, mixed))

        def pay(number: int, stop: bytes, mixed: dict[Coin, int]) -> None:
            amount = self.price(items[number])
            payment = Payment(self._market.order(buyer.user_id, amount).script, amount)
            coins = _enough(list(mixed), amount + _FEE_ROOM_SAT)
            sent = spend(self._world, buyer.wallet, coins, [payment], "payment")
            hops = max(mixed.pop(coin) for coin in coins)
            self._note(buyer, sent, _vout(sent, payment), hops, NOT_TRACEABLE, stop, "coinjoin")
            mixed |= {sent.coin(vout): hops + 1 for vout, each in enumerate(sent.outputs) if each is not payment}
            if number + 1 < len(items):
                pause = self._stream.between(6 * HOUR, 2 * DAY)
                self._economy.agenda.after(pause, lambda: pay(number + 1, stop, mixed))

        script = self._world.receive_script(buyer.wallet)
        self.withdraw(buyer.accounts[0], script, -(-needed // 100_000) * 100_000, come)

    def fog(self, buyer: Buyer, item: int) -> None:
        """A withdrawal, the custodial mixer, and a payment out of what it pays back."""
        needed = self.price(item, later=True) + 2 * _FEE_ROOM_SAT
        mixer = self._economy.mixer

        def come(sent: Sent, source: Source) -> None:
            self._economy.agenda.after(self._stream.between(HOUR, DAY), lambda: mix(sent.coin(source.vout)))

        def mix(coin: Coin) -> None:
            back = self._world.new_script(buyer.wallet)
            payment = Payment(mixer.deposit_script(buyer.entity.entity_id, back, returned), needed)
            spend(self._world, buyer.wallet, [coin], [payment], "mixer_in")

        def returned(sent: Sent, vout: int) -> None:
            self._economy.agenda.after(self._stream.between(HOUR, 2 * DAY), lambda: pay(sent.txid, sent.coin(vout)))

        def pay(stop: bytes, coin: Coin) -> None:
            amount = self.price(item)
            payment = Payment(self._market.order(buyer.user_id, amount).script, amount)
            sent = spend(self._world, buyer.wallet, [coin], [payment], "payment")
            self._note(buyer, sent, _vout(sent, payment), 1, NOT_TRACEABLE, stop, "service")

        script = self._world.receive_script(buyer.wallet)
        self.withdraw(buyer.accounts[0], script, -(-(needed + _FEE_ROOM_SAT) // 100_000) * 100_000, come)

    def unhosted(self, buyer: Buyer, item: int, *, kind: str = "payment", label: str = "") -> Deposit:
        """A payment out of coins held since the prelude."""
        amount = self.price(item)
        deposit = self._market.order(buyer.user_id, amount)
        payment = Payment(deposit.script, amount)
        sent = self._world.pay(buyer.wallet, [payment], kind, label=label)
        assert sent is not None, f"{buyer.entity.name} can afford what he buys"
        self._note(buyer, sent, _vout(sent, payment), 0, NO_EXCHANGE, b"", "coinbase")
        return deposit

    # Helpers.

    def _somebody(self) -> Script:
        """Whom other peels pay."""
        if self._stream.chance(1, 3):
            return self._economy.merchant.pay_script()
        return self._economy.processor.invoice()

    def _note(
        self,
        buyer: Buyer,
        sent: Sent,
        vout: int,
        hops: int,
        verdict: str,
        stop_txid: bytes,
        stop_reason: str,
        sources: tuple[Source, ...] = (),
    ) -> None:
        self.paid.append(
            Paid(
                buyer.user_id, buyer.entity.entity_id, sent, vout, buyer.route, hops, verdict, stop_txid, stop_reason,
                sources,
            )
        )  # fmt: skip


def _vout(sent: Sent, payment: Payment) -> int:
    return next(vout for vout, each in enumerate(sent.outputs) if each is payment)


def _enough(coins: Sequence[Coin], amount_sat: int) -> list[Coin]:
    """The smallest coin that is enough, or the largest ones together."""
    ordered = sorted(coins, key=lambda coin: (coin.value_sat, coin.outpoint))
    for coin in ordered:
        if coin.value_sat >= amount_sat:
            return [coin]
    chosen: list[Coin] = []
    while sum(coin.value_sat for coin in chosen) < amount_sat:
        assert ordered, "what was mixed is enough for what is bought"
        chosen.append(ordered.pop())
    return chosen
