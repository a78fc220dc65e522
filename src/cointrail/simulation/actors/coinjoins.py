"""CoinJoin coordinators: what their rounds have in common, and JoinMarket.

Shapes follow METHODS.md 3.1. Every participant's outputs go to fresh scripts of its own wallet. Who truly owns which
input and output is reported pair by pair.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.actors.crowd import Crowd, Joining
from cointrail.simulation.actors.exchanges import Exchange
from cointrail.simulation.actors.shops import gather
from cointrail.simulation.agenda import MONTH, Agenda
from cointrail.simulation.keys import Script
from cointrail.simulation.models import FINAL, LOCKTIME_ONLY
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.transactions import INPUT_WEIGHT, OUTPUT_VSIZE, OVERHEAD_WEIGHT, Coin
from cointrail.simulation.wallet import DUST_SAT, Wallet
from cointrail.simulation.world import Payment, Sent, World

Fresh = Callable[[Wallet], Script]
"""Gives a participant's wallet a new script."""

OUTPUT = OUTPUT_VSIZE[ScriptType.P2WPKH]
_FEWEST_EQUAL, _MOST_EQUAL = 3, 9


@dataclass(frozen=True, slots=True)
class MixLink:
    """A true pair: this input and this output of the transaction belong to this entity."""

    txid: bytes
    input_position: int
    vout: int
    entity_id: int


def report_links(sent: Sent, on_mix: Callable[[MixLink], None]) -> None:
    """Report every pair of an input and an output that belong to the same entity."""
    positions: dict[int, list[int]] = {}
    for position, coin in enumerate(sent.inputs):
        positions.setdefault(coin.script.entity_id, []).append(position)
    for vout, payment in enumerate(sent.outputs):
        owner = payment.script.entity_id
        for position in positions.get(owner, ()):
            on_mix(MixLink(sent.txid, position, vout, owner))


def value_of(coins: Sequence[Coin]) -> int:
    """What coins are worth together."""
    return sum(coin.value_sat for coin in coins)


def inputs_vsize(coins: Sequence[Coin]) -> int:
    """Size of the inputs that spend coins."""
    return -(-sum(INPUT_WEIGHT[coin.script.kind] for coin in coins) // 4)


class Coordinator:
    """Runs rounds of one protocol and fills them up with people who mix.

    Args:
        world, agenda: where and when.
        name: of the coordinator.
        crowd: who else takes part.
        exchange: where fees are sold.
        parameters: the economy's habits.
        on_mix: told the true pairs.
    """

    protocol = ""

    def __init__(
        self, world: World, agenda: Agenda, name: str, crowd: Crowd, exchange: Exchange, parameters: Parameters,
        on_mix: Callable[[MixLink], None],
    ) -> None:  # fmt: skip
        self.world, self.crowd = world, crowd
        self.entity = world.add_entity(name, "coordinator", "XH")
        self.wallet = world.add_wallet(self.entity, parameters.model("coordinator"), name, keep_scripts=False)
        self._stream = world.stream(f"coordinator {name}")
        self._on_mix = on_mix
        self._exchange, self._account = exchange, exchange.open_account(self.entity)
        agenda.every(MONTH, MONTH, self._sell)

    def join(self, participants: Sequence[Joining], *, label: str = "", fresh: Fresh | None = None) -> Sent:
        """One round with these participants and as many others as the shape needs.

        Args:
            participants: each a wallet and coins of it, P2WPKH or P2TR, worth at least 0.12 BTC together. May be
                empty. JoinMarket's taker is the first. Whirlpool makes their Tx0 first, then mixes until each of
                their premix coins was mixed once, and returns the first mix.
            label: of the round's transaction.
            fresh: makes the participants' scripts; P2WPKH ones of their wallets if not given.
        """
        raise NotImplementedError

    def round(self) -> Sent:
        """A round among the crowd."""
        return self.join(())

    def _fresh(self, wallet: Wallet) -> Script:
        return self.world.new_script(wallet, kind=ScriptType.P2WPKH)

    def _send(self, coins: Sequence[Coin], outputs: Sequence[Payment], label: str, wallet: Wallet | None = None,
              sequence: int = FINAL, lock_time: int = 0) -> Sent:  # fmt: skip
        sent = self.world.send(
            wallet or self.wallet,
            coins,
            outputs,
            "coinjoin",
            protocol=self.protocol,
            label=label,
            sequences=(sequence,) * len(coins),
            lock_time=lock_time,
        )
        report_links(sent, self._on_mix)
        return sent

    def _sell(self) -> None:
        coins = list(self.wallet.coins.values())[:100]
        if value_of(coins) > 1_000_000:
            gather(self.world, self.wallet, coins, self._exchange.deposit_script(self._account), "deposit")


class JoinMarket(Coordinator):
    """A taker pays makers to join: 3 to 9 equal outputs, and change for all but a taker who sweeps."""

    protocol = "joinmarket"

    def round(self) -> Sent:
        """A round whose taker is one of the crowd."""
        return self.join(self.crowd.draw("joinmarket", (self._stream.between(1, 3),), 15_000_000))

    def join(self, participants: Sequence[Joining], *, label: str = "", fresh: Fresh | None = None) -> Sent:
        """The first participant takes, the others and some of the crowd make."""
        if not participants:
            return self.round()
        fresh, stream = fresh or self._fresh, self._stream
        taker, taken = participants[0]
        equal = max(stream.between(_FEWEST_EQUAL, _MOST_EQUAL), len(participants))
        makers = list(participants[1:])
        have = value_of(taken)
        sweep = stream.chance(1, 4)
        amount = have if sweep else have * stream.between(30, 75) // 100
        amount = min(amount, *(value_of(coins) for _, coins in makers)) - 50_000 if makers else amount - 50_000
        inputs = [stream.between(1, 3) for _ in range(equal - len(participants))]
        drawn = self.crowd.draw("joinmarket", inputs, amount + 60_000, without=[wallet for wallet, _ in participants])
        earned = [stream.between(300, 4_000) for _ in range(len(makers) + len(drawn))]
        coins = [*taken, *(coin for _, theirs in (*makers, *drawn) for coin in theirs)]
        vsize = OVERHEAD_WEIGHT // 4 + inputs_vsize(coins) + 2 * OUTPUT * (1 + len(earned))
        fee = vsize * self.world.fee_level
        if sweep:
            amount = min(amount, have - sum(earned) - fee)
        change = have - amount - sum(earned) - fee
        assert change >= 0, "a taker cannot pay the fees"
        outputs = [Payment(fresh(taker), amount)]
        if change > 20 * DUST_SAT:
            outputs.append(Payment(fresh(taker), change, change=True))
        for place, ((wallet, theirs), fee_earned) in enumerate(zip((*makers, *drawn), earned, strict=True)):
            make = fresh if place < len(makers) else self._fresh
            outputs.append(Payment(make(wallet), amount))
            outputs.append(Payment(make(wallet), value_of(theirs) - amount + fee_earned, change=True))
        stream.shuffle(coins)
        stream.shuffle(outputs)
        return self._send(coins, outputs, label, wallet=taker, sequence=LOCKTIME_ONLY,
                          lock_time=self.world.chain.height - 1)  # fmt: skip
