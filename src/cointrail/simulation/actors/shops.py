"""Heron, the merchant, and Quill, the payment processor (SCENARIO.md 3)."""

from collections.abc import Sequence

from cointrail.simulation.actors.exchanges import Exchange
from cointrail.simulation.agenda import DAY, HOUR, MONTH, Agenda
from cointrail.simulation.keys import Script
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.transactions import INPUT_WEIGHT, OUTPUT_VSIZE, OVERHEAD_WEIGHT, Coin
from cointrail.simulation.wallet import Wallet, feerate_of
from cointrail.simulation.world import Payment, Sent, World

_MOST_INPUTS = 200
_LEAST_COIN_SAT = 10_000
_MOST_COINS = 10_000  # coins after which a merchant does not wait for the month to end: no scenario has so many
_LEAST_SETTLEMENT_SAT = 150_000
_LARGEST_SETTLEMENT = 30
_MANY = 40  # coins of a processor that are gathered


def gather(world: World, wallet: Wallet, coins: Sequence[Coin], script: Script, kind: str) -> Sent | None:
    """Send all of these coins to one script; None if hardly anything would be left."""
    weight = OVERHEAD_WEIGHT + sum(INPUT_WEIGHT[coin.script.kind] for coin in coins)
    fee = feerate_of(wallet.model, world.fee_level) * (-(-weight // 4) + OUTPUT_VSIZE[script.kind])
    value = sum(coin.value_sat for coin in coins) - fee
    if value < _LEAST_COIN_SAT:
        return None
    own = script.entity_id == wallet.entity_id
    return world.send(wallet, coins, [Payment(script, value, change=own)], kind)


class Merchant:
    """Heron: it is paid at its own addresses, gathers everything once a month and sells most of it.

    Args:
        world, agenda: where and when.
        addresses: how many it has.
        exchange: where it sells.
        parameters: the economy's habits.
    """

    def __init__(
        self, world: World, agenda: Agenda, addresses: int, exchange: Exchange, parameters: Parameters
    ) -> None:
        self.world = world
        self.entity = world.add_entity("Heron", "merchant", "XC", tagged=True)
        self.wallet = world.add_wallet(self.entity, parameters.model("Heron"), "Heron", keep_scripts=False)
        self._stream = world.stream("merchant Heron")
        self.addresses = [world.new_script(self.wallet) for _ in range(addresses)]
        self._exchange, self._account = exchange, exchange.open_account(self.entity)
        agenda.every(MONTH - 5 * HOUR, MONTH, self._consolidate)

    def pay_script(self) -> Script:
        """One of its addresses."""
        if len(self.wallet.coins) > _MOST_COINS and not self.world.chain.crowded:
            self._consolidate()
        return self._stream.pick(self.addresses)

    def _consolidate(self) -> None:
        coins = [coin for coin in self.wallet.coins.values() if coin.value_sat >= _LEAST_COIN_SAT]
        gathered: Sent | None = None
        while len(coins) > 1 and not self.world.chain.crowded:
            part, coins = coins[:_MOST_INPUTS], coins[_MOST_INPUTS:]
            gathered = gather(self.world, self.wallet, part, self.addresses[0], "consolidation")
            if gathered is not None:
                coins.append(gathered.coin(0))
                if len(coins) == 1:
                    break
        if gathered is not None:
            amount = gathered.outputs[0].value_sat * self._stream.between(60, 85) // 100
            script = self._exchange.deposit_script(self._account)
            self.world.pay(self.wallet, [Payment(script, amount)], "deposit")


class Processor:
    """Quill: a fresh address for each invoice, a nightly gathering, a daily settlement with the sellers.

    Args:
        world, agenda: where and when.
        exchange: where it sells for sellers who want money.
        parameters: the economy's habits.

    Attributes:
        sellers: wallets of those who sell through it; the other sellers want money.
    """

    def __init__(self, world: World, agenda: Agenda, exchange: Exchange, parameters: Parameters) -> None:
        self.world = world
        self.entity = world.add_entity("Quill", "payment_processor", "XA", tagged=True)
        self.wallet = world.add_wallet(self.entity, parameters.model("Quill"), "Quill", keep_scripts=False)
        self.invoices = world.add_wallet(self.entity, parameters.model("Quill"), "Quill invoices", keep_scripts=False)
        self.hot = world.new_script(self.wallet, "hot")
        self.sellers: list[Wallet] = []
        self._stream = world.stream("processor Quill")
        self._owed: dict[int, int] = {}
        self._sold_sat = 0
        self._exchange, self._account = exchange, exchange.open_account(self.entity)
        agenda.every(HOUR, DAY, self._gather)
        agenda.every(14 * HOUR, DAY, self._settle)

    def invoice(self) -> Script:
        """The script of a new invoice. Its seller is credited when it is gathered, less one per cent."""
        return self.world.new_script(self.invoices)

    def _gather(self) -> None:
        """Move what invoices were paid to the hot script, and what lies there together once it is a lot."""
        if len(self.wallet.coins) > _MANY:
            gather(self.world, self.wallet, list(self.wallet.coins.values())[:_MOST_INPUTS], self.hot, "consolidation")
        coins = [coin for coin in self.invoices.coins.values() if coin.value_sat >= _LEAST_COIN_SAT]
        for start in range(0, len(coins), _MOST_INPUTS):
            if self.world.chain.crowded:
                return
            part = coins[start : start + _MOST_INPUTS]
            if gather(self.world, self.invoices, part, self.hot, "consolidation") is not None:
                for coin in part:
                    self._credit(coin.value_sat * 99 // 100)

    def _credit(self, value_sat: int) -> None:
        if self.sellers and self._stream.chance(7, 10):
            seller = self._stream.below(len(self.sellers))
            self._owed[seller] = self._owed.get(seller, 0) + value_sat
        else:
            self._sold_sat += value_sat

    def _settle(self) -> None:
        due = [seller for seller, owed in self._owed.items() if owed >= _LEAST_SETTLEMENT_SAT]
        for start in range(0, len(due), _LARGEST_SETTLEMENT):
            part = due[start : start + _LARGEST_SETTLEMENT]
            scripts = [self.world.receive_script(self.sellers[seller]) for seller in part]
            payments = [Payment(script, self._owed[seller]) for seller, script in zip(part, scripts, strict=True)]
            if self.world.pay(self.wallet, payments, "payment") is None:
                return
            for seller in part:
                del self._owed[seller]
        if self._sold_sat > 20_000_000:
            script = self._exchange.deposit_script(self._account)
            if self.world.pay(self.wallet, [Payment(script, self._sold_sat)], "deposit") is not None:
                self._sold_sat = 0
