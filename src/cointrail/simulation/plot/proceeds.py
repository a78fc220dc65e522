"""The operator's money: from the sweeps to two Alpha accounts, one Beta account, one Gamma account and 3 BTC at rest.

Most of each sweep goes to Alpha within days. When the last sweep is in, what is there is divided so that, of all swept
value less fees and 3 BTC, Alpha has 80 %, a peel chain to Beta gets 15 % and CoinJoins before Gamma 5 %.
"""

import hashlib
from collections.abc import Callable

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.actors.exchanges import Account
from cointrail.simulation.agenda import DAY, HOUR
from cointrail.simulation.economy import Economy
from cointrail.simulation.keys import Script, script_of_key
from cointrail.simulation.models import LOCKTIME_ONLY, WalletModel
from cointrail.simulation.plot.bip32 import ExtendedKey
from cointrail.simulation.plot.bip39 import phrase_of, seed_of
from cointrail.simulation.plot.market import Calendar, spend
from cointrail.simulation.transactions import Coin
from cointrail.simulation.truth import CashoutRow
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import Entity, Payment, Sent, World

RESERVE_SAT = 300_000_000
ALPHA_PERCENT, BETA_PERCENT, GAMMA_PERCENT = 80, 15, 5
LEGS = ("alpha1", "alpha2", "beta", "gamma")

_PEEL_ACCOUNT, _RESERVE_PATH = "0h", "84h/1h/0h/0/0"
_PEEL_MODEL = WalletModel(
    "peel", ScriptType.P2WPKH, sequence=LOCKTIME_ONLY, bip69=True, change_position="bip69", round_percent=0
)
_FLOAT_SAT = 20_000_000  # the operator's own money at the start
_AT_ONCE_PERCENT = 70  # of each sweep, for Alpha
_STEPS = (14, 20)
_BILL_SAT = (1_000_000, 8_000_000)
_ROUNDS = 3
_PARTS = 4


