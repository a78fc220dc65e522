"""Ordinary people: they pay each other, shop, bet, buy and sell bitcoin, tidy up, and now and then mix.

Everybody has a wallet of one of the models and an account at one or two exchanges. Whoever runs dry withdraws from an
exchange; whoever has too much sells there. A background block is filled by asking random people to act.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cointrail.simulation.actors.crowd import Crowd, Member
from cointrail.simulation.actors.exchanges import Account, Exchange
from cointrail.simulation.actors.gambling import Gambler
from cointrail.simulation.actors.mixer import LEAST_SAT, Mixer
from cointrail.simulation.actors.shops import Merchant, Processor, gather
from cointrail.simulation.actors.whirlpool import POOL_FEES
from cointrail.simulation.agenda import Agenda
from cointrail.simulation.keys import Script
from cointrail.simulation.models import WalletModel
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.prices import PriceCurve, market_amount_sat
from cointrail.simulation.scale import Scale
from cointrail.simulation.stream import Stream
from cointrail.simulation.wallet import DUST_SAT, Choice, Wallet
from cointrail.simulation.world import Entity, Payment, Sent, World

COUNTRIES = ("XA", "XB", "XC", "XD", "XE", "XF", "XG", "XH")

_RICH = 3  # times the target, beyond which people sell
_TIDY_COINS = 9  # coins from which on a wallet is tidied
_MOST_TIDIED = 60
_FEW_COINS = 6  # coins up to which a wallet may be emptied at once
_MAY_EMPTY = ("payment", "deposit")
_CROWDED = 60  # coins from which on whoever acts tidies first
_EXCHANGE_SHARES = (("Alpha", 50), ("Beta", 30), ("Gamma", 20))
_GROUPS = (("wasabi", 16, 5), ("joinmarket", 10, 10), ("whirlpool", 10, 8))
"""Group of the crowd, members it has at least, and one in how many people joins beyond that."""
_LARGEST_GROUP = 120
_MOST_PEOPLE, _MOST_DAILY = 3_000, 10_000
"""People, and transactions a day, from which on everybody holds and moves less."""


_FIRST = ("Abra", "Belo", "Cira", "Dovan", "Elke", "Faro", "Gisa", "Halin", "Ivo", "Jorna", "Kessa", "Lorin", "Mavi",
          "Nerro", "Olin", "Pira", "Quen", "Rasmo", "Selva", "Tavo", "Ulrin", "Veda", "Wenno", "Xandra", "Yoris",
          "Zella", "Arvo", "Brisa", "Corin", "Delfa")  # fmt: skip
_LAST = ("Mer", "Tol", "Bran", "Kast", "Vel", "Dor", "Lin", "Har", "Sol", "Pen", "Gar", "Rov", "Fen", "Nar", "Qui")
_MIDDLE = ("ri", "na", "do", "le", "mo", "ta", "sha", "vi", "ke", "ba", "lu", "zo", "pe", "hu", "ga", "wi", "ny", "cro",
           "dra", "fle")  # fmt: skip
_ENDING = ("n", "s", "k", "ll", "m", "r", "nd", "x", "th", "v", "sk", "lt", "rn", "ck", "ss", "nn", "tz", "dt", "st",
           "ng", "mp", "rt", "rk", "ld", "ff", "zz", "ch", "sh", "ph", "gh", "rd", "ls", "ns", "ks", "ts", "ms", "rs",
           "lls", "nds", "xt", "ths", "vs", "sks", "lts", "rns", "cks")  # fmt: skip


@dataclass(slots=True, eq=False)
class Person:
    """Somebody.

    Attributes:
        entity: who; wallet: where the money is.
        exchange, account: where bitcoin are bought and sold.
        target_sat: what the person likes to hold.
        coming: True while a withdrawal is on its way.
        member: of the crowd that mixes, or None.
    """

    entity: Entity
    wallet: Wallet
    exchange: Exchange
    account: Account
    target_sat: int
    coming: bool = False
    member: Member | None = None

    def arrived(self, sent: Sent, vout: int) -> None:
        """Told that a withdrawal was sent."""
        self.coming = False


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where people's money goes."""

    exchanges: Mapping[str, Exchange]
    merchant: Merchant
    processor: Processor
    gamblers: Mapping[str, Gambler]
    mixer: Mixer
    crowd: Crowd


