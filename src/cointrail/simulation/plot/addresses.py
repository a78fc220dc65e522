"""Bazaar's addresses: a BIP84 account with external and change branch, and an older pool of legacy keys.

All deposit addresses were derived in advance and stand in the market's database. Each order is shown the next one; most
orders are never paid, so the paid addresses lie scattered over the list. The legacy pool was in use first.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.keys import Script, script_of_key
from cointrail.simulation.models import FINAL, WalletModel
from cointrail.simulation.plot.bip32 import ExtendedKey
from cointrail.simulation.plot.curve import ORDER, compress, public_points
from cointrail.simulation.plot.records import PoolKey
from cointrail.simulation.scale import Scale
from cointrail.simulation.truth import MarketAddressRow
from cointrail.simulation.world import Entity, World

ACCOUNT_PATH = "84h/1h/0h"
EXTERNAL, CHANGE = 0, 1
XPUB, LEGACY = "xpub", "legacy"
NO_USER = -1

_MODEL = WalletModel("bazaar", ScriptType.P2WPKH, lock_time="zero", change_position="last", round_percent=0)
_LEGACY_MODEL = WalletModel(
    "bazaar-legacy", ScriptType.P2PKH, version=1, sequence=FINAL, lock_time="zero", change_position="last", low_r=False
)
_SHOWN_TENTHS = 9
"""The last tenth of the derived addresses was never shown to anybody."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit address that was shown for an order that gets paid."""

    script: Script
    source: str
    position: int
    address: str


