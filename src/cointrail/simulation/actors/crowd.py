"""Those who mix, and the dealer who keeps the economy liquid.

A member of the crowd has a wallet of its own for mixing, filled from an exchange before it is needed, so a round never
fails for want of participants. The dealer moves coins between exchanges that run short and lends where a round needs
more than the crowd has at the moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.actors.exchanges import Account, Exchange, OnSent
from cointrail.simulation.actors.shops import gather
from cointrail.simulation.agenda import DAY, HOUR, Agenda
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.transactions import Coin
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import Entity, Payment, Sent, World

Joining = tuple[Wallet, Sequence[Coin]]
"""A participant of a round: a wallet and coins of it."""

_LEAST_COIN_SAT = 50_000
_KEPT_COINS = {"wasabi": 5, "joinmarket": 3, "whirlpool": 2}
_MANY_COINS = 60  # from here on half of them are merged and go home: mixed coins of one owner, seen together
_HELD_SAT = {"wasabi": 90_000_000, "joinmarket": 120_000_000, "whirlpool": 40_000_000}
_DEALER_SAT = 20_000_000_000
_LEAST_SHARE = 50  # percent of its usual share below which an exchange is helped, once a day


class Dealer:
    """Somebody with much money and accounts everywhere.

    Args:
        world, agenda: where and when.
        exchanges: with the share in % of all exchanges' money that each usually holds.
        parameters: the economy's habits.
    """

    def __init__(
        self, world: World, agenda: Agenda, exchanges: Sequence[tuple[Exchange, int]], parameters: Parameters
    ) -> None:
        self.world, self.agenda = world, agenda
        self.entity = world.add_entity("Ketch", "person", "XA")
        self.wallet = world.add_wallet(self.entity, parameters.model("dealer"), "Ketch", keep_scripts=False)
        self._exchanges = [(each, share, each.open_account(self.entity)) for each, share in exchanges]
        self._coming = False
        self._helped: dict[str, int] = {}
        agenda.every(3 * HOUR, 3 * HOUR, self._balance)

    def lend(self, wanted: Sequence[tuple[Wallet, int]]) -> list[Coin]:
        """Pay wallets these amounts at once, each to a new P2WPKH script; the coins in the same order."""
        scripts = [self.world.new_script(wallet, kind=ScriptType.P2WPKH) for wallet, _ in wanted]
        payments = [Payment(script, value) for script, (_, value) in zip(scripts, wanted, strict=True)]
        sent = self.world.pay(self.wallet, payments, "payment")
        assert sent is not None, "the dealer has run dry"
        places = {payment.script.number: place for place, payment in enumerate(sent.outputs)}
        return [sent.coin(places[script.number]) for script in scripts]

    def _balance(self) -> None:
        """Help the exchange that is shortest, and itself."""
        reserves = [(each, each.reserve_sat, share, account) for each, share, account in self._exchanges]
        total = sum(reserve for _, reserve, _, _ in reserves)
        if not total:
            return
        rich = max(reserves, key=lambda entry: entry[1] * 100 // entry[2])
        poor = min(reserves, key=lambda entry: entry[1] * 100 // entry[2])
        due = self._helped.get(poor[0].name, -DAY) <= self.agenda.now - DAY
        if due and poor[1] * 100 < total * poor[2] // 100 * _LEAST_SHARE:
            amount = min(total * poor[2] // 100 - poor[1], rich[1] - total * rich[2] // 100)
            if amount > 0:
                self._helped[poor[0].name] = self.agenda.now
                rich[0].withdraw(rich[3], poor[0].deposit_script(poor[3]), amount)
        if self.wallet.balance_sat < _DEALER_SAT // 2 and not self._coming:
            self._coming = True
            script = self.world.new_script(self.wallet)
            rich[0].withdraw(rich[3], script, _DEALER_SAT // 2, on_sent=lambda sent, vout: self._arrived())

    def _arrived(self) -> None:
        self._coming = False


@dataclass(slots=True, eq=False)
class Member:
    """Somebody who mixes.

    Attributes:
        entity: who; home: the everyday wallet; exchange, account: where the money comes from.
        mixing: the wallet that joins; pool: of Whirlpool's members, the one with coins before and after mixing.
        coming: withdrawals on their way to `mixing`.
    """

    entity: Entity
    home: Wallet
    exchange: Exchange
    account: Account
    mixing: Wallet
    pool: Wallet
    coming: int = 0


class Crowd:
    """The members of the three groups: wasabi, joinmarket, whirlpool.

    Args:
        world, agenda: where and when.
        dealer: lends.
        parameters: the economy's habits.
    """

    def __init__(self, world: World, agenda: Agenda, dealer: Dealer, parameters: Parameters) -> None:
        self.world, self.dealer = world, dealer
        self.members: dict[str, list[Member]] = {"wasabi": [], "joinmarket": [], "whirlpool": []}
        self._model = parameters.model("mixing")
        self._stream = world.stream("crowd")
        agenda.every(8 * HOUR, DAY, self._top_up)

    def add(self, group: str, entity: Entity, home: Wallet, exchange: Exchange, account: Account) -> Member:
        """Give somebody a wallet for mixing."""
        mixing = self.world.add_wallet(entity, self._model, f"{home.name} {group}", keep_scripts=False)
        pool = mixing
        if group == "whirlpool":
            pool = self.world.add_wallet(entity, self._model, f"{home.name} pool", keep_scripts=False)
        member = Member(entity, home, exchange, account, mixing, pool)
        self.members[group].append(member)
        return member

    def draw(self, group: str, inputs: Sequence[int], least_sat: int, without: Iterable[Wallet] = ()) -> list[Joining]:
        """Members of a group who join with so many coins each, together at least `least_sat` each.

        Args:
            group: whose members.
            inputs: how many coins each brings; fewer members answer if the group is smaller.
            least_sat: what each brings at least.
            without: wallets that take part already.
        """
        taken = {wallet.number for wallet in without}
        members = [each for each in self.members[group] if each.mixing.number not in taken]
        self._stream.shuffle(members)
        joining: list[tuple[Wallet, list[Coin]]] = []
        missing: list[tuple[int, int]] = []
        for place, (member, count) in enumerate(zip(members, inputs, strict=False)):
            coins = self._some(member.mixing, count, least_sat)
            short = least_sat - sum(coin.value_sat for coin in coins)
            if short > 0:
                missing.append((place, short + self._stream.heavy(100_000, 20_000_000)))
            wanted = count - len(coins) - (short > 0)
            missing += ((place, self._stream.heavy(300_000, 30_000_000)) for _ in range(wanted))
            joining.append((member.mixing, coins))
        if missing:
            lent = self.dealer.lend([(joining[place][0], value) for place, value in missing])
            for (place, _), coin in zip(missing, lent, strict=True):
                joining[place][1].append(coin)
        return list(joining)

    def _some(self, wallet: Wallet, count: int, least_sat: int) -> list[Coin]:
        """Random coins of a wallet, more than `count` of them only if they would not be enough."""
        coins = [coin for coin in wallet.coins.values() if coin.value_sat >= _LEAST_COIN_SAT]
        self._stream.shuffle(coins)
        chosen, rest = coins[:count], coins[count:]
        for coin in rest:
            if sum(each.value_sat for each in chosen) >= least_sat:
                break
            smallest = min(range(len(chosen)), key=lambda place: chosen[place].value_sat)
            if coin.value_sat > chosen[smallest].value_sat:
                chosen[smallest] = coin
        return chosen

    def _top_up(self) -> None:
        """Withdraw from the exchanges for those who have too few coins to mix; who has too many merges some."""
        for group, members in self.members.items():
            wanted, held = _KEPT_COINS[group], _HELD_SAT[group]
            for member in members:
                if len(member.mixing.coins) > _MANY_COINS:
                    coins = list(member.mixing.coins.values())[: _MANY_COINS // 2]
                    gather(self.world, member.mixing, coins, self.world.receive_script(member.home), "consolidation")
                if member.coming or (len(member.mixing.coins) >= wanted and member.mixing.balance_sat >= held // 3):
                    continue
                for _ in range(max(1, wanted - len(member.mixing.coins))):
                    value = self._stream.heavy(max(held // 40, 300_000), held)
                    script = self.world.new_script(member.mixing)
                    member.coming += 1
                    member.exchange.withdraw(member.account, script, value, on_sent=self._arrival(member))

    @staticmethod
    def _arrival(member: Member) -> OnSent:
        def arrived(sent: Sent, vout: int) -> None:
            member.coming -= 1

        return arrived