class Proceeds:
    """Cashes out.

    Args:
        economy: everybody else.
        operator: whose money it is.
        calendar: of the market.
        model: of the operator's everyday wallets, P2WPKH.

    Attributes:
        accounts: by leg.
        treasury: pays; mixing: stands behind CoinJoins.
        peel_account, peel_scripts: of the peel chain's wallet.
        phrase: seed phrase of the 3 BTC; reserve: their coin, once it is there.
        cashouts: rows of the truth so far, in chain order.
    """

    def __init__(self, economy: Economy, operator: Entity, calendar: Calendar, model: WalletModel) -> None:
        self._economy, self._world, self._calendar = economy, economy.world, calendar
        world = self._world
        self._stream = world.stream("proceeds")
        self.treasury = world.add_wallet(operator, model, "operator treasury")
        self.mixing = world.add_wallet(operator, model, "operator mixing")
        self._peeling = world.add_wallet(operator, _PEEL_MODEL, "operator peel")
        self._resting = world.add_wallet(operator, model, "operator reserve")
        exchanges = economy.exchanges
        self.accounts = {
            leg: exchanges[name].open_account(operator)
            for leg, name in zip(LEGS, ("Alpha", "Alpha", "Beta", "Gamma"), strict=True)
        }
        self.peel_account = ExtendedKey.of_seed(_secret(world, "peel")).derive(_PEEL_ACCOUNT)
        self.peel_scripts: list[Script] = []
        self.phrase = phrase_of(_secret(world, "reserve")[:16])
        self.reserve: Coin | None = None
        self.cashouts: list[CashoutRow] = []
        self._to_alpha = 0
        self._numbers = dict.fromkeys(("alpha-op1", "alpha-op2", "peel-beta", "coinjoin-gamma"), 0)

    def start(self) -> None:
        """Bring some money along, and put the end on the agenda."""
        self._economy.grant(self._world.new_script(self.treasury), _FLOAT_SAT)
        self._economy.at_time(self._calendar.sweeps[-1] + 2 * DAY, self._divide)

    def collected(self, coin: Coin) -> None:
        """A sweep came in: most of it goes to Alpha one to three days later, to one account or the other."""
        self._economy.agenda.after(self._stream.between(DAY, 40 * HOUR), lambda: self._forward(coin))

    def _forward(self, coin: Coin) -> None:
        if coin.outpoint not in self.treasury.coins:
            return  # it was needed for something else
        value = coin.value_sat * _AT_ONCE_PERCENT // 100 // 100_000 * 100_000
        self._deposit_alpha([coin], value)

    def _deposit_alpha(self, coins: list[Coin], value_sat: int) -> None:
        leg = LEGS[self._stream.below(2)]
        payment = self._deposit(leg, value_sat)
        sent = spend(self._world, self.treasury, coins, [payment], "deposit", label=self._label(f"alpha-op{leg[-1]}"))
        self._to_alpha += value_sat
        self._book(leg, sent, payment, "direct")

    # The end.

    def _divide(self) -> None:
        """Put 3 BTC aside and divide the rest."""
        net = self._to_alpha + self.treasury.balance_sat + self.mixing.balance_sat - RESERVE_SAT
        net -= 200 * self._world.fee_level * (len(self.treasury.coins) + 10)
        self._rest()
        beta, gamma = net * BETA_PERCENT // 100, net * GAMMA_PERCENT // 100 - self.mixing.balance_sat
        coin = self._move(self._peel_script(0), beta)
        self._later(lambda: self._peel(0, self._stream.between(*_STEPS), coin))
        self._move(self._world.new_script(self.mixing), max(gamma, 12_000_000))
        self._later(lambda: self._mix(1))
        self._later(lambda: self._finish_alpha(_PARTS))

    def _later(self, action: Callable[[], None]) -> None:
        self._economy.agenda.after(self._stream.between(12 * HOUR, 20 * HOUR), action)

    def _rest(self) -> None:
        node = ExtendedKey.of_seed(seed_of(self.phrase)).derive(_RESERVE_PATH)
        script = self._adopt(self._resting, node, f"m/{_RESERVE_PATH}", "cold")
        self.reserve = self._move(script, RESERVE_SAT, label="op-3btc")

    def _move(self, script: Script, value_sat: int, label: str = "") -> Coin:
        payment = Payment(script, value_sat)
        sent = self._world.pay(self.treasury, [payment], "self_transfer", label=label)
        assert sent is not None, "the treasury can be divided"
        return sent.coin(_vout(sent, payment))

    def _finish_alpha(self, parts: int) -> None:
        """What is left goes to Alpha, in parts."""
        coins = list(self.treasury.coins.values())
        total = sum(coin.value_sat for coin in coins)
        if parts > 1:
            chosen, value = coins[: -(-len(coins) // parts)], 0
            value = sum(coin.value_sat for coin in chosen) * 9 // 10 // 100_000 * 100_000
            self._deposit_alpha(chosen, value)
            self._economy.agenda.after(self._stream.between(DAY, 2 * DAY), lambda: self._finish_alpha(parts - 1))
            return
        self._deposit_alpha(coins, total - self._fee_of(coins))

    def _fee_of(self, coins: list[Coin]) -> int:
        return self._world.fee_level * (80 + 69 * len(coins))

    # The peel chain.

    def _peel(self, number: int, steps: int, coin: Coin, merchant: tuple[int, int] | None = None) -> None:
        if merchant is None:
            first = self._stream.between(2, steps // 2)
            merchant = first, self._stream.between(first + 1, steps - 3)
        left = steps - number
        script = self._peel_script(number + 1) if left > 1 else None
        if script is None:
            payment = self._deposit("beta", coin.value_sat - self._world.fee_level * 111)
            outputs, rest = [payment], payment
        else:
            value = coin.value_sat * self._stream.between(60, 140) // 100 // left // 10_000 * 10_000
            if number in merchant:
                bill = min(value, self._stream.heavy(*_BILL_SAT))
                payment = Payment(self._economy.merchant.pay_script(), bill)
            else:
                payment = self._deposit("beta", value)
            rest = Payment(script, coin.value_sat - payment.value_sat - self._world.fee_level * 142, change=True)
            outputs = sorted((payment, rest), key=lambda each: (each.value_sat, each.script.script_pubkey))
        label = self._label("peel-beta")
        sent = self._world.send(self._peeling, [coin], outputs, "peel_step", label=label)
        if number not in merchant:
            self._book("beta", sent, payment, "peel")
        if script is not None:
            next_coin = sent.coin(_vout(sent, rest))
            self._later(lambda: self._peel(number + 1, steps, next_coin, merchant))

    def _peel_script(self, number: int) -> Script:
        """The first receiving script, then one change script after the other."""
        path = f"1/{number - 1}" if number else "0/0"
        role = "change" if number else "receive"
        script = self._adopt(self._peeling, self.peel_account.derive(path), f"m/{_PEEL_ACCOUNT}/{path}", role)
        self.peel_scripts.append(script)
        return script

    def _adopt(self, wallet: Wallet, node: ExtendedKey, path: str, role: str) -> Script:
        kind = ScriptType.P2WPKH
        return self._world.adopt_script(
            Script(
                script_of_key(kind, node.public_key), kind, node.secret, node.public_key, wallet.number,
                wallet.entity_id, role, wallet.model.low_r, derivation=path,
            ),
            wallet,
        )  # fmt: skip

    # The CoinJoins.

    def _mix(self, number: int) -> None:
        coins = [coin for coin in self.mixing.coins.values() if coin.value_sat >= 100_000]
        self._economy.coordinators["wabisabi"].join([(self.mixing, coins)], label=self._label("coinjoin-gamma"))
        if number < _ROUNDS:
            self._economy.agenda.after(self._stream.between(DAY, 3 * DAY), lambda: self._mix(number + 1))
        else:
            self._economy.agenda.after(self._stream.between(DAY, 2 * DAY), self._deposit_gamma)

    def _deposit_gamma(self) -> None:
        """One deposit after the other, each of a few mixed coins to a fresh script of Gamma."""
        coins = [coin for coin in self.mixing.coins.values() if coin.value_sat >= 20_000]
        if not coins:
            return
        self._stream.shuffle(coins)
        coins = coins[: self._stream.between(1, 3)]
        payment = self._deposit("gamma", sum(coin.value_sat for coin in coins) - self._fee_of(coins))
        label = self._label("coinjoin-gamma")
        sent = self._world.send(self.mixing, coins, [payment], "deposit", label=label)
        self._book("gamma", sent, payment, "coinjoin")
        self._economy.agenda.after(self._stream.between(4 * HOUR, 16 * HOUR), self._deposit_gamma)

    # Helpers.

    def _deposit(self, leg: str, value_sat: int) -> Payment:
        account: Account = self.accounts[leg]
        return Payment(self._economy.exchanges[account.exchange].deposit_script(account), value_sat)

    def _label(self, name: str) -> str:
        self._numbers[name] += 1
        return f"{name}-{self._numbers[name]:02d}"

    def _book(self, leg: str, sent: Sent, payment: Payment, via: str) -> None:
        account_id = self.accounts[leg].account_id
        self.cashouts.append(CashoutRow(leg, account_id, sent.txid, _vout(sent, payment), payment.value_sat, via))


def _vout(sent: Sent, payment: Payment) -> int:
    return next(vout for vout, each in enumerate(sent.outputs) if each is payment)


def _secret(world: World, name: str) -> bytes:
    return hashlib.sha512(f"{world.seed} operator {name}".encode()).digest()
