"""What happens a counted number of times in the background: CoinJoin rounds, PayJoins and misleading shapes.

Each is entered into the agenda at a random time; what cannot be done at that time, because nobody has the coins for
it, is tried again a day later.
"""

from collections.abc import Callable, Mapping

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.actors.coinjoins import Coordinator, MixLink
from cointrail.simulation.actors.odd_shapes import (
    attack_with_dust,
    close_channel,
    open_channel,
    pay_join,
    pay_wages,
    payjoin_coins,
    stonewall,
    trade,
)
from cointrail.simulation.actors.people import People, Person
from cointrail.simulation.actors.shops import Merchant
from cointrail.simulation.agenda import DAY, WEEK, Agenda
from cointrail.simulation.keys import Script
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.scale import Scale
from cointrail.simulation.transactions import Coin
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import World

_BEGIN = 2 * WEEK  # by then everybody has money
_TRIES = 60
_FEWEST_WAGES = 3
_LEAST_PAYJOIN_SAT, _MOST_PAYJOIN_SAT = 100_000, 20_000_000


class Background:
    """Enters everything that is counted into the agenda.

    Args:
        world, agenda: where and when.
        scale: how often.
        people, merchant, coordinators: who.
        parameters: the economy's habits.
        on_mix: told the true pairs inside PayJoins.
    """

    def __init__(
        self, world: World, agenda: Agenda, scale: Scale, people: People, merchant: Merchant,
        coordinators: Mapping[str, Coordinator], parameters: Parameters, on_mix: Callable[[MixLink], None],
    ) -> None:  # fmt: skip
        self.world, self.agenda, self.people, self.merchant, self._on_mix = world, agenda, people, merchant, on_mix
        self._stream = world.stream("background")
        self._end = scale.weeks * WEEK - 2 * DAY
        entity = world.add_entity("Gnat", "person", "XE")
        self.duster = world.add_wallet(entity, parameters.model("dealer"), "Gnat", keep_scripts=False)
        few = max(2, min(scale.people // 10, 40))
        rounds = {"wasabi1": scale.wasabi1, "wabisabi": scale.wasabi2, "whirlpool": scale.whirlpool}
        for name, count in (*rounds.items(), ("joinmarket", scale.joinmarket)):
            for _ in range(count):
                agenda.at_time(self._moment(), self._rounder(coordinators[name]))
        for action, count in (
            (self._payjoin, scale.payjoins),
            (self._stonewall, few),
            (self._wages, few),
            (self._trade, few),
            (self._channel, few),
            (self._dust, max(2, few // 3)),
        ):
            for _ in range(count):
                self._enter(self._moment(), action)

    def _moment(self) -> int:
        return self._stream.between(min(_BEGIN, self._end // 2), self._end)

    @staticmethod
    def _rounder(coordinator: Coordinator) -> Callable[[], None]:
        def turn() -> None:
            coordinator.round()

        return turn

    def _enter(self, seconds: int, action: Callable[[], bool]) -> None:
        """Do it then; if it cannot be done then, the day after."""

        def turn() -> None:
            if not action():
                self._enter(self.agenda.now + DAY, action)

        self.agenda.at_time(seconds, turn)

    def _person(self, kind: ScriptType | None = None) -> Person:
        """Somebody, or somebody whose wallet is of that kind."""
        while True:
            person = self.people.somebody(self._stream)
            if kind is None or person.wallet.model.script_type is kind:
                return person

    def _payjoin(self) -> bool:
        for _ in range(_TRIES):
            payer = self._person(ScriptType.P2WPKH).wallet
            receiver = self._person(ScriptType.P2WPKH).wallet
            script: Script | None = None
            if self.merchant.wallet.model.script_type is ScriptType.P2WPKH and self._stream.chance(1, 3):
                receiver, script = self.merchant.wallet, self.merchant.pay_script()
            value = self._stream.heavy(_LEAST_PAYJOIN_SAT, _MOST_PAYJOIN_SAT)
            coins = payjoin_coins(payer, receiver, value) if receiver is not payer else None
            if coins is not None:
                script = script or self.world.new_script(receiver)
                pay_join(self.world, (payer, [coins[0]]), (receiver, coins[1]), script, value, self._on_mix)
                return True
        return False

    def _stonewall(self) -> bool:
        for _ in range(_TRIES):
            wallet = self._person(ScriptType.P2WPKH).wallet
            value = self._stream.heavy(200_000, 20_000_000)
            if len(wallet.coins) >= 2 and stonewall(self.world, wallet, self.people.payee(self._stream), value):
                return True
        return False

    def _wages(self) -> bool:
        for _ in range(_TRIES):
            wallet = self._person().wallet
            payees = {self._person().wallet.number: None for _ in range(self._stream.between(3, 6))}
            payees.pop(wallet.number, None)
            scripts = [self.world.receive_script(self.world.wallets[number]) for number in payees]
            if len(scripts) >= _FEWEST_WAGES and pay_wages(self.world, wallet, scripts):
                return True
        return False

    def _trade(self) -> bool:
        for _ in range(_TRIES):
            seller, buyer = self._person().wallet, self._person().wallet
            price = self._stream.heavy(300_000, 30_000_000)
            if seller is not buyer and trade(self.world, seller, buyer, price):
                return True
        return False

    def _channel(self) -> bool:
        for _ in range(_TRIES):
            opener, other = self._person(), self._person()
            mine, theirs = (self._coin(each.wallet, 300_000) for each in (opener, other))
            if opener is other or mine is None or theirs is None:
                continue
            name = f"{opener.wallet.name} channel {len(self.world.wallets)}"
            channels = self.world.add_wallet(opener.entity, opener.wallet.model, name, keep_scripts=False)
            open_channel(self.world, (opener.wallet, mine), (other.wallet, theirs), channels)
            if self._stream.chance(2, 3):
                self._enter(self.agenda.now + self._stream.between(DAY, 8 * WEEK),
                            self._closer(channels, (opener.wallet, other.wallet)))  # fmt: skip
            return True
        return False

    def _closer(self, channels: Wallet, sides: tuple[Wallet, Wallet]) -> Callable[[], bool]:
        def close() -> bool:
            close_channel(self.world, channels, sides)
            return True

        return close

    @staticmethod
    def _coin(wallet: Wallet, least_sat: int) -> Coin | None:
        return next((coin for coin in wallet.coins.values() if coin.value_sat >= least_sat), None)

    def _dust(self) -> bool:
        found: dict[int, Script] = {}
        for _ in range(self._stream.between(20, 80)):
            recent = self._person().wallet.recent
            if recent:
                script = self._stream.pick(recent)
                found[script.number] = script
        return attack_with_dust(self.world, self.duster, list(found.values())) is not None
