"""The economy: who takes part, and the loop that fills blocks (SCENARIO.md 1 to 3).

In the prelude the miners mine 400 blocks and, from block 301 on, fund everybody. Then every block first does what the
agenda says, lets the services do what is due, and is filled with what people do, so that the whole chain comes to the
number of transactions of its scale: more by day than by night, less on Sundays.
"""

from collections.abc import Callable, Sequence

from cointrail.simulation.actors.coinjoins import Coordinator, JoinMarket, MixLink
from cointrail.simulation.actors.crowd import Crowd, Dealer
from cointrail.simulation.actors.exchanges import Alpha, Beta, Exchange, Gamma
from cointrail.simulation.actors.gambling import EvenOdds, Gambler, LuckyDice, RedBlack
from cointrail.simulation.actors.miners import MINERS, Miner
from cointrail.simulation.actors.mixer import Mixer
from cointrail.simulation.actors.people import People, Places
from cointrail.simulation.actors.shops import Merchant, Processor
from cointrail.simulation.actors.wasabi import WabiSabi, Wasabi1
from cointrail.simulation.actors.whirlpool import Whirlpool
from cointrail.simulation.agenda import DAY, HOUR, WEEK, Action, Agenda
from cointrail.simulation.background import Background
from cointrail.simulation.chain import PRELUDE_BLOCKS
from cointrail.simulation.keys import Script
from cointrail.simulation.parameters import EVERYDAY, HOLDOUT
from cointrail.simulation.prices import PriceCurve
from cointrail.simulation.scale import Scale
from cointrail.simulation.world import Payment, World

_FIRST_GRANT, _LAST_GRANT = 301, 392
_LARGEST_WEIGHT = 3_600_000
_BTC = 100_000_000
_SHARES = (("Alpha", 50), ("Beta", 30), ("Gamma", 20))
_EXCHANGE_DEPOSITS, _EXCHANGE_DEPOSIT_SAT = 60, 90 * _BTC
_HOT_COINS, _HOT_COIN_SAT = 4, 30 * _BTC
_HOURS = (40, 30, 25, 25, 30, 45, 70, 95, 115, 125, 130, 135, 140, 140, 140, 140, 145, 150, 150, 145, 130, 110, 85, 60)
"""Activity by hour of the day, UTC, in percent."""
_SUNDAY = 70
_MANY_MIXES = 100  # from here on Whirlpool runs a third pool


def _forget(link: MixLink) -> None:
    """Keep nothing."""


