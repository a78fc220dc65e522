"""Exchanges: accounts, deposit scripts, sweeps, hot and cold wallets, withdrawals (SCENARIO.md 3).

Each exchange's hot wallet has a few scripts that stay and change that may go to new ones. It is one component under
co-spending: a hot script is first spent together with one that is linked to the main script already, and the shapes
sent never look like a CoinJoin (METHODS.md 3.2): at most two outputs of a batch are equal, and never more than nine
inputs stand beside several outputs.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from cointrail.simulation.agenda import DAY, HOUR, Agenda
from cointrail.simulation.keys import Script
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.transactions import INPUT_WEIGHT, OUTPUT_VSIZE, OVERHEAD_WEIGHT, Coin
from cointrail.simulation.wallet import Choice, Wallet, feerate_of
from cointrail.simulation.world import Entity, Payment, Sent, World

OnSent = Callable[[Sent, int], None]
"""Told the transaction and the output number when a withdrawal was sent."""

LEAST_DEPOSIT_SAT = 20_000
"""Smaller deposits stay where they are: sweeping them would cost too much."""

_WINDOW = 250  # hot coins that are looked at; consolidation keeps them fewer
_MANY = 150  # hot coins after which they are consolidated, and inputs of one consolidation
_SWEEP_INPUTS = 150
_MOST_UNSWEPT = 1_000  # deposits after which no exchange waits for its hour: no scenario has so many a day
_MOST_INPUTS = 9
_SMALLEST_BATCH, _LARGEST_BATCH = 5, 40
_MOST_EQUAL = 2
_PATIENCE = 12 * HOUR
_FEW_COINS = 8  # hot coins below which a sweep makes two of one


@dataclass(slots=True, eq=False)
class Account:
    """A customer's account. `deposit` is its deposit script, the latest one at Gamma."""

    account_id: str
    exchange: str
    holder_id: int
    country: str
    deposit: Script | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    script: Script
    value_sat: int
    label: str
    on_sent: OnSent | None
    since: int


