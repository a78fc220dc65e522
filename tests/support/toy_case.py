"""A toy case for tests of the investigator's inputs: what the plot leaves behind, on a chain of 160 blocks.

A miner pays everything: the market's deposits, movements of thirty customers at three exchanges, the peel wallet, the
3 BTC. The market's addresses and keys are the real plot's. `whole_case` is the small world itself. Run as a program it
writes the inputs of the toy and prints a digest.
"""

import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.chain import Chain
from cointrail.simulation.economy import Economy
from cointrail.simulation.inputs.tables import utc
from cointrail.simulation.inputs.write import write_inputs
from cointrail.simulation.keys import Script, script_of_key
from cointrail.simulation.models import SERVICE_MODEL
from cointrail.simulation.plot.addresses import AddressBook
from cointrail.simulation.plot.bip32 import ExtendedKey
from cointrail.simulation.plot.bip39 import phrase_of, seed_of
from cointrail.simulation.plot.plot import Plot
from cointrail.simulation.plot.records import Movement, Order, Purchase, User
from cointrail.simulation.prices import PriceCurve
from cointrail.simulation.scale import SMALL
from cointrail.simulation.truth import AccountRow, PaymentRow, Truth
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import Payment, Sent, World

SCALE = replace(SMALL, derived_addresses=1_200, legacy_addresses=40, used_addresses=30, decoys=300, noise_bytes=300_000)
USERS, SERVICES, BUYERS = 12, ("Alpha", "Beta", "Gamma", "LuckyDice", "Quill", "Fog", "Heron"), 10
_KINDS = {"LuckyDice": "gambling", "Quill": "payment_processor", "Fog": "mixer", "Heron": "merchant"}


@dataclass(eq=False)
class Case:
    """World and truth; economy and plot are the real ones, or stand-ins with what the inputs read of them."""

    world: World
    truth: Truth
    economy: Any
    plot: Any
    folder: Path = Path()

    def write(self, folder: Path) -> "Case":
        self.folder = folder
        write_inputs(folder, self.world, self.economy, self.plot, self.truth)
        return self


class _Builder:
    def __init__(self, seed: int) -> None:
        self.truth = Truth()
        self.times: dict[int, int] = {}
        chain = Chain(seed, 14_400, lambda block: self.times.__setitem__(block.height, block.time))
        self.world = World(seed, chain, self.truth)
        self.stream = self.world.stream("toy case")
        self.miner = self.world.add_wallet(self.world.add_entity("Fen", "miner", "XA"), SERVICE_MODEL, "Fen")
        self.payout = self.world.new_script(self.miner, "hot")
        self.names: dict[int, str] = {}
        for _ in range(400):
            self.mine()

    def mine(self) -> None:
        self.world.mine(self.miner, self.payout)
        self.miner.mature(self.world.chain.height)

    def pay(self, script: Script, value_sat: int, kind: str = "payment", label: str = "") -> tuple[Sent, int]:
        sent = self.world.pay(self.miner, [Payment(script, value_sat)], kind, label=label)
        assert sent is not None
        return sent, next(vout for vout, payment in enumerate(sent.outputs) if payment.script is script)

    def person(self, name: str, kind: str = "buyer") -> int:
        entity = self.world.add_entity(name, kind, f"X{'ABCDEFGH'[self.stream.below(8)]}")
        self.names[entity.entity_id] = name
        return entity.entity_id

    def services(self) -> dict[str, Wallet]:
        """Each gets a hot script that is paid and spent."""
        wallets = {}
        for name in SERVICES:
            entity = self.world.add_entity(name, _KINDS.get(name, "exchange"), "XB", tagged=True)
            wallet = wallets[name] = self.world.add_wallet(entity, SERVICE_MODEL, name)
            hot, other = self.world.new_script(wallet, "hot"), self.world.new_script(wallet, "deposit")
            for script in (other, hot, hot):
                self.pay(script, 5_000_000)
                self.world.pay(wallet, [Payment(hot, 4_900_000)], "self_transfer")
            self.names[entity.entity_id] = name
        return wallets

    def movements(self, wallets: dict[str, Wallet]) -> list[Movement]:
        """Deposits and withdrawals of ten customers of each exchange, some of them in one transaction."""
        moves: list[tuple[str, str, str, Sent, int]] = []
        people = {name: self.world.add_wallet(self.world.entities[0], SERVICE_MODEL, f"own {name}") for name in "ABG"}
        for exchange in ("Alpha", "Beta", "Gamma"):
            accounts = []
            for number in range(BUYERS):
                holder = self.person(f"{exchange} Buyer {number}")
                account = f"{exchange[0]}{number:06d}"
                country = self.world.entities[holder].country
                self.truth.accounts.append(AccountRow(account, exchange, holder, country, number == 0))
                script = self.world.new_script(wallets[exchange], "deposit", account_id=account)
                accounts.append((account, script))
            for _ in range(4):
                for account, fixed in accounts:
                    fresh = self.world.new_script(wallets[exchange], "deposit", account_id=account)
                    script = fresh if exchange == "Gamma" else fixed
                    sent, vout = self.pay(script, self.stream.between(1_000_000, 90_000_000), "deposit")
                    moves.append((account, exchange, "deposit", sent, vout))
                paid = [
                    Payment(self.world.new_script(people[exchange[0]]), self.stream.between(1_000_000, 90_000_000))
                    for _ in accounts
                ]
                sent = self.world.pay(self.miner, paid, "batch_withdrawal")
                assert sent is not None
                vouts = {id(payment.script): vout for vout, payment in enumerate(sent.outputs)}
                moves += [
                    (account, exchange, "withdrawal", sent, vouts[id(payment.script)])
                    for (account, _), payment in zip(accounts, paid, strict=True)
                ]
                self.mine()
        return [
            Movement(
                account, exchange, kind, sent.txid, vout, sent.outputs[vout].value_sat, sent.height,
                self.times[sent.height], sent.outputs[vout].script.script_pubkey,
            )
            for account, exchange, kind, sent, vout in moves
        ]  # fmt: skip


