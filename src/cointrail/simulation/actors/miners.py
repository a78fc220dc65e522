"""Miners: they are paid by coinbases, fund the economy in the prelude, and sell what they earn.

Fen is a pool that pays its members in batches, Moor and Tor mine alone. Fen's coinbases go to one script, Moor's to a
new one each block, Tor's to one of a few.
"""

from collections.abc import Callable, Sequence

from cointrail.simulation.actors.exchanges import Account, Exchange
from cointrail.simulation.agenda import DAY, Agenda
from cointrail.simulation.keys import Script
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.transactions import INPUT_WEIGHT, OUTPUT_VSIZE, OVERHEAD_WEIGHT, Coin
from cointrail.simulation.wallet import feerate_of
from cointrail.simulation.world import Payment, Sent, World

MINERS = (("Fen", 50, "XB"), ("Moor", 30, "XD"), ("Tor", 20, "XG"))
"""Name, share of the blocks in %, country."""

_LEAST_COIN_SAT = 12_000  # a coinbase of less is not worth its input
_MOST_INPUTS = 200
_FEW_SCRIPTS = 12
_LEAST_PAYOUT_SAT = 5_000_000


class Miner:
    """A miner.

    Args:
        world, agenda: where and when.
        name, country: who.
        exchanges: where it sells.
        parameters: the economy's habits.
        order: staggers the miners' days.
    """

    def __init__(
        self, world: World, agenda: Agenda, name: str, country: str, exchanges: Sequence[Exchange],
        parameters: Parameters, order: int,
    ) -> None:  # fmt: skip
        self.world, self.name = world, name
        self.entity = world.add_entity(name, "miner", country)
        self.wallet = world.add_wallet(self.entity, parameters.model("miner"), name, keep_scripts=False)
        self._stream = world.stream(f"miner {name}")
        self._claim_less = parameters.claim_less
        self._kept = 1 if name == "Fen" else _FEW_SCRIPTS if name == "Tor" else 0
        self._scripts: list[Script] = []
        self._accounts: list[tuple[Exchange, Account]] = [(each, each.open_account(self.entity)) for each in exchanges]
        self.members: Callable[[int], list[Script]] = lambda count: []
        """Gives scripts of that many pool members."""
        agenda.every(order * DAY, 3 * DAY, self.sell)

    def _script(self) -> Script:
        if len(self._scripts) < self._kept:
            self._scripts.append(self.world.new_script(self.wallet))
            return self._scripts[-1]
        return self._stream.pick(self._scripts) if self._scripts else self.world.new_script(self.wallet)

    def selling_script(self, exchange: Exchange) -> Script:
        """The miner's deposit script at an exchange."""
        account = next(account for each, account in self._accounts if each is exchange)
        return exchange.deposit_script(account)

    def mine(self) -> Sent:
        """Finish the block that is being filled."""
        less = 0
        if self._stream.chance(1, self._claim_less):
            less = self._stream.pick((1, 546, 10_000, 1_000_000))
        _, coinbase = self.world.mine(self.wallet, self._script(), claim_less_sat=less)
        self.wallet.mature(self.world.chain.height)
        return coinbase

    def send(self, payments: Sequence[Payment], kind: str) -> Sent | None:
        """Pay from the oldest coins, change to a new script; None if they are not enough."""
        wallet = self.wallet
        model = wallet.model
        feerate = feerate_of(model, self.world.fee_level)
        per_input = -(-INPUT_WEIGHT[model.script_type] // 4)
        vsize = OVERHEAD_WEIGHT // 4 + OUTPUT_VSIZE[model.script_type]
        vsize += sum(OUTPUT_VSIZE[each.script.kind] for each in payments)
        left = -sum(each.value_sat for each in payments) - feerate * vsize
        chosen: list[Coin] = []
        for coin in wallet.coins.values():
            chosen.append(coin)
            left += coin.value_sat - feerate * per_input
            if left >= 1_000:
                break
        else:
            return None
        change = Payment(self.world.new_script(wallet, "change"), left, change=True)
        return self.world.send(wallet, chosen, [*payments, change], kind)

    def sell(self) -> None:
        """Bring what was earned to the exchanges; the pool pays some of its members first."""
        self._forget_crumbs()
        if self._kept == 1:
            self._pay_members()
        coins = list(self.wallet.coins.values())
        # What is left of the prelude is sold slowly, a coin a time; what fees brought, at once.
        for start in range(0, min(len(coins), 10 * _MOST_INPUTS), _MOST_INPUTS):
            self._deposit([coin for coin in coins[start : start + _MOST_INPUTS] if coin.value_sat < 1_000_000_000])
        large = next((coin for coin in coins if coin.value_sat >= 1_000_000_000), None)
        if large is not None and self._stream.chance(1, 4):
            self._deposit([large])

    def _deposit(self, coins: Sequence[Coin]) -> None:
        exchange, account = self._stream.pick(self._accounts)
        script = exchange.deposit_script(account)
        weight = OVERHEAD_WEIGHT + sum(INPUT_WEIGHT[coin.script.kind] for coin in coins)
        fee = feerate_of(self.wallet.model, self.world.fee_level) * (-(-weight // 4) + OUTPUT_VSIZE[script.kind])
        value = sum(coin.value_sat for coin in coins) - fee
        if value > 100_000:
            self.world.send(self.wallet, coins, [Payment(script, value)], "deposit")

    def _pay_members(self) -> None:
        scripts = self.members(self._stream.between(8, 60))
        paid = min(self.wallet.balance_sat // 500, 60_000_000)
        if paid < _LEAST_PAYOUT_SAT or not scripts:
            return
        share = paid // len(scripts)
        self.send([Payment(each, share * self._stream.between(20, 180) // 100 + 1_000) for each in scripts], "payout")

    def _forget_crumbs(self) -> None:
        for outpoint in [key for key, coin in self.wallet.coins.items() if coin.value_sat < _LEAST_COIN_SAT]:
            del self.wallet.coins[outpoint]
