"""Whirlpool: Tx0 cuts a wallet's coins into equal premix outputs, mixes of five to eight make them indistinguishable.

Every mix takes two or three premix outputs (new entrants, who pay the miner with what they bring above the
denomination) and coins of earlier mixes, all of different owners. The first mixes of a pool use coins that its first
users sent to themselves with exactly the denomination.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cointrail.simulation.actors.coinjoins import OUTPUT, Coordinator, Fresh, MixLink, inputs_vsize, value_of
from cointrail.simulation.actors.crowd import Crowd, Joining, Member
from cointrail.simulation.actors.exchanges import Exchange
from cointrail.simulation.agenda import Agenda
from cointrail.simulation.parameters import Parameters
from cointrail.simulation.transactions import OVERHEAD_WEIGHT, Coin
from cointrail.simulation.wallet import DUST_SAT, Wallet
from cointrail.simulation.world import Payment, Sent, World

POOL_FEES = {100_000: 5_000, 1_000_000: 50_000, 5_000_000: 175_000, 50_000_000: 1_750_000}
"""Denomination and fee of each pool, in sat."""

_LEAST_EXTRA, _MOST_EXTRA = 100, 110_000
_MIX_VSIZE = 811  # of eight inputs and outputs
_MOST_PREMIX = 12
_DATA = b"\x6a\x40"


@dataclass(slots=True, eq=False)
class _Pool:
    """Coins of the crowd that wait: premix outputs, and coins that were mixed."""

    denomination: int
    entrants: deque[tuple[Wallet, Coin]] = field(default_factory=deque)
    mixed: list[tuple[Wallet, Coin]] = field(default_factory=list)


class Whirlpool(Coordinator):
    """Pools, Tx0s and mixes. `denominations` are those of the pools that run."""

    protocol = "whirlpool"
    denominations: Sequence[int] = (1_000_000, 5_000_000)

    def __init__(
        self, world: World, agenda: Agenda, name: str, crowd: Crowd, exchange: Exchange, parameters: Parameters,
        on_mix: Callable[[MixLink], None],
    ) -> None:  # fmt: skip
        super().__init__(world, agenda, name, crowd, exchange, parameters, on_mix)
        self._pools: dict[int, _Pool] = {}

    def round(self) -> Sent:
        """A mix in one of the pools."""
        return self._mix(self._pool(self._stream.pick(self.denominations)), ())

    def join(self, participants: Sequence[Joining], *, label: str = "", fresh: Fresh | None = None) -> Sent:
        """Tx0 for each participant, then mixes until each premix coin was mixed once; the first mix is returned."""
        if not participants:
            return self.round()
        smallest = min(value_of(coins) for _, coins in participants)
        denomination = max((each for each in self.denominations if 2 * each <= smallest), default=self.denominations[0])
        queues = []
        for wallet, coins in participants:
            sent = self.tx0(wallet, coins, denomination, fresh=fresh)
            premix = [sent.coin(vout) for vout, each in enumerate(sent.outputs) if each.value_sat > denomination
                      and not each.change and each.script.wallet_id == wallet.number]  # fmt: skip
            queues.append((wallet, deque(premix)))
        first: Sent | None = None
        while any(premix for _, premix in queues):
            seated = [(wallet, premix.popleft()) for wallet, premix in queues if premix][:3]
            sent = self._mix(self._pool(denomination), seated, label=label, fresh=fresh)
            first = first or sent
        assert first is not None, "a participant brings less than one denomination"
        return first

    def tx0(
        self, wallet: Wallet, coins: Sequence[Coin], denomination: int, *, into: Wallet | None = None,
        fresh: Fresh | None = None,
    ) -> Sent:  # fmt: skip
        """Cut coins of a wallet into premix outputs of the same wallet, or of `into`."""
        fresh, into = fresh or self._fresh, into or wallet
        rate, pool_fee = self.world.fee_level, POOL_FEES[denomination]
        extra = min(max(rate * self._stream.between(_MIX_VSIZE // 2, _MIX_VSIZE * 3 // 4), _LEAST_EXTRA), _MOST_EXTRA)
        each = denomination + extra
        left = value_of(coins) - pool_fee - rate * (OVERHEAD_WEIGHT // 4 + inputs_vsize(coins) + 80 + 2 * OUTPUT)
        count = min(left // (each + rate * OUTPUT), _MOST_PREMIX)
        assert count > 0, "too little for the pool"
        change = left - count * (each + rate * OUTPUT)
        if count > 1 and pool_fee // 2 <= change <= 3 * pool_fee:
            count, change = count - 1, change + each + rate * OUTPUT  # or the change would look like a pool fee
        outputs = [Payment(self._fresh(self.wallet), pool_fee)]
        outputs += [Payment(fresh(into), each) for _ in range(count)]
        if change > 2 * DUST_SAT:
            outputs.append(Payment(fresh(wallet), change, change=True))
        word = b"".join(self._stream.word().to_bytes(8, "little") for _ in range(8))
        return self.world.send(wallet, coins, outputs, "coinjoin_tx0", protocol=self.protocol, data=_DATA + word)

    # Mixes.

    def _pool(self, denomination: int) -> _Pool:
        return self._pools.setdefault(denomination, _Pool(denomination))

    def _mix(
        self, pool: _Pool, seated: Sequence[tuple[Wallet, Coin]], *, label: str = "", fresh: Fresh | None = None
    ) -> Sent:
        """Mix these premix coins with others."""
        stream = self._stream
        size = stream.weighted(((5, 6), (6, 2), (7, 1), (8, 2)))
        entrants = max(stream.between(2, 3), len(seated))
        table = list(seated)
        self._seat_entrants(pool, table, entrants)
        self._seat_mixed(pool, table, size)
        outputs = []
        for place, (wallet, _) in enumerate(table):
            make = fresh if fresh and place < len(seated) else self._fresh
            outputs.append((wallet, Payment(make(wallet), pool.denomination)))
        coins = [coin for _, coin in table]
        stream.shuffle(coins)
        stream.shuffle(outputs)
        sent = self._send(coins, [payment for _, payment in outputs], label)
        ours = {wallet.number for wallet, _ in seated}
        for vout, (wallet, _) in enumerate(outputs):
            if wallet.number not in ours:
                pool.mixed.append((wallet, sent.coin(vout)))
        return sent

    def _seat_entrants(self, pool: _Pool, table: list[tuple[Wallet, Coin]], count: int) -> None:
        taken = {wallet.number for wallet, _ in table}
        waiting = [pool.entrants.popleft() for _ in range(len(pool.entrants))]
        for wallet, coin in waiting:
            if len(table) < count and wallet.number not in taken:
                table.append((wallet, coin))
                taken.add(wallet.number)
            else:
                pool.entrants.append((wallet, coin))
        while len(table) < count:
            member = self._absent(taken)
            sent = self.tx0(*self._bring(member, 2 * pool.denomination), pool.denomination, into=member.pool)
            premix = [sent.coin(vout) for vout, each in enumerate(sent.outputs)
                      if each.script.wallet_id == member.pool.number]  # fmt: skip
            table.append((member.pool, premix[0]))
            taken.add(member.pool.number)
            pool.entrants.extend((member.pool, coin) for coin in premix[1:])

    def _seat_mixed(self, pool: _Pool, table: list[tuple[Wallet, Coin]], size: int) -> None:
        taken = {wallet.number for wallet, _ in table}
        pool.mixed = [(wallet, coin) for wallet, coin in pool.mixed if coin.outpoint in wallet.coins]
        self._stream.shuffle(pool.mixed)
        for wallet, coin in pool.mixed:
            if len(table) < size and wallet.number not in taken:
                table.append((wallet, coin))
                taken.add(wallet.number)
        while len(table) < size:
            member = self._absent(taken)
            coins = self._bring(member, pool.denomination)[1]
            fee = self.world.fee_level * (OVERHEAD_WEIGHT // 4 + inputs_vsize(coins) + 2 * OUTPUT)
            payment = Payment(self._fresh(member.pool), pool.denomination)
            change = Payment(self._fresh(member.mixing), value_of(coins) - pool.denomination - fee, change=True)
            sent = self.world.send(member.mixing, coins, [payment, change], "self_transfer")
            table.append((member.pool, sent.coin(0)))
            taken.add(member.pool.number)

    def _absent(self, taken: set[int]) -> Member:
        """A member of the crowd who does not sit at the table."""
        return self._stream.pick([each for each in self.crowd.members["whirlpool"] if each.pool.number not in taken])

    def _bring(self, member: Member, least_sat: int) -> tuple[Wallet, Sequence[Coin]]:
        """Coins of one member's wallet for mixing, a good deal more than `least_sat` together."""
        others = [each.mixing for each in self.crowd.members["whirlpool"] if each is not member]
        return self.crowd.draw("whirlpool", (2,), least_sat * 13 // 10 + 300_000, without=others)[0]
