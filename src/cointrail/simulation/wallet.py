"""Wallets: coins and habits. A wallet decides which coins it spends, where its change goes and what it pays in fees."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.keys import Script
from cointrail.simulation.models import WalletModel
from cointrail.simulation.stream import Stream
from cointrail.simulation.transactions import INPUT_WEIGHT, OUTPUT_VSIZE, OVERHEAD_WEIGHT, Coin

DUST_SAT = 546
_REMEMBERED = 4  # scripts a wallet of a reusing kind still hands out
_WINDOW = 400  # coins a selection looks at: wallets of services hold thousands
_TRIES = 200


@dataclass(slots=True, eq=False)
class Wallet:
    """Coins under one wallet program.

    Attributes:
        number: wallet_id in the truth tables.
        entity_id: whose it is.
        model: its habits.
        stream: its own random choices.
        coins: what it can spend now by outpoint, oldest first.
        maturing: coinbase outputs that cannot be spent yet.
        made: how many scripts it has had; recent: the last of them.
        scripts: all of them by order of creation, or None for a wallet that keeps no list (background wallets: their
            memory must not grow with the chain).
        inbox: None, or where every coin it is given is noted too, for its owner to look through and empty.
    """

    number: int
    name: str
    entity_id: int
    model: WalletModel
    stream: Stream
    coins: dict[bytes, Coin] = field(default_factory=dict)
    maturing: list[Coin] = field(default_factory=list)
    made: int = 0
    recent: deque[Script] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    scripts: list[Script] | None = field(default_factory=list)
    inbox: list[Coin] | None = None

    def mature(self, height: int) -> None:
        """Move coinbase outputs that may be spent in a block of this height among the coins."""
        while self.maturing and height - self.maturing[0].height >= 100:
            coin = self.maturing.pop(0)
            self.coins[coin.outpoint] = coin

    @property
    def balance_sat(self) -> int:
        """What it can spend now."""
        return sum(coin.value_sat for coin in self.coins.values())


@dataclass(frozen=True, slots=True)
class Choice:
    """What a wallet decided.

    Attributes:
        coins: what is spent, in no particular order.
        fee_sat: the fee; change_sat: 0 for no change output.
    """

    coins: list[Coin]
    fee_sat: int
    change_sat: int


def feerate_of(model: WalletModel, level: int) -> int:
    """Fee rate in sat/vB that a wallet takes when the market stands at `level`."""
    if model.feerate == "round":
        return max(5, (level + 4) // 5 * 5)
    return 20 if model.feerate == "fixed" else max(1, level)


def choose(wallet: Wallet, amount_sat: int, types: Sequence[ScriptType], level: int) -> Choice | None:
    """Choose coins for payments of `amount_sat` to outputs of these types; None if the wallet cannot pay.

    Args:
        wallet: whose coins; they are not taken out yet.
        amount_sat: sum of the payments.
        types: script types of the payments.
        level: the market's fee rate in sat/vB.
    """
    feerate = feerate_of(wallet.model, level)
    base = -(-OVERHEAD_WEIGHT // 4) + sum(OUTPUT_VSIZE.get(kind, 43) for kind in types)
    change_vsize = OUTPUT_VSIZE[wallet.model.script_type]
    candidates = list(islice(wallet.coins.values(), _WINDOW))
    if wallet.model.selection == "branch_and_bound":
        exact = _exact(wallet, candidates, amount_sat, base, feerate)
        if exact is not None:
            return exact
    chosen: list[Coin] = []
    total, weight = 0, 0
    for coin in _in_order(wallet, candidates):
        chosen.append(coin)
        total += coin.value_sat
        weight += INPUT_WEIGHT[coin.script.kind]
        fee = feerate * (base + -(-weight // 4))
        if total < amount_sat + fee:
            continue
        change = total - amount_sat - fee - feerate * change_vsize
        if change < DUST_SAT:
            return Choice(chosen, total - amount_sat, 0)
        return Choice(chosen, total - amount_sat - change, change)
    return None


def _in_order(wallet: Wallet, coins: list[Coin]) -> list[Coin]:
    selection = wallet.model.selection
    if selection == "largest_first":
        return sorted(coins, key=lambda coin: (-coin.value_sat, coin.outpoint))
    if selection == "smallest_first" or (selection == "consolidate" and len(coins) < 12):
        return sorted(coins, key=lambda coin: (coin.value_sat, coin.outpoint))
    if selection in ("random", "branch_and_bound"):
        mixed = list(coins)
        wallet.stream.shuffle(mixed)
        return mixed
    return coins


def _exact(wallet: Wallet, coins: list[Coin], amount_sat: int, base: int, feerate: int) -> Choice | None:
    """A few random tries at a set of coins that needs no change, as branch and bound finds."""
    window = OUTPUT_VSIZE[wallet.model.script_type] * feerate + DUST_SAT
    for coin in coins:
        fee = feerate * (base + -(-INPUT_WEIGHT[coin.script.kind] // 4))
        if 0 <= coin.value_sat - amount_sat - fee <= window:
            return Choice([coin], coin.value_sat - amount_sat, 0)
    if len(coins) < 3:
        return None
    for _ in range(min(_TRIES, 2 * len(coins))):
        first, second = wallet.stream.pick(coins), wallet.stream.pick(coins)
        if first is second:
            continue
        weight = INPUT_WEIGHT[first.script.kind] + INPUT_WEIGHT[second.script.kind]
        left = first.value_sat + second.value_sat - amount_sat - feerate * (base + -(-weight // 4))
        if 0 <= left <= window:
            return Choice([first, second], first.value_sat + second.value_sat - amount_sat, 0)
    return None