class People:
    """All ordinary people.

    Args:
        world, agenda: where and when.
        scale: how many they are and how much happens.
        places: where their money goes.
        prices: what a bitcoin costs.
        parameters: the economy's habits.
    """

    def __init__(
        self, world: World, agenda: Agenda, scale: Scale, places: Places, prices: PriceCurve, parameters: Parameters
    ) -> None:
        count = scale.people
        self.world, self.agenda, self.places, self.prices = world, agenda, places, prices
        self._stream = world.stream("people")
        self._least = parameters.least_payment_sat
        # A chain of some years' supply cannot feed any number of people, nor any number of payments a day.
        daily = scale.transactions // (7 * scale.weeks)
        permille = min(1_000, 1_000 * _MOST_PEOPLE // count, 1_000 * _MOST_DAILY // max(daily, 1))
        low, high = (max(each * permille // 1_000, 10 * self._least) for each in parameters.target_sat)
        models = parameters.models
        self.everybody = [self._person(number, models[number % len(models)], low, high) for number in range(count)]
        self._active = self.everybody[: max(8, count * parameters.active_percent // 100)]
        places.processor.sellers += [each.wallet for each in self.everybody[2::5]]
        self._join_crowd()
        acts: dict[str, Callable[[Person], Sent | None]] = {
            "pay": self._pay,
            "shop": self._shop,
            "invoice": self._invoice,
            "deposit": self._deposit,
            "bet": self._bet,
            "withdraw": self._withdraw,
            "tidy": self._tidy,
            "move": self._move,
            "mix": self._mix,
            "spend_mixed": self._spend_mixed,
        }
        self._acts = [acts[name] for name, weight in parameters.actions.items() for _ in range(weight)]
        for exchange in places.exchanges.values():
            exchange.invite = self._inviter(exchange)

    def _person(self, number: int, model: WalletModel, low: int, high: int) -> Person:
        world, stream = self.world, self._stream
        entity = world.add_entity(invented_name(number), "person", stream.pick(COUNTRIES))
        wallet = world.add_wallet(entity, model, f"person {number}", keep_scripts=False)
        exchange = self.places.exchanges[stream.weighted(_EXCHANGE_SHARES)]
        return Person(entity, wallet, exchange, exchange.open_account(entity), stream.heavy(low, high))

    def _join_crowd(self) -> None:
        """Every third person or so mixes; with few people, enough of them to fill a round."""
        people = list(self.everybody)
        self._stream.shuffle(people)
        for group, least, one_in in _GROUPS:
            for _ in range(min(max(least, len(self.everybody) // one_in), _LARGEST_GROUP)):
                person = people.pop()
                exchange, account = person.exchange, person.account
                person.member = self.places.crowd.add(group, person.entity, person.wallet, exchange, account)

    def _inviter(self, exchange: Exchange) -> Callable[[int], None]:
        customers = [each for each in self.everybody if each.exchange is exchange]

        def invite(count: int) -> None:
            for _ in range(count):
                self._buy(self._stream.pick(customers))

        return invite

    # What others ask of people.

    def somebody(self, stream: Stream) -> Person:
        """One of them, by the choice of that stream."""
        return stream.pick(self.everybody)

    def payee(self, stream: Stream) -> Script:
        """Where somebody is paid next."""
        return self.world.receive_script(self.somebody(stream).wallet)

    def begin(self, within: int) -> None:
        """Everybody who has nothing buys some within that many seconds from the end of the prelude."""
        for person in self.everybody:
            self.agenda.at_time(self._stream.below(within), self._beginning(person))

    def _beginning(self, person: Person) -> Callable[[], None]:
        def buy() -> None:
            if not person.wallet.coins:
                self._withdraw(person)

        return buy

    def act(self) -> None:
        """Somebody does something; mostly it makes a transaction."""
        stream = self._stream
        person = stream.pick(self._active) if stream.chance(6, 7) else stream.pick(self.everybody)
        if len(person.wallet.coins) > _CROWDED:
            self._tidy(person)
        else:
            stream.pick(self._acts)(person)

    def lucky_bet(self) -> None:
        """Somebody bets at the market's double; who has too little buys some, and somebody else bets tomorrow."""
        amount = market_amount_sat(self._stream, self.prices, self.agenda.now)
        site = self.places.gamblers["LuckyDice"]
        for _ in range(6):
            person = self.somebody(self._stream)
            if person.wallet.balance_sat > amount * 11 // 10 and self._bet_at(person, site, amount):
                return
            self._withdraw(person)
        self.agenda.after(86_400, self.lucky_bet)

    # What people do. Each returns what was sent, if anything was.

    def _amount(self, person: Person, most: int = 1 << 62) -> int:
        """How much somebody pays, 0 if there is too little: then some is bought."""
        have, least = person.wallet.balance_sat, self._least
        if have < 3 * least:
            self._withdraw(person)
            return 0
        amount = self._stream.heavy(least, max(least, min(have * 6 // 10, most)))
        return _rounded(amount) if self._stream.chance(person.wallet.model.round_percent, 100) else amount

    def _send(self, person: Person, script: Script, amount: int, kind: str) -> Sent | None:
        wallet = person.wallet
        if len(wallet.coins) <= _FEW_COINS and self._stream.chance(wallet.model.sends_max_percent, 100):
            coins = [coin for coin in wallet.coins.values() if coin.value_sat >= self._least // 10]
            if coins and kind in _MAY_EMPTY:
                return gather(self.world, wallet, coins, script, kind)
        sent = self.world.pay(wallet, (Payment(script, amount),), kind)
        if sent is None:
            self._withdraw(person)
        return sent

    def _pay(self, person: Person) -> Sent | None:
        amount = self._amount(person)
        if not amount:
            return None
        return self._send(person, self.payee(self._stream), amount, "payment")

    def _shop(self, person: Person) -> Sent | None:
        amount = self._amount(person, 8_000_000)
        return self._send(person, self.places.merchant.pay_script(), amount, "payment") if amount else None

    def _invoice(self, person: Person) -> Sent | None:
        amount = self._amount(person, 30_000_000)
        return self._send(person, self.places.processor.invoice(), amount, "payment") if amount else None

    def _deposit(self, person: Person) -> Sent | None:
        have = person.wallet.balance_sat
        rich = have > _RICH * person.target_sat
        amount = have - person.target_sat if rich else self._amount(person)
        if not amount:
            return None
        return self._send(person, person.exchange.deposit_script(person.account), amount, "deposit")

    def _bet(self, person: Person) -> Sent | None:
        amount = self._amount(person, 20_000_000)
        if not amount:
            return None
        name = "EvenOdds" if self._stream.chance(2, 3) else "RedBlack"
        return self._bet_at(person, self.places.gamblers[name], amount)

    def _bet_at(self, person: Person, site: Gambler, amount: int) -> Sent | None:
        script = site.bet_script()
        sent = self._send(person, script, amount, "bet")
        if sent is not None:
            vout = next(place for place, each in enumerate(sent.outputs) if each.script is script)
            back = sent.inputs[0].script if site.pays_sender else self.world.receive_script(person.wallet)
            site.bet(sent.coin(vout), back)
        return sent

    def _withdraw(self, person: Person) -> Sent | None:
        if not person.coming:
            self._buy(person)
        return None

    def _buy(self, person: Person) -> None:
        person.coming = True
        value = person.target_sat * self._stream.between(15, 120) // 100
        if self._stream.chance(1, 2):
            value = _rounded(value)
        script = self.world.receive_script(person.wallet)
        person.exchange.withdraw(person.account, script, value, on_sent=person.arrived)

    def _tidy(self, person: Person) -> Sent | None:
        wallet = person.wallet
        if len(wallet.coins) < _TIDY_COINS:
            return self._pay(person)
        coins = list(wallet.coins.values())[:_MOST_TIDIED]
        return gather(self.world, wallet, coins, self.world.receive_script(wallet), "consolidation")

    def _move(self, person: Person) -> Sent | None:
        wallet = person.wallet
        if not wallet.coins:
            return self._withdraw(person)
        coin = self._stream.pick(list(wallet.coins.values()))
        return gather(self.world, wallet, [coin], self.world.new_script(wallet), "self_transfer")

    def _mix(self, person: Person) -> Sent | None:
        amount = self._amount(person, 100_000_000)
        if amount < LEAST_SAT:
            return None
        mixer = self.places.mixer
        script = mixer.deposit_script(person.entity.entity_id, self.world.new_script(person.wallet))
        return self._send(person, script, amount, "mixer_in")

    def _spend_mixed(self, person: Person) -> Sent | None:
        member = person.member
        if member is None:
            return self._pay(person)
        payee = self.payee(self._stream)
        if member.pool is not member.mixing:
            return self._spend_pool(member, payee)
        have = member.mixing.balance_sat
        if have < 6 * self._least:
            return None
        payment = Payment(payee, self._stream.heavy(self._least, have // 4))
        return self.world.pay(member.mixing, [payment], "payment")

    def _spend_pool(self, member: Member, payee: Script) -> Sent | None:
        """Pay from one to three mixed coins; the change goes to the wallet that is not for mixed coins."""
        mixed = [coin for coin in member.pool.coins.values() if coin.value_sat in POOL_FEES]
        if not mixed:
            return None
        coins = mixed[: self._stream.between(1, 3)]
        total = sum(coin.value_sat for coin in coins)
        value = total * self._stream.between(30, 90) // 100
        fee = self.world.fee_level * (90 + 68 * len(coins))
        change = total - value - fee
        if change < DUST_SAT:
            return None
        back = self.world.new_script(member.mixing, "change")
        choice = Choice(coins, fee, change)
        return self.world.send_choice(member.mixing, choice, [Payment(payee, value)], "payment", change_script=back)


def invented_name(number: int) -> str:
    """A person's name that nobody has, different for every number below 400,000."""
    number, first = divmod(number, len(_FIRST))
    number, last = divmod(number, len(_LAST))
    number, middle = divmod(number, len(_MIDDLE))
    return f"{_FIRST[first]} {_LAST[last]}{_MIDDLE[middle]}{_ENDING[number % len(_ENDING)]}"


def _rounded(amount: int) -> int:
    unit: int = 10 ** (len(str(amount)) - 2)
    return amount // unit * unit