class Economy:
    """Everybody but the plot's people.

    Args:
        world: where it happens.
        scale: how large.
        holdout: True for the second set of wallet models and habits.
        on_mix: told the true pairs inside CoinJoins, PayJoins and the mixer.

    Attributes:
        exchanges: Alpha, Beta, Gamma; gamblers: LuckyDice, EvenOdds, RedBlack.
        coordinators: wasabi1, wabisabi, whirlpool, joinmarket.
        merchant: Heron; processor: Quill; mixer: Fog; miners: Fen, Moor, Tor; people: ordinary people.
        agenda: what is to be done when; prices: what a bitcoin costs.
    """

    def __init__(
        self, world: World, scale: Scale, *, holdout: bool = False, on_mix: Callable[[MixLink], None] | None = None
    ) -> None:
        self.world, self.scale = world, scale
        self.parameters = parameters = HOLDOUT if holdout else EVERYDAY
        self.agenda = agenda = Agenda(world.chain)
        self.prices = PriceCurve(world.seed)
        self._stream = world.stream("economy")
        self._grants: list[Payment] = []
        on_mix = on_mix or _forget
        alpha = Alpha(world, agenda, "XA", parameters)
        beta, gamma = Beta(world, agenda, "XB", parameters), Gamma(world, agenda, "XC", parameters)
        exchanges: list[Exchange] = [alpha, beta, gamma]
        self.exchanges = {each.name: each for each in exchanges}
        self.miners = [
            Miner(world, agenda, name, country, exchanges, parameters, order)
            for order, (name, _, country) in enumerate(MINERS)
        ]
        self.merchant = Merchant(world, agenda, scale.merchant_addresses, alpha, parameters)
        self.processor = Processor(world, agenda, beta, parameters)
        sites: list[Gambler] = [
            LuckyDice(world, agenda, "XD", beta, parameters, (scale.sweeps_with_change, scale.sweeps_exact)),
            EvenOdds(world, agenda, "XE", alpha, parameters),
            RedBlack(world, agenda, "XF", gamma, parameters),
        ]
        self.gamblers = {each.name: each for each in sites}
        self.mixer = Mixer(world, agenda, parameters, on_mix)
        self.dealer = Dealer(world, agenda, [(self.exchanges[name], share) for name, share in _SHARES], parameters)
        self.crowd = Crowd(world, agenda, self.dealer, parameters)
        places = Places(self.exchanges, self.merchant, self.processor, self.gamblers, self.mixer, self.crowd)
        self.people = People(world, agenda, scale, places, self.prices, parameters)
        whirlpool = Whirlpool(world, agenda, "Eddy", self.crowd, alpha, parameters, on_mix)
        if scale.whirlpool >= _MANY_MIXES:
            whirlpool.denominations = (100_000, 1_000_000, 5_000_000)
        coordinators: list[Coordinator] = [
            Wasabi1(world, agenda, "Sorrel", self.crowd, alpha, parameters, on_mix),
            WabiSabi(world, agenda, "Wren", self.crowd, alpha, parameters, on_mix),
            whirlpool,
            JoinMarket(world, agenda, "Tern", self.crowd, alpha, parameters, on_mix),
        ]
        self.coordinators = {each.protocol: each for each in coordinators}
        self.background = Background(
            world, agenda, scale, self.people, self.merchant, self.coordinators, parameters, on_mix
        )
        ticking: list[Exchange | Gambler | Mixer] = [*exchanges, *sites, self.mixer]
        self._ticks = [each.tick for each in ticking]
        self._turns = [(miner, share) for miner, (_, share, _) in zip(self.miners, MINERS, strict=True)]
        for miner in self.miners:
            miner.members = self._members
        self._plan_lucky_bets()
        self.people.begin(10 * DAY)

    # The clock.

    def schedule(self, height: int, action: Action) -> None:
        """Do something in the block of that height, before the block is filled."""
        self.agenda.schedule(height, action)

    def at_time(self, seconds: int, action: Action) -> None:
        """Do something that many seconds after the prelude ended."""
        self.agenda.at_time(seconds, action)

    @property
    def last_height(self) -> int:
        """Height of the last block."""
        return PRELUDE_BLOCKS + self.scale.blocks

    def run(self) -> None:
        """Mine the prelude and all blocks of the scale."""
        self._fund()
        while self.world.chain.height <= self.last_height:
            self.agenda.run()
            for tick in self._ticks:
                tick()
            if self.world.chain.height > PRELUDE_BLOCKS:
                self._fill()
            self._stream.weighted(self._turns).mine()

    def _fill(self) -> None:
        """Ask people to act until the block has its share of what is left to do."""
        world, chain = self.world, self.world.chain
        coinbases = self.last_height
        left = self.scale.transactions - coinbases - (world.transactions - chain.waiting)
        mean_hundredths = 100 * left // (self.last_height - chain.height + 1)
        hour, day = self.agenda.now // HOUR % 24, self.agenda.now // DAY % 7
        rhythm = _HOURS[hour] * (_SUNDAY if day == 6 else 105)
        quota = mean_hundredths * rhythm * self._stream.between(80, 120) // 100_000_000
        attempts = 4 * quota + 8
        while chain.waiting < quota and chain.weight < _LARGEST_WEIGHT and attempts:
            self.people.act()
            attempts -= 1

    # The beginning.

    def grant(self, script: Script, value_sat: int) -> None:
        """Have a miner pay a script in the prelude, in a transaction of its own; to be called before `run`."""
        self._grants.append(Payment(script, value_sat))

    def _fund(self) -> None:
        """Enter into the agenda what the miners pay in the prelude."""
        stream = self._stream
        tasks: list[tuple[str, list[Payment]]] = [("payment", [each]) for each in self._grants]
        for name, share in _SHARES:
            exchange = self.exchanges[name]
            tasks += (("payment", [Payment(exchange.main, _HOT_COIN_SAT)]) for _ in range(_HOT_COINS))
            for number in range(_EXCHANGE_DEPOSITS * share // 100):
                script = self.miners[number % len(self.miners)].selling_script(exchange)
                tasks.append(("deposit", [Payment(script, _EXCHANGE_DEPOSIT_SAT)]))
        tasks += (("payout", batch) for batch in self._first_coins())
        tasks += (("payout", batch) for batch in self._first_money_of_people())
        stream.shuffle(tasks)
        span = _LAST_GRANT - _FIRST_GRANT
        for place, (kind, payments) in enumerate(tasks):
            self.schedule(_FIRST_GRANT + place * span // len(tasks), self._granting(kind, payments))

    def _granting(self, kind: str, payments: Sequence[Payment]) -> Action:
        def grant() -> None:
            miner = max(self.miners, key=lambda each: each.wallet.balance_sat)
            if miner.send(payments, kind) is None:
                self.schedule(self.world.chain.height + 1, grant)

        return grant

    def _first_coins(self) -> list[list[Payment]]:
        """What services begin with, a service a batch."""
        world, stream = self.world, self._stream
        wallets = [(self.gamblers[name].bank, 16, 250_000_000) for name in ("LuckyDice", "EvenOdds", "RedBlack")]
        wallets += [(self.mixer.pool, 40, 600_000_000), (self.processor.wallet, 4, 100_000_000)]
        wallets += [(self.dealer.wallet, 20, 1_000_000_000), (self.background.duster, 3, 5_000_000)]
        batches = [
            [Payment(world.new_script(wallet), mean * stream.between(50, 150) // 100) for _ in range(count)]
            for wallet, count, mean in wallets
        ]
        batches.append([Payment(each, stream.heavy(2_000_000, 60_000_000)) for each in self.merchant.addresses[:12]])
        return batches

    def _first_money_of_people(self) -> list[list[Payment]]:
        """What three of ten people have been paid by miners, in batches."""
        lucky = [person for person in self.people.everybody if self._stream.chance(3, 10)]
        payments = [
            Payment(self.world.new_script(person.wallet), person.target_sat * self._stream.between(20, 150) // 100)
            for person in lucky
        ]
        return [payments[start : start + 30] for start in range(0, len(payments), 30)]

    def _members(self, count: int) -> list[Script]:
        """Scripts of people who mine in a pool: always the same tenth of them."""
        pool = self.people.everybody[:: max(1, len(self.people.everybody) // max(10, len(self.people.everybody) // 10))]
        return [self.world.receive_script(person.wallet) for person in pool[:count]]

    def _plan_lucky_bets(self) -> None:
        """As many bets as the market has payments, spread over as many weeks."""
        first = WEEK
        for _ in range(self.scale.used_addresses):
            week = self._stream.below(self.scale.market_weeks)
            self.at_time(first + week * WEEK + self._stream.below(WEEK), self.people.lucky_bet)
