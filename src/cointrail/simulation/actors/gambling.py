"""Gambling sites: LuckyDice, the market's double, EvenOdds and RedBlack (SCENARIO.md 3)."""

from collections import deque

from cointrail.simulation.actors.exchanges import Account, Exchange
from cointrail.simulation.actors.shops import gather
from cointrail.simulation.agenda import DAY, HOUR, WEEK, Agenda
from cointrail.simulation.keys import Script
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.transactions import Coin
from cointrail.simulation.world import Payment, World

_MOST_INPUTS = 200
_STATIC = 6
_TIDY = "consolidation"
_LEAST_BET_SAT = 20_000
_LARGEST_BATCH = 25
_MANY = 40  # coins of a bank that are gathered


class Gambler:
    """What all sites have in common: somebody bets at a script, the site learns of the coin, and may pay back.

    Args:
        world, agenda: where and when.
        name, country: who.
        exchange: where the house sells what it has too much of.
        parameters: the economy's habits.

    Attributes:
        entity: itself; wallet: where bets arrive; bank: where its own money is.
    """

    house_sat = 6_000_000_000
    """What the house keeps; more is sold."""
    pays_sender = False
    """True if winnings go back to the script that the bet came from."""

    def __init__(
        self, world: World, agenda: Agenda, name: str, country: str, exchange: Exchange, parameters: Parameters
    ) -> None:
        self.world, self.agenda, self.name = world, agenda, name
        self.entity = world.add_entity(name, "gambling", country, tagged=True)
        model = parameters.model(name)
        self.wallet = world.add_wallet(self.entity, model, name, keep_scripts=False)
        self.bank = world.add_wallet(self.entity, model, f"{name} bank", keep_scripts=False)
        self._stream = world.stream(f"gambling {name}")
        self._exchange: Exchange = exchange
        self._account: Account = exchange.open_account(self.entity)
        agenda.every(self._stream.below(WEEK), WEEK, self._sell)

    def bet_script(self) -> Script:
        """Where to bet."""
        return self.world.new_script(self.wallet, "deposit")

    def bet(self, coin: Coin, back: Script) -> None:
        """Somebody bet this coin, which was paid to a bet script; winnings go to `back`."""
        raise NotImplementedError

    def tick(self) -> None:
        """What is due in this block."""

    def _sell(self) -> None:
        coins = list(self.bank.coins.values())[:_MOST_INPUTS]
        if len(coins) > _MANY:
            # All but the newest half, so that the bank is never one coin.
            gather(self.world, self.bank, coins[: len(coins) // 2], self.world.new_script(self.bank, "hot"), _TIDY)
        surplus = self.bank.balance_sat - self.house_sat
        if surplus > 50_000_000:
            self.world.pay(self.bank, [Payment(self._exchange.deposit_script(self._account), surplus)], "deposit")


class EvenOdds(Gambler):
    """Six static scripts, one for each game; whoever wins is paid at once, out of the very coin that was bet."""

    pays_sender = True

    def __init__(self, world: World, agenda: Agenda, country: str, exchange: Exchange, parameters: Parameters) -> None:
        super().__init__(world, agenda, "EvenOdds", country, exchange, parameters)
        self._scripts = [world.new_script(self.wallet, "deposit") for _ in range(_STATIC)]
        self._bets: deque[tuple[Coin, Script]] = deque()
        agenda.every(4 * HOUR, DAY, self._collect)

    def bet_script(self) -> Script:
        """One of the six."""
        return self._stream.pick(self._scripts)

    def bet(self, coin: Coin, back: Script) -> None:
        """Play: 48 % win 1.98 times the bet, paid in the next block."""
        if self._stream.chance(48, 100):
            self._bets.append((coin, back))

    def tick(self) -> None:
        """Pay the winners."""
        while self._bets:
            coin, back = self._bets.popleft()
            prize = coin.value_sat * 198 // 100
            added = next((each for each in self.bank.coins.values() if each.value_sat > prize), None)
            if coin.outpoint not in self.wallet.coins or added is None:
                continue
            fee = self.world.fee_level * 380
            change = coin.value_sat + added.value_sat - prize - fee
            payments = [Payment(back, prize), Payment(self._own(), change, change=True)]
            self.world.send(self.bank, [coin, added], payments, "payout")

    def _own(self) -> Script:
        """The bank's change goes back to one of its last scripts, as often as not."""
        if self.bank.recent and self._stream.chance(1, 2):
            return self._stream.pick(self.bank.recent)
        return self.world.new_script(self.bank, "hot")

    def _collect(self) -> None:
        """Move lost bets to the bank."""
        waiting = {coin.outpoint for coin, _ in self._bets}
        coins = [coin for key, coin in self.wallet.coins.items() if key not in waiting]
        coins = [coin for coin in coins if coin.value_sat >= _LEAST_BET_SAT]
        for start in range(0, len(coins), _MOST_INPUTS):
            if self.world.chain.crowded:
                return
            part = coins[start : start + _MOST_INPUTS]
            gather(self.world, self.wallet, part, self.world.new_script(self.bank, "hot"), _TIDY)


class RedBlack(Gambler):
    """A fresh script for each bet, gathered at night; winners are paid together, four times a day."""

    def __init__(self, world: World, agenda: Agenda, country: str, exchange: Exchange, parameters: Parameters) -> None:
        super().__init__(world, agenda, "RedBlack", country, exchange, parameters)
        self._due: deque[Payment] = deque()
        agenda.every(3 * HOUR, DAY, self._collect)
        agenda.every(5 * HOUR, 6 * HOUR, self._pay)

    def bet(self, coin: Coin, back: Script) -> None:
        """Play: 40 % win 1.1 to 3.5 times the bet."""
        if self._stream.chance(40, 100):
            self._due.append(Payment(back, coin.value_sat * self._stream.between(110, 350) // 100))

    def _collect(self) -> None:
        coins = [coin for coin in self.wallet.coins.values() if coin.value_sat >= _LEAST_BET_SAT]
        for start in range(0, len(coins), _MOST_INPUTS):
            if self.world.chain.crowded:
                return
            part = coins[start : start + _MOST_INPUTS]
            gather(self.world, self.wallet, part, self.world.new_script(self.bank, "hot"), _TIDY)

    def _pay(self) -> None:
        while self._due:
            batch = [self._due.popleft() for _ in range(min(len(self._due), _LARGEST_BATCH))]
            if self.world.pay(self.bank, batch, "payout") is None:
                self._due.extendleft(reversed(batch))
                return


class LuckyDice(Gambler):
    """The market's double: its prices, its cadence, a fresh script for each bet, and a weekly sweep like the market's.

    A sweep leaves change as often as the market's does, and the change goes into the next one. Prizes are paid out of
    the collection script.
    """

    house_sat = 1_000_000_000

    def __init__(
        self, world: World, agenda: Agenda, country: str, exchange: Exchange, parameters: Parameters,
        sweeps: tuple[int, int],
    ) -> None:  # fmt: skip
        super().__init__(world, agenda, "LuckyDice", country, exchange, parameters)
        self._with_change, self._exact = sweeps
        self.collection = world.new_script(self.bank, "collection")
        self._due: list[Payment] = []
        agenda.every(WEEK + DAY, WEEK, self._sweep)

    def bet(self, coin: Coin, back: Script) -> None:
        """Play: 45 % win 1.9 times the bet, paid after the next sweep."""
        if self._stream.chance(45, 100):
            self._due.append(Payment(back, coin.value_sat * 190 // 100))

    def _sweep(self) -> None:
        coins = list(self.wallet.coins.values())
        if len(coins) < 2:
            return
        total = sum(coin.value_sat for coin in coins)
        if self._stream.chance(self._with_change, self._with_change + self._exact):
            part = total * self._stream.between(80, 96) // 100 // 1_000_000 * 1_000_000
            fee = self.world.fee_level * (70 * len(coins) + 80)
            payments = [Payment(self.collection, part, change=True)]
            payments.append(Payment(self.world.new_script(self.wallet, "change"), total - part - fee, change=True))
            self._stream.shuffle(payments)
            self.world.send(self.wallet, coins, payments, "deposit_sweep")
        else:
            gather(self.world, self.wallet, coins, self.collection, "deposit_sweep")
        self._pay()

    def _pay(self) -> None:
        self._due = [each for each in self._due if self.world.pay(self.bank, [each], "payout") is None]