def toy_case(seed: int = 1) -> Case:
    """Build it."""
    builder = _Builder(seed)
    world, truth = builder.world, builder.truth
    opens = world.chain.time
    wallets = builder.services()
    bazaar, operator = world.add_entity("Bazaar", "market", "XH"), world.add_entity("operator", "operator", "XH")
    book = AddressBook(world, bazaar, SCALE)
    users = [User(number, f"user{number:02d}", opens + 60 * number, -1) for number in range(1, USERS + 1)]
    orders, purchases = [], []
    for number in range(1, SCALE.used_addresses + 1):
        user = users[builder.stream.below(USERS)]
        deposit = book.next(user.user_id)
        value = builder.stream.between(2_000_000, 30_000_000)
        created = world.chain.time
        sent, vout = builder.pay(deposit.script, value)
        builder.mine()
        time = builder.times[sent.height]
        orders.append(Order(number, user.user_id, deposit.address, value, created))
        truth.payments.append(
            PaymentRow(
                number, user.user_id, 0, sent.txid, vout, value, sent.height, utc(time), "direct", 0, "Alpha", b"", ""
            )
        )
        if number in (3, 9, 15):
            purchase = len(purchases) + 1
            purchases.append(Purchase(purchase, user.name, sent.txid, vout, value, time, "agency wallet", 'a, "note"'))
    movements = builder.movements(wallets)
    for row in book.rows(USERS):
        truth.market_addresses.append(row)
    peel_account, peel_scripts = _peel(builder, operator.entity_id)
    phrase = phrase_of(hashlib.sha256(f"toy {seed}".encode()).digest()[:16])
    node = ExtendedKey.of_seed(seed_of(phrase)).derive("84h/1h/0h/0/0")
    reserve_script = _adopt(builder, operator.entity_id, node, "m/84h/1h/0h/0/0", "reserve")
    sent, vout = builder.pay(reserve_script, 300_000_000, label="op-3btc")
    builder.mine()
    plot = SimpleNamespace(
        users=users, orders=orders, account_seed=book.seed, account=book.account,
        account_origin=book.origin, pool=book.pool_keys(), peel_account=peel_account, peel_scripts=peel_scripts,
        reserve_phrase=phrase, reserve=sent.coin(vout), purchases=purchases, movements=movements,
        names=builder.names, market_opens=opens, market_closes=world.chain.time,
    )  # fmt: skip
    return Case(world, truth, SimpleNamespace(prices=PriceCurve(seed), scale=SCALE), plot)


def whole_case(seed: int = 1) -> Case:
    """The small world with its economy and plot."""
    truth = Truth()
    world = World(seed, Chain(seed, SMALL.spacing, lambda block: None), truth)
    economy = Economy(world, SMALL, on_mix=truth.mix)
    plot = Plot(economy, truth, SMALL)
    plot.start()
    economy.run()
    plot.finish()
    return Case(world, truth, economy, plot)


def _peel(builder: _Builder, owner: int) -> tuple[ExtendedKey, list[Script]]:
    account = ExtendedKey.of_seed(b"peel" * 8).child(1 << 31)
    scripts = []
    for path in ("0/0", "1/0", "1/1", "1/2"):
        scripts.append(_adopt(builder, owner, account.derive(path), path, f"peel {path}"))
        builder.pay(scripts[-1], 7_000_000)
        builder.world.pay(
            builder.world.wallets[scripts[-1].wallet_id], [Payment(builder.payout, 6_000_000)], "peel_step"
        )
    return account, scripts


def _adopt(builder: _Builder, owner: int, node: ExtendedKey, path: str, name: str) -> Script:
    wallet = builder.world.add_wallet(builder.world.entities[owner], SERVICE_MODEL, name)
    script = Script(
        script_of_key(ScriptType.P2WPKH, node.public_key), ScriptType.P2WPKH, node.secret, node.public_key,
        wallet.number, owner, "receive", low_r=True, derivation=path,
    )  # fmt: skip
    return builder.world.adopt_script(script, wallet)


def address(script_pubkey: bytes) -> str:
    """On regtest."""
    text = address_of(script_pubkey, REGTEST)
    assert text is not None
    return text


def digest(folder: Path) -> str:
    """Of all files of a folder with their names."""
    total = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        total.update(str(path.relative_to(folder)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def main() -> None:
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    case = toy_case(seed)
    case.write(folder)
    rows = hashlib.sha256(repr((case.truth.artefacts, case.truth.contradictions)).encode()).hexdigest()
    print(digest(folder), rows)


if __name__ == "__main__":
    main()