class AddressBook:
    """Hands out deposit and change scripts of the market.

    Args:
        world: where they live.
        owner: the market.
        scale: how many addresses there are, and how many get paid.
    """

    def __init__(self, world: World, owner: Entity, scale: Scale) -> None:
        self._world, self._scale = world, scale
        self._stream = world.stream("market addresses")
        self.wallet = world.add_wallet(owner, _MODEL, "Bazaar")
        self.legacy_wallet = world.add_wallet(owner, _LEGACY_MODEL, "Bazaar legacy")
        self.seed = hashlib.sha512(f"{world.seed} Bazaar".encode()).digest()
        master = ExtendedKey.of_seed(self.seed)
        self.account = master.derive(ACCOUNT_PATH)
        self.origin = f"[{master.fingerprint.hex()}/{ACCOUNT_PATH}]"
        self.change_scripts: list[Script] = []
        self.pool = self._new_pool()
        legacy = min(scale.legacy_addresses * 3 // 10, scale.used_addresses * 6 // 100)
        self._waiting = self._legacy_deposits(legacy)
        self._waiting += self._derived_deposits(scale.used_addresses - legacy)
        self._shown: list[tuple[Deposit, int, int | None]] = []

    def next(self, user_id: int, registered: int | None = None) -> Deposit:
        """The address of a user's order.

        Args:
            user_id: who orders.
            registered: users so far; unpaid addresses that are shown from now on are shown to one of them.
        """
        deposit = self._waiting[len(self._shown)]
        self._shown.append((deposit, user_id, registered))
        return deposit

    def next_change(self) -> Script:
        """The next script of the change branch."""
        position = len(self.change_scripts)
        branch = self.account.child(CHANGE)
        script = self._adopt(branch.child(position), f"{CHANGE}/{position}", "change")
        self.change_scripts.append(script)
        return script

    def rows(self, users: int) -> Iterator[MarketAddressRow]:
        """Every address of the list, the legacy pool first.

        Args:
            users: they have numbers from 1 to this; each address that was shown and never paid was shown to one.
        """
        for source, scripts in ((LEGACY, self._pool_scripts()), (XPUB, self._derived_scripts())):
            paid = {deposit.position: each for each in self._shown if (deposit := each[0]).source == source}
            last = max(paid, default=-1)
            known = next((known for _, _, known in paid.values()), None)
            for position, script_pubkey in enumerate(scripts):
                user = NO_USER
                if position in paid:
                    _, user, known = paid[position]
                elif position < last:
                    user = self._stream.between(1, known or users)
                script_hash = hashlib.sha256(script_pubkey).digest()
                yield MarketAddressRow(_address(script_pubkey), script_hash, source, position, user, position in paid)

    def pool_keys(self) -> list[PoolKey]:
        """The legacy pool with what was given out of it."""
        given = {deposit.position: deposit.script for deposit, _, _ in self._shown if deposit.source == LEGACY}
        return [
            PoolKey(secret, public_key, script_pubkey, given.get(position))
            for position, (secret, public_key, script_pubkey) in enumerate(self.pool)
        ]

    # Making them.

    def _new_pool(self) -> list[tuple[bytes, bytes, bytes]]:
        numbers = [
            int.from_bytes(hashlib.sha256(f"{self._world.seed} Bazaar legacy {position}".encode()).digest(), "big")
            % (ORDER - 1)
            + 1
            for position in range(self._scale.legacy_addresses)
        ]
        keys = [compress(point) for point in public_points(numbers)]
        return [
            (number.to_bytes(32, "big"), key, script_of_key(ScriptType.P2PKH, key))
            for number, key in zip(numbers, keys, strict=True)
        ]

    def _legacy_deposits(self, count: int) -> list[Deposit]:
        deposits = []
        for position in _scattered(count, self._scale.legacy_addresses * _SHOWN_TENTHS // 10, self._stream.below):
            secret, public_key, script_pubkey = self.pool[position]
            wallet = self.legacy_wallet
            script = Script(
                script_pubkey, ScriptType.P2PKH, secret, public_key, wallet.number, wallet.entity_id, "deposit",
                wallet.model.low_r,
            )  # fmt: skip
            deposits.append(_deposit(self._world.adopt_script(script, wallet), LEGACY, position))
        return deposits

    def _derived_deposits(self, count: int) -> list[Deposit]:
        positions = _scattered(count, self._scale.derived_addresses * _SHOWN_TENTHS // 10, self._stream.below)
        branch = self.account.child(EXTERNAL)
        deposits = []
        for position, secret, key in zip(
            positions, branch.secrets(positions), branch.public_keys(positions), strict=True
        ):
            script = self._script(secret, key, f"{EXTERNAL}/{position}", "deposit")
            deposits.append(_deposit(self._world.adopt_script(script, self.wallet), XPUB, position))
        return deposits

    def _adopt(self, node: ExtendedKey, path: str, role: str) -> Script:
        return self._world.adopt_script(self._script(node.secret, node.public_key, path, role), self.wallet)

    def _script(self, secret: bytes, key: bytes, path: str, role: str) -> Script:
        wallet = self.wallet
        return Script(
            script_of_key(ScriptType.P2WPKH, key), ScriptType.P2WPKH, secret, key, wallet.number, wallet.entity_id,
            role, wallet.model.low_r, derivation=f"m/{ACCOUNT_PATH}/{path}",
        )  # fmt: skip

    def _pool_scripts(self) -> Iterator[bytes]:
        return (script_pubkey for _, _, script_pubkey in self.pool)

    def _derived_scripts(self) -> Iterator[bytes]:
        keys = self.account.neuter().child(EXTERNAL).public_keys(range(self._scale.derived_addresses))
        return (script_of_key(ScriptType.P2WPKH, key) for key in keys)


def _scattered(count: int, span: int, below: Callable[[int], int]) -> list[int]:
    """`count` positions below `span`, ascending, one in each of as many equal stretches."""
    edges = [number * span // count for number in range(count + 1)]
    return [edges[number] + below(edges[number + 1] - edges[number]) for number in range(count)]


def _deposit(script: Script, source: str, position: int) -> Deposit:
    return Deposit(script, source, position, _address(script.script_pubkey))


def _address(script_pubkey: bytes) -> str:
    address = address_of(script_pubkey, REGTEST)
    assert address is not None, "a deposit script has an address"
    return address
