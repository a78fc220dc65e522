"""The world: entities, wallets, the chain they write to, and what every transaction truly was.

Actors speak to this class only. A transaction is final when it is sent: its outputs can be spent by the next one, in
the same block too, since blocks keep creation order.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.chain import Block, Chain, commitment_of
from cointrail.simulation.keys import Keys, Script, Signer
from cointrail.simulation.models import WalletModel
from cointrail.simulation.stream import Stream
from cointrail.simulation.transactions import Built, Coin, build
from cointrail.simulation.wallet import Choice, Wallet, choose

OP_RETURN = 0x6A


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody who truly exists in the world; `controller_id` is who decides (market and operator share one)."""

    entity_id: int
    name: str
    kind: str
    controller_id: int
    country: str
    tagged: bool


@dataclass(frozen=True, slots=True, eq=False)
class Payment:
    """An output to be made: a script somebody holds, and an amount in sat. `change` marks the payer's own."""

    script: Script
    value_sat: int
    change: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A transaction that was sent.

    Attributes:
        txid: internal order; height: of its block; position: inside the block, 0 for the coinbase.
        kind, protocol, label: what it truly was (SCENARIO.md 4).
        initiator_id: entity that made it; fee_sat.
        inputs: the coins spent, in input order; outputs: the payments, in output order; data: an OP_RETURN script
            after the payments, or empty.
    """

    txid: bytes
    height: int
    position: int
    kind: str
    protocol: str
    label: str
    initiator_id: int
    fee_sat: int
    inputs: tuple[Coin, ...]
    outputs: tuple[Payment, ...]
    data: bytes = b""

    def coin(self, vout: int) -> Coin:
        """One of its outputs as a coin."""
        payment = self.outputs[vout]
        return Coin(self.txid + vout.to_bytes(4, "little"), payment.value_sat, payment.script, self.height)


class Recorder(Protocol):
    """Keeps the truth; a bench run keeps none."""

    def entity(self, entity: Entity) -> None:
        """A new entity."""

    def wallet(self, wallet: Wallet) -> None:
        """A new wallet."""

    def script(self, script: Script) -> None:
        """A new script."""

    def sent(self, sent: Sent) -> None:
        """A transaction, in chain order but for coinbases, which come when their block is finished."""


class NoRecord:
    """Keeps nothing."""

    def entity(self, entity: Entity) -> None:
        """Forget it."""

    def wallet(self, wallet: Wallet) -> None:
        """Forget it."""

    def script(self, script: Script) -> None:
        """Forget it."""

    def sent(self, sent: Sent) -> None:
        """Forget it."""


@dataclass(slots=True, eq=False)
class World:
    """Everything that is going on.

    Attributes:
        seed: all choices follow from it.
        chain: the chain being written.
        recorder: where the truth goes.
        signer: None outside tests.
    """

    seed: int
    chain: Chain
    recorder: Recorder = field(default_factory=NoRecord)
    signer: Signer | None = None
    entities: list[Entity] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    transactions: int = 0
    keys: Keys = field(init=False)
    _fee_level: int = 12
    _fees: Stream = field(init=False)
    _scripts: int = 0

    def __post_init__(self) -> None:
        self.keys = Keys(self.seed, self.signer)
        self._fees = Stream(self.seed, "fee level")

    def stream(self, name: str) -> Stream:
        """A stream of random choices of that name."""
        return Stream(self.seed, name)

    def add_entity(
        self, name: str, kind: str, country: str, *, tagged: bool = False, controller: Entity | None = None
    ) -> Entity:
        """A new entity; it controls itself unless a controller is named."""
        number = len(self.entities)
        entity = Entity(number, name, kind, controller.entity_id if controller else number, country, tagged)
        self.entities.append(entity)
        self.recorder.entity(entity)
        return entity

    def add_wallet(self, entity: Entity, model: WalletModel, name: str, *, keep_scripts: bool = True) -> Wallet:
        """A new, empty wallet; the name must be unique. `keep_scripts` says whether it lists all its scripts."""
        wallet = Wallet(len(self.wallets), name, entity.entity_id, model, self.stream(f"wallet {name}"))
        if not keep_scripts:
            wallet.scripts = None
        self.wallets.append(wallet)
        self.recorder.wallet(wallet)
        return wallet

    def new_script(
        self, wallet: Wallet, role: str = "receive", *, account_id: str = "", kind: ScriptType | None = None
    ) -> Script:
        """A fresh script of a wallet. Roles: deposit, hot, cold, change, receive, collection."""
        secret = hashlib.sha256(f"{self.seed} {wallet.name} {wallet.made}".encode()).digest()
        kind = kind or wallet.model.script_type
        script_pubkey, public_key = self.keys.script(kind, secret, compressed=wallet.model.compressed)
        return self.adopt_script(
            Script(
                script_pubkey,
                kind,
                secret,
                public_key,
                wallet.number,
                wallet.entity_id,
                role,
                wallet.model.low_r,
                account_id,
            ),
            wallet,
        )

    def adopt_script(self, script: Script, wallet: Wallet) -> Script:
        """Give a script with a key of its own (an extended key's, a seized wallet's) to a wallet."""
        script.number = self._scripts
        self._scripts += 1
        wallet.made += 1
        wallet.recent.append(script)
        if wallet.scripts is not None:
            wallet.scripts.append(script)
        self.recorder.script(script)
        return script

    def receive_script(self, wallet: Wallet) -> Script:
        """Where a wallet is paid next: mostly a fresh script, as often a used one as its model says."""
        if wallet.recent and wallet.stream.chance(wallet.model.reuse_percent, 100):
            return wallet.stream.pick(wallet.recent)
        return self.new_script(wallet)

    @property
    def fee_level(self) -> int:
        """The market's fee rate in sat/vB."""
        return self._fee_level

    # Sending.

    def pay(
        self, wallet: Wallet, payments: Sequence[Payment], kind: str, *, protocol: str = "", label: str = ""
    ) -> Sent | None:
        """Pay from a wallet, its habits deciding coins, change, order and fee. None if it cannot afford it."""
        wallet.mature(self.chain.height)
        amount = sum(payment.value_sat for payment in payments)
        choice = choose(wallet, amount, [payment.script.kind for payment in payments], self._fee_level)
        if choice is None:
            return None
        return self.send_choice(wallet, choice, payments, kind, protocol=protocol, label=label)

    def send_choice(
        self,
        wallet: Wallet,
        choice: Choice,
        payments: Sequence[Payment],
        kind: str,
        *,
        protocol: str = "",
        label: str = "",
        change_script: Script | None = None,
    ) -> Sent:
        """Send chosen coins of a wallet, with its change."""
        outputs = list(payments)
        model, stream = wallet.model, wallet.stream
        if choice.change_sat:
            script = change_script or self._change_script(wallet, payments)
            change = Payment(script, choice.change_sat, change=True)
            at = {"first": 0, "last": len(outputs)}.get(model.change_position, stream.below(len(outputs) + 1))
            outputs.insert(at, change)
        coins = list(choice.coins)
        if model.bip69:
            coins.sort(key=lambda coin: (coin.outpoint[31::-1], coin.outpoint[32:][::-1]))
            outputs.sort(key=lambda payment: (payment.value_sat, payment.script.script_pubkey))
        return self.send(wallet, coins, outputs, kind, protocol=protocol, label=label)

    def _change_script(self, wallet: Wallet, payments: Sequence[Payment]) -> Script:
        model = wallet.model
        if wallet.recent and wallet.stream.chance(model.reuse_percent, 100):
            return wallet.stream.pick(wallet.recent)
        kind = model.script_type
        if model.change_type == "match_payment" and payments:
            kind = payments[0].script.kind
        return self.new_script(wallet, "change", kind=kind)

    def send(
        self,
        wallet: Wallet,
        coins: Sequence[Coin],
        outputs: Sequence[Payment],
        kind: str,
        *,
        protocol: str = "",
        label: str = "",
        data: bytes = b"",
        version: int | None = None,
        sequences: Sequence[int] | None = None,
        lock_time: int | None = None,
        sighash: Sequence[int] | None = None,
    ) -> Sent:
        """Send exactly these coins to exactly these outputs, in this order; the difference is the fee.

        Args:
            wallet: whose habits fill in version, sequence and lock time, and who is the initiator.
            coins: of any wallets (a CoinJoin spends those of many); they are taken out of their wallets.
            outputs: every script's wallet gets its coin.
            kind: what it truly is.
            protocol: which kind of CoinJoin, if it is one.
            label: its name in the plot, if it has one.
            data: an OP_RETURN script to add at the end.
            version: instead of the wallet's habit.
            sequences: instead of the wallet's habit.
            lock_time: instead of the wallet's habit.
            sighash: hash type of each input's signature; ALL if not given.
        """
        model = wallet.model
        scripts = [(payment.script.script_pubkey, payment.value_sat) for payment in outputs]
        if data:
            scripts.append((data, 0))
        built = build(
            self.keys,
            coins,
            scripts,
            version=model.version if version is None else version,
            sequences=sequences or (model.sequence,) * len(coins),
            lock_time=self._lock_time(wallet) if lock_time is None else lock_time,
            sighash=sighash,
        )
        fee = sum(coin.value_sat for coin in coins) - sum(value for _, value in scripts)
        assert fee >= 0, "a transaction pays more than it spends"
        self._take(coins)
        sent = Sent(
            txid=built.txid,
            height=self.chain.height,
            position=self.chain.waiting + 1,
            kind=kind,
            protocol=protocol,
            label=label,
            initiator_id=wallet.entity_id,
            fee_sat=fee,
            inputs=tuple(coins),
            outputs=tuple(outputs),
            data=data,
        )
        self.chain.add(built, fee)
        self.transactions += 1
        self._give(sent)
        self.recorder.sent(sent)
        return sent

    def _lock_time(self, wallet: Wallet) -> int:
        tip = self.chain.height - 1
        if wallet.model.lock_time == "zero":
            return 0
        if wallet.model.lock_time == "height_mostly" and wallet.stream.chance(1, 10):
            return max(0, tip - wallet.stream.below(100))
        return tip

    def _take(self, coins: Sequence[Coin]) -> None:
        for coin in coins:
            del self.wallets[coin.script.wallet_id].coins[coin.outpoint]

    def _give(self, sent: Sent) -> None:
        for vout, payment in enumerate(sent.outputs):
            payment.script.uses += 1
            coin = sent.coin(vout)
            wallet = self.wallets[payment.script.wallet_id]
            wallet.coins[coin.outpoint] = coin
            if wallet.inbox is not None:
                wallet.inbox.append(coin)

    def mine(self, wallet: Wallet, script: Script, *, claim_less_sat: int = 0) -> tuple[Block, Sent]:
        """Finish the block for a miner; its reward matures in the miner's wallet."""
        paid: list[Payment] = []

        def outputs(reward: int) -> list[tuple[bytes, int]]:
            paid.append(Payment(script, max(reward - claim_less_sat, 0)))
            return [(script.script_pubkey, paid[0].value_sat)]

        block, coinbase = self.chain.mine(outputs)
        sent = self._coinbase(coinbase, block, wallet, paid[0])
        if paid[0].value_sat:
            wallet.maturing.append(sent.coin(0))
        script.uses += 1
        self.recorder.sent(sent)
        self._fee_level = min(60, max(2, self._fee_level + self._fees.between(-1, 1)))
        return block, sent

    @staticmethod
    def _coinbase(coinbase: Built, block: Block, wallet: Wallet, payment: Payment) -> Sent:
        data = commitment_of(coinbase)
        return Sent(coinbase.txid, block.height, 0, "coinbase", "", "", wallet.entity_id, 0, (), (payment,), data)