class Exchange:
    """What all exchanges have in common.

    Args:
        world, agenda: where and when.
        name: Alpha, Beta or Gamma.
        country: where it is.
        parameters: the economy's habits.
        staying: how many hot scripts are used again and again.

    Attributes:
        entity: itself; deposits, hot, cold: its wallets, cold only at Alpha.
        main: the first hot script.
        accounts: by account_id.
        credited: hooks that are told every deposit, at the latest in the block after it was paid.
        invite: asks so many more customers to withdraw, when a batch is too small.
    """

    cold: Wallet | None = None

    def __init__(
        self, world: World, agenda: Agenda, name: str, country: str, parameters: Parameters, staying: int
    ) -> None:
        self.world, self.agenda, self.name = world, agenda, name
        self.entity = world.add_entity(name, "exchange", country, tagged=True)
        model = parameters.model(name)
        self.deposits = world.add_wallet(self.entity, model, f"{name} deposits", keep_scripts=False)
        self.hot = world.add_wallet(self.entity, model, f"{name} hot", keep_scripts=False)
        self.deposits.inbox = []
        self.accounts: dict[str, Account] = {}
        self.credited: list[Callable[[Account, Coin], None]] = []
        self.invite: Callable[[int], None] = lambda count: None
        self._staying = [world.new_script(self.hot, "hot") for _ in range(staying)]
        self.main = self._staying[0]
        self._stream = world.stream(f"exchange {name}")
        self._fresh_percent = parameters.fresh_change_percent
        self._linked = {self.main.number}
        self._unswept: deque[Coin] = deque()
        self._queue: deque[_Request] = deque()

    # Customers.

    def open_account(self, holder: Entity, country: str = "") -> Account:
        """A new account; the country is the holder's unless said otherwise."""
        number = f"{self.name[0]}{len(self.accounts) + 1:06d}"
        account = Account(number, self.name, holder.entity_id, country or holder.country)
        self.accounts[number] = account
        return account

    def deposit_script(self, account: Account) -> Script:
        """Where the account is paid: one script for ever, but at Gamma a fresh one at each call."""
        if account.deposit is None:
            account.deposit = self.world.new_script(self.deposits, "deposit", account_id=account.account_id)
        return account.deposit

    def withdraw(
        self, account: Account, script: Script, value_sat: int, *, label: str = "", on_sent: OnSent | None = None
    ) -> None:
        """Queue a withdrawal; it is sent within a day, then `on_sent(sent, vout)` is called.

        Args:
            account: whose it is; what it holds is not kept, since customers pay in money too.
            script: where to.
            value_sat: of the output; the fee is the exchange's.
            label: of the transaction it is sent in.
            on_sent: called once.
        """
        assert account.exchange == self.name, "an account of another exchange"
        self._queue.append(_Request(script, value_sat, label, on_sent, self.agenda.now))

    @property
    def waiting(self) -> int:
        """Withdrawals that are queued."""
        return len(self._queue)

    @property
    def reserve_sat(self) -> int:
        """What it could pay out."""
        return self.hot.balance_sat + (self.cold.balance_sat if self.cold else 0)

    def tick(self) -> None:
        """What is due in this block."""
        self._credit()
        self._serve()
        if len(self.hot.coins) > _MANY:
            self._consolidate()

    def _credit(self) -> None:
        inbox = self.deposits.inbox
        if not inbox:
            return
        for coin in inbox:
            account = self.accounts[coin.script.account_id]
            for hook in self.credited:
                hook(account, coin)
            if coin.value_sat >= LEAST_DEPOSIT_SAT:
                self._unswept.append(coin)
        inbox.clear()
        if len(self._unswept) >= _MOST_UNSWEPT:
            self._sweep()

    def _sweep(self) -> None:
        """Move deposits to the hot wallet."""

    def _serve(self) -> None:
        """One transaction a withdrawal, in order, while the hot wallet can pay."""
        while self._queue:
            request = self._queue[0]
            sent = self._pay_hot([Payment(request.script, request.value_sat)], "withdrawal", request.label)
            if sent is None:
                return
            self._queue.popleft()
            self._report(sent, [request])

    def _report(self, sent: Sent, requests: Iterable[_Request]) -> None:
        taken: set[int] = set()
        for request in requests:
            vout = next(
                place
                for place, payment in enumerate(sent.outputs)
                if payment.script is request.script and payment.value_sat == request.value_sat and place not in taken
            )
            taken.add(vout)
            if request.on_sent is not None:
                request.on_sent(sent, vout)

    # The hot wallet.

    def _hot_script(self) -> Script:
        """Where a sweep goes."""
        return self._stream.pick(self._staying)

    def _hot_change(self) -> Script:
        """Where change goes if the hot wallet has linked coins enough."""
        if self._stream.chance(self._fresh_percent, 100):
            return self.world.new_script(self.hot, "hot")
        return self._hot_script()

    def _linked_coins(self, coins: Iterable[Coin]) -> int:
        return sum(coin.script.number in self._linked for coin in coins)

    def _feerate(self) -> int:
        return feerate_of(self.hot.model, self.world.fee_level)

    def _pay_hot(self, payments: Sequence[Payment], kind: str, label: str = "") -> Sent | None:
        """Pay from the hot wallet; None if it cannot now."""
        feerate, kind_of = self._feerate(), self.hot.model.script_type
        vsize = OVERHEAD_WEIGHT // 4 + sum(OUTPUT_VSIZE[each.script.kind] for each in payments)
        per_input = -(-INPUT_WEIGHT[kind_of] // 4)
        amount = sum(each.value_sat for each in payments) + feerate * (vsize + OUTPUT_VSIZE[kind_of])
        coins = list(islice(self.hot.coins.values(), _WINDOW))
        chosen = self._choose(coins, amount, feerate * per_input)
        if chosen is None:
            return None
        if len(chosen) > _MOST_INPUTS and len(payments) > 1:
            self._consolidate()
            return None
        change = sum(coin.value_sat for coin in chosen) - amount - feerate * per_input * len(chosen)
        fee = feerate * (vsize + OUTPUT_VSIZE[kind_of] + per_input * len(chosen))
        # A linked coin has to be left for those that are not linked yet.
        left = self._linked_coins(coins) - self._linked_coins(chosen)
        script = self._hot_change() if left >= 2 else self.main
        choice = Choice(chosen, fee, change)
        return self.world.send_choice(self.hot, choice, payments, kind, label=label, change_script=script)

    def _choose(self, coins: list[Coin], amount_sat: int, input_fee: int) -> list[Coin] | None:
        """The smallest coin that is enough, or the largest ones, and a linked coin where one is due."""
        least = amount_sat + 2 * input_fee + 1_000
        enough = [coin for coin in coins if coin.value_sat >= least]
        if enough:
            chosen = [min(enough, key=lambda coin: coin.value_sat)]
        else:
            chosen, total = [], 0
            for coin in sorted(coins, key=lambda coin: -coin.value_sat):
                chosen.append(coin)
                total += coin.value_sat - input_fee
                if total >= least:
                    break
            else:
                return None
        return self._anchored(chosen, coins)

    def _anchored(self, chosen: list[Coin], coins: Iterable[Coin]) -> list[Coin] | None:
        """The same coins, with a linked one if a script among them was never spent with one; None if there is none."""
        linked = self._linked
        if all(coin.script.number in linked for coin in chosen):
            return chosen
        if not any(coin.script.number in linked for coin in chosen):
            anchor = next((coin for coin in coins if coin.script.number in linked), None)
            if anchor is None:
                return None
            chosen.append(anchor)
        # Only scripts that are paid again need be remembered.
        linked.update(each.number for each in self._staying if any(coin.script is each for coin in chosen))
        return chosen

    def _consolidate(self) -> None:
        coins = list(islice(self.hot.coins.values(), _WINDOW))
        chosen = self._anchored(coins[:_MANY], coins)
        if chosen is not None and len(chosen) > 1:
            self._gather(chosen, self.main, "consolidation")

    def _gather(self, coins: Sequence[Coin], script: Script, kind: str, other: Script | None = None) -> Sent:
        """Send all of these coins to one script, or to two."""
        weight = OVERHEAD_WEIGHT + sum(INPUT_WEIGHT[coin.script.kind] for coin in coins)
        vsize = -(-weight // 4) + OUTPUT_VSIZE[script.kind] * (2 if other else 1)
        total = sum(coin.value_sat for coin in coins) - self._feerate() * vsize
        first = total * self._stream.between(40, 70) // 100 if other else total
        outputs = [Payment(script, first, change=True)]
        if other is not None:
            outputs.append(Payment(other, total - first, change=True))
        return self.world.send(self.hot, coins, outputs, kind)


class Alpha(Exchange):
    """One deposit script an account, daily sweeps with a hot input, hot and cold, batches of 5 to 40 withdrawals."""

    def __init__(self, world: World, agenda: Agenda, country: str, parameters: Parameters) -> None:
        super().__init__(world, agenda, "Alpha", country, parameters, 4)
        self.cold = world.add_wallet(self.entity, parameters.model("Alpha"), "Alpha cold", keep_scripts=False)
        self._interval, self._next_batch = parameters.batch_seconds, 0
        agenda.every(parameters.sweep_hour * HOUR, DAY, self._sweep)
        agenda.every(12 * HOUR, DAY, self._balance)

    def _sweep(self) -> None:
        while self._unswept:
            hot = next((coin for coin in self.hot.coins.values() if coin.script.number in self._linked), None)
            if hot is None:
                return
            count = min(len(self._unswept), _SWEEP_INPUTS)
            coins = [hot, *(self._unswept.popleft() for _ in range(count))]
            other = self._hot_script() if len(self.hot.coins) < _FEW_COINS else None
            self._gather(coins, self.main, "deposit_sweep", None if other is self.main else other)

    def _serve(self) -> None:
        now = self.agenda.now
        if len(self._queue) < _LARGEST_BATCH and now < self._next_batch:
            return
        too_few = len(self._queue) < _SMALLEST_BATCH
        while len(self._queue) >= _SMALLEST_BATCH:
            batch = self._next()
            if len(batch) < _SMALLEST_BATCH:
                self._queue.extendleft(reversed(batch))
                too_few = True
                break
            payments = [Payment(each.script, each.value_sat) for each in batch]
            label = next((each.label for each in batch if each.label), "")
            sent = self._pay_hot(payments, "batch_withdrawal", label)
            if sent is None:
                self._queue.extendleft(reversed(batch))
                break
            self._report(sent, batch)
        self._next_batch = now + self._interval
        if self._queue and too_few and now - self._queue[0].since >= _PATIENCE:
            self.invite(_SMALLEST_BATCH)

    def _next(self) -> list[_Request]:
        """The next batch: in order, but at most two equal amounts and one label; the others wait."""
        seen: Counter[int] = Counter()
        batch: list[_Request] = []
        later: list[_Request] = []
        labelled = False
        while self._queue and len(batch) < _LARGEST_BATCH:
            request = self._queue.popleft()
            if seen[request.value_sat] == _MOST_EQUAL or (labelled and request.label):
                later.append(request)
                continue
            seen[request.value_sat] += 1
            labelled = labelled or bool(request.label)
            batch.append(request)
        self._queue.extendleft(reversed(later))
        return batch

    def _balance(self) -> None:
        """Keep 15 to 40 % of everything hot."""
        assert self.cold is not None
        hot, cold = self.hot.balance_sat, self.cold.balance_sat
        total = hot + cold
        if hot * 100 > total * 40:
            amount = (hot - total * 25 // 100) // 1_000_000 * 1_000_000
            if amount:
                self._pay_hot([Payment(self.world.new_script(self.cold, "cold"), amount)], "cold_move")
        elif hot * 100 < total * 15 and self.cold.coins:
            self._thaw(total * 25 // 100 - hot)

    def _thaw(self, amount_sat: int) -> None:
        assert self.cold is not None
        coins: list[Coin] = []
        total = 0
        for coin in self.cold.coins.values():
            coins.append(coin)
            total += coin.value_sat
            if total > amount_sat + 1_000_000:
                break
        amount_sat = min(amount_sat, total - 1_000_000)
        if amount_sat < 10_000_000:
            return
        fee = self._feerate() * (OVERHEAD_WEIGHT // 4 + 3 * 31 + 68 * len(coins))
        first = amount_sat * self._stream.between(25, 45) // 100
        payments = [Payment(self.main, first), Payment(self.main, amount_sat - first)]
        change = Payment(self.world.new_script(self.cold, "cold"), total - amount_sat - fee, change=True)
        self.world.send(self.cold, coins, [*payments, change], "cold_move")


class Beta(Exchange):
    """One deposit script an account, swept one by one to one of six hot scripts; single withdrawals with change."""

    def __init__(self, world: World, agenda: Agenda, country: str, parameters: Parameters) -> None:
        super().__init__(world, agenda, "Beta", country, parameters, 6)

    def tick(self) -> None:
        """Sweep what was deposited, then serve."""
        self._credit()
        self._sweep()
        super().tick()

    def _sweep(self) -> None:
        while self._unswept:
            self._gather([self._unswept.popleft()], self._hot_script(), "deposit_sweep")

    def _hot_change(self) -> Script:
        return self._hot_script()


class Gamma(Exchange):
    """A fresh script for each deposit, a nightly sweep of deposits only, a hot wallet with fresh change."""

    def __init__(self, world: World, agenda: Agenda, country: str, parameters: Parameters) -> None:
        super().__init__(world, agenda, "Gamma", country, parameters, 2)
        agenda.every((parameters.sweep_hour + 1) * HOUR, DAY, self._sweep)

    def deposit_script(self, account: Account) -> Script:
        """A fresh script."""
        account.deposit = None
        return super().deposit_script(account)

    def _sweep(self) -> None:
        while self._unswept:
            count = min(len(self._unswept), _SWEEP_INPUTS)
            coins = [self._unswept.popleft() for _ in range(count)]
            self._gather(coins, self._hot_script(), "deposit_sweep")
