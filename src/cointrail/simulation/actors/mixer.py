"""Fog, the custodial mixer: what it takes comes back after 6 to 72 hours, out of coins that have nothing to do with it.

What customers pay rests in a wallet of its own for at least a week before it is gathered into the pool, so the pool
never holds a coin that descends from a payment it is answering.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cointrail.simulation.actors.coinjoins import MixLink
from cointrail.simulation.agenda import DAY, HOUR, WEEK, Agenda
from cointrail.simulation.keys import Script
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.transactions import INPUT_WEIGHT, OUTPUT_VSIZE, OVERHEAD_WEIGHT, Coin
from cointrail.simulation.wallet import feerate_of
from cointrail.simulation.world import Payment, Sent, World

LEAST_SAT = 200_000
"""What can be mixed at least."""

_MOST_INPUTS = 100
_POOL_COINS = 6  # coins that a gathering makes
_LARGE_POOL = 120  # coins, from which on a gathering makes one
_EXPIRY = 4 * WEEK  # an order that was never paid is forgotten


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    customer_id: int
    back: Script
    since: int
    on_sent: Callable[[Sent, int], None] | None


class Mixer:
    """Fog.

    Args:
        world, agenda: where and when.
        parameters: the economy's habits.
        on_mix: told the true pairs: the customer's first input and Fog's output of the transaction that paid Fog, and
            the first input and the customer's output of the one that pays back. The customer's entity_id joins them.

    Attributes:
        entity: itself; incoming: where it is paid; pool: what it pays from.
    """

    def __init__(self, world: World, agenda: Agenda, parameters: Parameters, on_mix: Callable[[MixLink], None]) -> None:
        self.world, self.agenda, self._on_mix = world, agenda, on_mix
        self.entity = world.add_entity("Fog", "mixer", "XF", tagged=True)
        model = parameters.model("Fog")
        self.incoming = world.add_wallet(self.entity, model, "Fog incoming", keep_scripts=False)
        self.pool = world.add_wallet(self.entity, model, "Fog pool", keep_scripts=False)
        self.incoming.inbox = []
        self._orders: dict[int, _Order] = {}
        self._resting: deque[tuple[int, Coin]] = deque()
        self._stream = world.stream("mixer Fog")
        agenda.every(9 * DAY, WEEK, self._gather)

    def deposit_script(
        self, customer_id: int, back: Script, on_sent: Callable[[Sent, int], None] | None = None
    ) -> Script:
        """A fresh script; what it is paid comes back to `back` less 1 to 3 %, 6 to 72 h later.

        The payment is of kind `mixer_in` and at least `LEAST_SAT`. `on_sent` is told what paid back.
        """
        script = self.world.new_script(self.incoming, "deposit")
        self._orders[script.number] = _Order(customer_id, back, self.agenda.now, on_sent)
        return script

    def tick(self) -> None:
        """Look through what arrived."""
        inbox = self.incoming.inbox
        if not inbox:
            return
        for coin in inbox:
            self._resting.append((self.agenda.now, coin))
            order = self._orders.pop(coin.script.number, None)
            if order is None:
                continue
            vout = int.from_bytes(coin.outpoint[32:], "little")
            self._on_mix(MixLink(coin.outpoint[:32], 0, vout, order.customer_id))
            if coin.value_sat >= LEAST_SAT:
                value = coin.value_sat * (1_000 - self._stream.between(10, 30)) // 1_000
                # Rounded up to whole blocks since the payment, and 72 hours are whole blocks at every scale.
                blocks = -(-self._stream.between(6 * HOUR, 72 * HOUR) // self.world.chain.spacing)
                self.agenda.schedule(coin.height + blocks, partial(self._pay, order, value))
        inbox.clear()

    def _pay(self, order: _Order, value_sat: int) -> None:
        sent = self.world.pay(self.pool, [Payment(order.back, value_sat)], "mixer_out")
        if sent is None:
            self.agenda.after(DAY, partial(self._pay, order, value_sat))
            return
        vout = next(place for place, each in enumerate(sent.outputs) if each.script is order.back)
        self._on_mix(MixLink(sent.txid, 0, vout, order.customer_id))
        if order.on_sent is not None:
            order.on_sent(sent, vout)

    def _gather(self) -> None:
        """Move what has rested for a week into the pool, as a few coins of different size."""
        while self._orders and next(iter(self._orders.values())).since < self.agenda.now - _EXPIRY:
            del self._orders[next(iter(self._orders))]
        coins: list[Coin] = []
        while self._resting and self._resting[0][0] <= self.agenda.now - WEEK and len(coins) < _MOST_INPUTS:
            coins.append(self._resting.popleft()[1])
        coins = [coin for coin in coins if coin.value_sat >= LEAST_SAT]
        if not coins:
            return
        kind = self.pool.model.script_type
        weight = OVERHEAD_WEIGHT + sum(INPUT_WEIGHT[coin.script.kind] for coin in coins)
        vsize = -(-weight // 4) + _POOL_COINS * OUTPUT_VSIZE[kind]
        left = sum(coin.value_sat for coin in coins) - vsize * feerate_of(self.pool.model, self.world.fee_level)
        count = min(_POOL_COINS, 1 + left // 20_000_000) if len(self.pool.coins) < _LARGE_POOL else 1
        values = []
        for rest in range(count - 1, 0, -1):
            values.append(left * self._stream.between(60, 140) // 100 // (rest + 1))
            left -= values[-1]
        payments = [Payment(self.world.new_script(self.pool, "hot"), value, change=True) for value in (*values, left)]
        self.world.send(self.incoming, coins, payments, "consolidation")
