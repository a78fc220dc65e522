"""Putting the seized media together out of what the plot left behind."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cointrail.bitcoin.address import address_of, script_of
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.inputs.seized import papers
from cointrail.simulation.inputs.seized.database import write_database
from cointrail.simulation.inputs.seized.decoys import decoys
from cointrail.simulation.inputs.seized.disk import write_disk
from cointrail.simulation.inputs.seized.exhibit import Draft, Exhibit, write
from cointrail.simulation.inputs.seized.spellings import branch_descriptor, psbt
from cointrail.simulation.inputs.seized.wallets import (
    PoolKey,
    descriptor_wallet,
    electrum_wallet,
    legacy_wallet,
)
from cointrail.simulation.keys import script_of_key
from cointrail.simulation.plot.bip32 import HARDENED, ExtendedKey
from cointrail.simulation.plot.bip39 import seed_of
from cointrail.simulation.plot.plot import Plot
from cointrail.simulation.truth import ArtefactRow, Truth
from cointrail.simulation.world import World

_DAY = 86_400
_GAP, _CHANGE_GAP = 20, 6
"""Addresses Electrum keeps ahead of the last used one."""

_EXPORTED, _MAILED, _LOGGED = 6, 4, 40
_FEE_SAT = 1_410


def write_media(
    folder: Path, world: World, plot: Plot, truth: Truth, decoy_count: int, noise_bytes: int
) -> list[ArtefactRow]:
    """Write all files.

    Args:
        folder: a new folder.
        world: after its last block.
        plot: finished.
        truth: complete but for what is returned.
        decoy_count: decoy strings.
        noise_bytes: noise in the disk image.

    Returns:
        Rows of the truth table; their paths begin with the folder's name.
    """
    folder.mkdir(parents=True)
    exhibits = [
        write_database(
            folder,
            "db/bazaar.sql.gz",
            plot.users,
            truth.market_addresses,
            plot.orders,
            derived=plot.market_opens - _DAY,
        ),
        *_wallets(folder, world, plot, truth),
        *(draft.write(folder, path) for path, draft in _papers(world, plot, truth)),
        decoys(decoy_count, world.stream("decoys")).write(folder, "decoys.txt"),
    ]
    exhibits.append(write_disk(folder, "disk.raw", exhibits, noise_bytes, world.stream("disk image")))
    return [row for exhibit in exhibits for row in exhibit.rows(folder.name)]


def _wallets(folder: Path, world: World, plot: Plot, truth: Truth) -> Iterator[Exhibit]:
    created = plot.market_opens - 30 * _DAY
    file_id = hashlib.sha256(f"{world.seed} wallet.dat".encode()).digest()[:20]
    yield write(folder, "wallets/wallet.dat", *legacy_wallet(_pool(plot, truth), created, file_id))
    watched = descriptor_wallet(plot.account, plot.account_origin, plot.market_opens - _DAY)
    yield write(folder, "wallets/descriptors.dat", *watched)
    yield _electrum(world, plot, truth).write(folder, "wallets/electrum_op")


def _pool(plot: Plot, truth: Truth) -> list[PoolKey]:
    """The legacy pool; a key that was given out bears the user's name."""
    names = {user.user_id: user.name for user in plot.users}
    users = {}
    for row in truth.market_addresses:
        if row.source != "legacy":
            break
        users[row.script_hash] = row.user_id
    return [
        PoolKey(
            key.secret,
            key.public_key,
            key.script_pubkey,
            names.get(users[hashlib.sha256(key.script_pubkey).digest()], ""),
        )
        for key in plot.pool
    ]


def _electrum(world: World, plot: Plot, truth: Truth) -> Draft:
    account, history = plot.peel_account, _history(plot, truth)
    addresses = []
    for branch, gap in ((0, _GAP), (1, _CHANGE_GAP)):
        steps = [each.derivation.split("/")[-2:] for each in plot.peel_scripts]
        last = max((int(position) for side, position in steps if int(side) == branch), default=-1)
        for key in account.neuter().child(branch).public_keys(range(last + 1 + gap)):
            script = script_of_key(ScriptType.P2WPKH, key)
            addresses.append((script, branch == 1, history.get(script, [])))
    return electrum_wallet(account, addresses, world.chain.height - 1)


