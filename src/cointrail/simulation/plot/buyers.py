"""Who buys at Bazaar, when, and by which route; the agency's three test purchases; who pays R1 and R2.

The shares of SCENARIO.md 3 hold twice: for the buyers, each of whom keeps to one route, and for the payments to fresh
addresses. Everything is decided here before the economy runs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.agenda import DAY, HOUR
from cointrail.simulation.chain import START_TIME
from cointrail.simulation.economy import Economy
from cointrail.simulation.models import WalletModel
from cointrail.simulation.plot.addresses import Deposit
from cointrail.simulation.plot.market import Calendar, Market
from cointrail.simulation.plot.records import COUNTRIES, Names, User
from cointrail.simulation.plot.routes import (
    DIRECT,
    LONGEST_STEP,
    MIXER,
    ONE_HOP,
    PEEL,
    PROTOCOLS,
    UNHOSTED,
    Buyer,
    Routes,
)
from cointrail.simulation.scale import Scale
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import Entity

ROUTES = ((DIRECT, 60), (ONE_HOP, 20), (PEEL, 10), (MIXER, 5), (UNHOSTED, 5))
EXCHANGES = (("Alpha", 50), ("Beta", 30), ("Gamma", 20))

PURCHASE_WEEKS = (3, 9, 15)
_STEPS = (12, 20)
_PEELS_TO_MARKET = (3, 8)
_PAYMENTS_OF_ROUND = (1, 3)
_VISITORS = 3  # registered users who never pay, for each who does
_AGENCY_SAT = 150_000_000
_PERSON_SAT = 5_000_000  # what the unhosted hold beyond what they spend here


@dataclass(frozen=True, slots=True)
class _Visit:
    """Something a buyer starts at a time, in seconds after the prelude."""

    time: int
    buyer: Buyer
    begin: Callable[[], None]


class Buyers:
    """The buyers' and the agency's plans.

    Args:
        economy: everybody else.
        market, calendar: what they buy from.
        routes: how they pay.
        scale: how many they are.
        models: of their wallets.
        names: for them.

    Attributes:
        agency: the entity; buyers: all buyers; users: everybody registered at the market.
        test_deposits: address of each test purchase that was made so far, by its number.
        returning: R1 and R2, once they were paid.
    """

    def __init__(
        self,
        economy: Economy,
        market: Market,
        calendar: Calendar,
        routes: Routes,
        scale: Scale,
        models: Sequence[WalletModel],
        names: Names,
    ) -> None:
        self._economy, self._world, self._market, self._calendar = economy, economy.world, market, calendar
        self._routes, self._scale, self._models, self._names = routes, scale, models, names
        self._stream = self._world.stream("buyers")
        self._items = 0
        self._visits: list[_Visit] = []
        self.users: list[User] = []
        self.test_deposits: dict[int, Deposit] = {}
        self.returning: dict[int, Deposit] = {}
        self.buyers = self._new_buyers()
        self.agency = self._world.add_entity("Agency", "agency", "XA")
        self._agents = self._new_agents()

    def start(self) -> None:
        """Plan all payments and put them on the agenda."""
        fresh = self._scale.used_addresses - 2 - len(PURCHASE_WEEKS)
        plans = {
            DIRECT: self._direct, ONE_HOP: self._one_hop, PEEL: self._peel, MIXER: self._mixer,
            UNHOSTED: self._unhosted,
        }  # fmt: skip
        for route, count in shares(fresh, ROUTES):
            plans[route]([buyer for buyer in self.buyers if buyer.route == route], count)
        self._return()
        self._test()
        self._visits.sort(key=lambda visit: visit.time)
        self._register()
        for visit in self._visits:
            self._economy.at_time(visit.time, visit.begin)

    # People.

    def _new_buyers(self) -> list[Buyer]:
        routes = [route for route, count in shares(self._scale.buyers, ROUTES) for _ in range(count)]
        hosted = sum(route != UNHOSTED for route in routes)
        exchanges = [name for name, count in shares(hosted, EXCHANGES) for _ in range(count)]
        self._stream.shuffle(routes)
        self._stream.shuffle(exchanges)
        buyers = []
        for route in routes:
            entity = self._world.add_entity(self._names.person(), "buyer", self._stream.pick(COUNTRIES))
            accounts = []
            if route != UNHOSTED:
                accounts.append(self._economy.exchanges[exchanges.pop()].open_account(entity))
            buyers.append(Buyer(entity, route, accounts, self._new_wallet(entity, route)))
        self._refine(buyers)
        return buyers

    def _new_wallet(self, entity: Entity, route: str) -> Wallet:
        models = self._models
        if route == MIXER:
            models = [model for model in models if model.script_type is ScriptType.P2WPKH]
        return self._world.add_wallet(entity, self._stream.pick(models), f"{entity.name} {entity.entity_id}")

    def _new_agents(self) -> tuple[Buyer, Buyer]:
        """The agency as it pays from its account, and as it pays from its wallet."""
        wallet = self._new_wallet(self.agency, UNHOSTED)
        self._economy.grant(self._world.new_script(wallet), _AGENCY_SAT)
        account = self._economy.exchanges["Alpha"].open_account(self.agency)
        return Buyer(self.agency, DIRECT, [account], wallet), Buyer(self.agency, UNHOSTED, [], wallet)

    def _refine(self, buyers: list[Buyer]) -> None:
        """Some one-hop buyers have a second account; half of the mixer users, rounded up, use CoinJoins."""
        hoppers = [buyer for buyer in buyers if buyer.route == ONE_HOP]
        for buyer in hoppers[: max(1, len(hoppers) // 4)]:
            others = [name for name, _ in EXCHANGES if name != buyer.accounts[0].exchange]
            buyer.accounts.append(self._economy.exchanges[self._stream.pick(others)].open_account(buyer.entity))
        mixers = [buyer for buyer in buyers if buyer.route == MIXER]
        for number, buyer in enumerate(mixers[: (len(mixers) + 1) // 2]):
            buyer.protocol = PROTOCOLS[number % len(PROTOCOLS)]

    def _register(self) -> None:
        """Give everybody who pays, and others, a number at the market, by when they registered."""
        first: dict[int, int] = {}
        for visit in self._visits:
            first.setdefault(visit.buyer.entity.entity_id, visit.time)
        opens, closes = self._calendar.opens, self._calendar.closes
        people = [(max(time - self._stream.between(HOUR, 12 * DAY), opens), entity) for entity, time in first.items()]
        people += [(self._stream.between(opens, closes), -1) for _ in range(_VISITORS * len(first))]
        numbers: dict[int, int] = {}
        for user_id, (time, entity_id) in enumerate(sorted(people), start=1):
            self.users.append(User(user_id, self._names.user(), START_TIME + time, entity_id))
            numbers[entity_id] = user_id
        self._market.registered = [user.created for user in self.users]
        for buyer in (*self.buyers, *self._agents):
            buyer.user_id = numbers[buyer.entity.entity_id]

    # Plans.

    def _some_time(self, lead: int, tail: int) -> int:
        """When something starts, so that payments about `lead` later are spread evenly and none is in the `tail`."""
        calendar = self._calendar
        hours = (calendar.closes - calendar.opens - tail) // HOUR
        return max(calendar.opens, calendar.opens + self._stream.below(hours) * HOUR - lead)

    def _visit(self, time: int, buyer: Buyer, perform: Callable[..., object], *what: object) -> None:
        def begin() -> None:
            perform(buyer, *what)

        self._visits.append(_Visit(time, buyer, begin))

    def _item(self) -> int:
        self._items += 1
        return self._items

    def _spread(self, sure: Sequence[Buyer], others: Iterable[Buyer], count: int) -> list[Buyer]:
        """Who makes each of so many payments: the sure ones one each, the rest by chance, some people often."""
        weights = [(buyer, self._stream.heavy(1, 16)) for buyer in (*sure, *others)]
        return [*sure[:count], *(self._stream.weighted(weights) for _ in range(count - len(sure)))]

    def _direct(self, buyers: list[Buyer], count: int) -> None:
        for buyer in self._spread(buyers, (), count):
            self._visit(self._some_time(0, 30 * HOUR), buyer, self._routes.direct, self._item())

    def _one_hop(self, buyers: list[Buyer], count: int) -> None:
        """One payment in ten, rounded up, is funded by two exchanges."""
        double = [buyer for buyer in buyers if len(buyer.accounts) == 2]
        single = [buyer for buyer in buyers if len(buyer.accounts) == 1]
        twice = -(-count // 10)
        plan = [(double[number % len(double)], 2) for number in range(twice)]
        plan += [(buyer, 1) for buyer in self._spread(single, double, count - twice)]
        for buyer, accounts in plan:
            wait = self._stream.between(2 * HOUR, 3 * DAY)
            time = self._some_time(wait, 2 * DAY)
            self._visit(time, buyer, self._routes.one_hop, self._item(), wait, buyer.accounts[:accounts])

    def _peel(self, buyers: list[Buyer], count: int) -> None:
        sizes = self._sizes(count, *_PEELS_TO_MARKET)
        for buyer, size in zip(self._spread(buyers, (), len(sizes)), sizes, strict=True):
            steps = self._stream.between(*_STEPS)
            places = list(range(steps - 1))
            self._stream.shuffle(places)
            to_market = {*places[: size - 1], steps - 1}
            items = [self._item() if place in to_market else None for place in range(steps)]
            time = self._some_time(0, 2 * DAY + (steps + 1) * LONGEST_STEP)
            self._visit(time, buyer, self._routes.peel, items)

    def _mixer(self, buyers: list[Buyer], count: int) -> None:
        """Half of the payments, rounded up, through CoinJoins, the others through Fog."""
        sizes = self._sizes((count + 1) // 2, *_PAYMENTS_OF_ROUND)
        mixing = [buyer for buyer in buyers if buyer.protocol]
        for buyer, size in zip(self._spread(mixing, (), len(sizes)), sizes, strict=True):
            items = [self._item() for _ in range(size)]
            self._visit(self._some_time(3 * DAY, 7 * DAY), buyer, self._routes.coinjoin, items)
        for buyer in self._spread([buyer for buyer in buyers if not buyer.protocol], (), count // 2):
            self._visit(self._some_time(3 * DAY, 7 * DAY), buyer, self._routes.fog, self._item())

    def _unhosted(self, buyers: list[Buyer], count: int) -> None:
        needed = [(buyer, self._item()) for buyer in self._spread(buyers, (), count)]
        for buyer, item in needed:
            self._visit(self._some_time(0, HOUR), buyer, self._routes.unhosted, item)
        for buyer in buyers:
            total = sum(self._routes.price(item, later=True) for each, item in needed if each is buyer)
            for _ in range(2):
                self._economy.grant(self._world.new_script(buyer.wallet), total // 2 + _PERSON_SAT)

    def _sizes(self, count: int, low: int, high: int) -> list[int]:
        """Parts of a number, each from low to high but perhaps for the last."""
        sizes = []
        while count:
            size = min(self._stream.between(low, high), count)
            sizes.append(size)
            count -= size
        return sizes

    def _return(self) -> None:
        """Two buyers come back to an address they know: R1 and R2."""
        known = [buyer for buyer in self.buyers if buyer.route == DIRECT and buyer.accounts[0].exchange == "Beta"]
        for half in (0, 1):
            buyer = known[half]
            for number in self._calendar.returns(half):
                begin, end = self._calendar.period(number)
                time = self._stream.between(begin + 12 * HOUR, end - 3 * DAY)
                self._visit(time, buyer, self._come_back, half, self._item())

    def _come_back(self, buyer: Buyer, half: int, item: int) -> None:
        deposit = self._routes.direct(buyer, item, deposit=self.returning.get(half))
        self.returning[half] = deposit
        self._market.hold_back(deposit.script)

    def _test(self) -> None:
        """The agency buys once from its account and twice from its wallet."""
        for number, week in enumerate(PURCHASE_WEEKS, start=1):
            time = self._calendar.week(week) + self._stream.between(DAY, 5 * DAY)
            self._visit(time, self._agents[number > 1], self._purchase, number, self._item())

    def _purchase(self, agent: Buyer, number: int, item: int) -> None:
        label = f"undercover-{number}"
        if agent.accounts:
            deposit = self._routes.direct(agent, item, label=label)
        else:
            deposit = self._routes.unhosted(agent, item, kind="undercover", label=label)
        self.test_deposits[number] = deposit
        self._market.hold_back(deposit.script)


def shares(total: int, weights: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Divide a number in proportion to weights of 100 together, by largest remainder."""
    counts = [total * weight // 100 for _, weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-(total * weights[place][1] % 100), place))
    for place in order[: total - sum(counts)]:
        counts[place] += 1
    return [(name, count) for (name, _), count in zip(weights, counts, strict=True)]