def _history(plot: Plot, truth: Truth) -> dict[bytes, list[tuple[str, int]]]:
    """(txid, height) of all transactions that paid or spent each of the peel wallet's scripts, in chain order."""
    numbers = {script.number: script.script_pubkey for script in plot.peel_scripts}
    touched: dict[bytes, set[int]] = {script: set() for script in numbers.values()}
    for output, number in enumerate(truth.script_numbers):
        if number in numbers:
            touched[numbers[number]].add(truth.output_transactions[output])
    transaction = 0
    for place, output in enumerate(truth.spent):
        number = truth.script_numbers[output]
        if number in numbers:
            while truth.first_input[transaction + 1] <= place:
                transaction += 1
            touched[numbers[number]].add(transaction)
    return {
        script: [(display(truth.txid(number)), truth.heights[number]) for number in sorted(transactions)]
        for script, transactions in touched.items()
    }


def _papers(world: World, plot: Plot, truth: Truth) -> Iterator[tuple[str, Draft]]:
    stream = world.stream("papers")
    used = [row.address for row in truth.market_addresses if row.used]

    def some(count: int) -> list[papers.Address]:
        chosen = dict.fromkeys(stream.pick(used) for _ in range(count))
        return [(address, script_of(address, REGTEST)) for address in chosen]

    reserve = plot.reserve.script
    yield "notes/list.txt", papers.packing_list(plot.reserve_phrase, reserve.script_pubkey)
    yield "backup.zip", papers.backup(ExtendedKey.of_seed(plot.account_seed).serialize())
    yield "misc/export.csv", papers.export(some(_EXPORTED))
    yield "misc/mail.eml", papers.message(some(_MAILED))
    yield "misc/sticker.png", papers.sticker(some(1)[0])
    origin = f"[{plot.peel_account.parent_fingerprint.hex()}/0h]"
    yield "misc/watch.txt", papers.watch_list(branch_descriptor(plot.peel_account, 0, origin))
    yield "misc/spend.psbt", papers.unsigned(_spending(plot), reserve.script_pubkey)
    yield "misc/debug.log", papers.debug_log(_events(truth))


def _events(truth: Truth) -> list[tuple[str, bytes, papers.Address]]:
    """The last payments to the market, with the address each was paid to."""
    events = []
    for payment in sorted(truth.payments, key=lambda each: (each.time_utc, each.payment_id))[-_LOGGED:]:
        output = truth.output_number(payment.txid + payment.vout.to_bytes(4, "little"))
        script_pubkey = truth.script_pubkey(output)
        events.append((payment.time_utc, payment.txid, (_address(script_pubkey), script_pubkey)))
    return events


def _spending(plot: Plot) -> bytes:
    """A PSBT that would move the 3 BTC to the next address of the same phrase."""
    coin = plot.reserve
    master = ExtendedKey.of_seed(seed_of(plot.reserve_phrase))
    account = master.derive("84h/1h/0h")
    target = script_of_key(ScriptType.P2WPKH, account.child(0).child(1).public_key)
    value = coin.value_sat - _FEE_SAT
    transaction = b"".join(
        (
            b"\x02\x00\x00\x00\x01",
            coin.outpoint,
            b"\x00\xfd\xff\xff\xff\x01",
            value.to_bytes(8, "little"),
            bytes((len(target),)),
            target,
            bytes(4),
        )
    )
    path = (84 | HARDENED, 1 | HARDENED, HARDENED, 0, 0)
    return psbt(
        transaction,
        [(coin.value_sat, coin.script.script_pubkey)],
        [(coin.script.public_key, master.fingerprint, path)],
    )


def _address(script_pubkey: bytes) -> str:
    address = address_of(script_pubkey, REGTEST)
    assert address is not None, "the market's scripts have addresses"
    return address
