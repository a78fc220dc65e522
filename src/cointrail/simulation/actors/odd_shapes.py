"""PayJoins, and the misleading shapes of METHODS.md 3.5 as ordinary wallets make them.

Nothing here is a CoinJoin round: these transactions look ordinary and are not, or the other way round. A transaction's
`protocol` in the truth says which shape it is: payjoin, stonewall, wages, trade, channel, dust.
"""

import hashlib
from collections.abc import Callable, Sequence

from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.actors.coinjoins import MixLink, inputs_vsize, report_links, value_of
from cointrail.simulation.keys import Script
from cointrail.simulation.transactions import OUTPUT_VSIZE, OVERHEAD_WEIGHT, Coin
from cointrail.simulation.wallet import DUST_SAT, Choice, Wallet, feerate_of
from cointrail.simulation.world import Payment, Sent, World

SINGLE_ANYONECANPAY = 0x83
_KEPT_SAT = 50_000  # what is left to change at least
_WAGE_COINS = 3
_POSTAGE_SAT = 10_000  # what a traded thing is wrapped in


def fee_of(world: World, wallet: Wallet, coins: Sequence[Coin], scripts: Sequence[Script]) -> int:
    """What a wallet pays for a transaction with these inputs and outputs."""
    vsize = OVERHEAD_WEIGHT // 4 + inputs_vsize(coins) + sum(OUTPUT_VSIZE[script.kind] for script in scripts)
    return vsize * feerate_of(wallet.model, world.fee_level)


def pay_join(
    world: World,
    payer: tuple[Wallet, Sequence[Coin]],
    receiver: tuple[Wallet, Coin],
    script: Script,
    value_sat: int,
    on_mix: Callable[[MixLink], None],
    *,
    change_script: Script | None = None,
    label: str = "",
) -> Sent:
    """Pay the receiver in a transaction that spends one of his coins too (BIP77/78); kind `payjoin`.

    Args:
        world: where.
        payer: his wallet and the coins he spends, in this order.
        receiver: his wallet and the coin he adds.
        script: the receiver's; it is paid `value_sat` and the value of his coin.
        value_sat: what the payment truly is.
        on_mix: told which inputs and outputs belong together.
        change_script: the payer's; a new one of his wallet if not given.
        label: of the transaction.
    """
    wallet, coins = payer
    change_script = change_script or world.new_script(wallet, "change", kind=coins[0].script.kind)
    inputs = [*coins, receiver[1]]
    fee = fee_of(world, wallet, inputs, (script, change_script))
    change = value_of(coins) - value_sat - fee
    assert change >= DUST_SAT, "the payer brings too little"
    outputs = [Payment(script, value_sat + receiver[1].value_sat), Payment(change_script, change, change=True)]
    wallet.stream.shuffle(inputs)
    wallet.stream.shuffle(outputs)
    sent = world.send(wallet, inputs, outputs, "payjoin", protocol="payjoin", label=label)
    report_links(sent, on_mix)
    return sent


def payjoin_coins(payer: Wallet, receiver: Wallet, value_sat: int) -> tuple[Coin, Coin] | None:
    """A coin of each for a PayJoin, both P2WPKH: the receiver's is smaller, so an input looks unnecessary (UIH2)."""
    mine = [each for each in payer.coins.values() if each.script.kind is ScriptType.P2WPKH]
    mine = [each for each in mine if each.value_sat > value_sat * 2 + _KEPT_SAT]
    if not mine:
        return None
    coin = min(mine, key=lambda each: each.value_sat)
    # The larger output has to be payable without the receiver's coin, fee included.
    limit = coin.value_sat - value_sat - _KEPT_SAT
    theirs = [each for each in receiver.coins.values() if each.script.kind is ScriptType.P2WPKH]
    theirs = [each for each in theirs if _POSTAGE_SAT <= each.value_sat < min(limit, coin.value_sat)]
    return (coin, theirs[0]) if theirs else None


def stonewall(world: World, wallet: Wallet, script: Script, value_sat: int) -> Sent | None:
    """Pay in the shape of a CoinJoin of two, all by oneself; None if the wallet has not got two sets of coins."""
    coins = [coin for coin in wallet.coins.values() if coin.script.kind is ScriptType.P2WPKH]
    first: list[Coin] = []
    second: list[Coin] = []
    used: set[int] = set()
    least = value_sat + _KEPT_SAT
    for coin in sorted(coins, key=lambda each: (-each.value_sat, each.outpoint)):
        side = first if value_of(first) < least else second
        if value_of(second) < least and coin.script.number not in used:
            side.append(coin)
            used.add(coin.script.number)
    if value_of(first) < least or value_of(second) < least:
        return None
    decoy = world.new_script(wallet, "change", kind=ScriptType.P2WPKH)
    returns = [world.new_script(wallet, "change", kind=ScriptType.P2WPKH) for _ in range(2)]
    inputs = [*first, *second]
    half = -(-fee_of(world, wallet, inputs, (script, decoy, *returns)) // 2)
    rests = [value_of(first) - value_sat - half, value_of(second) - value_sat - half]
    if min(rests) < DUST_SAT or rests[0] == rests[1]:
        return None
    outputs = [Payment(script, value_sat), Payment(decoy, value_sat, change=True)]
    outputs += [Payment(each, rest, change=True) for each, rest in zip(returns, rests, strict=True)]
    wallet.stream.shuffle(inputs)
    wallet.stream.shuffle(outputs)
    return world.send(wallet, inputs, outputs, "payment", protocol="stonewall")


def pay_wages(world: World, wallet: Wallet, scripts: Sequence[Script]) -> Sent | None:
    """Pay the same to each script out of three coins or more: one payer in the shape of a CoinJoin."""
    coins = list(wallet.coins.values())[:6]
    if len(coins) < _WAGE_COINS:
        return None
    wage = value_of(coins) * 6 // 10 // len(scripts) // 10_000 * 10_000
    back = world.new_script(wallet, "change")
    fee = fee_of(world, wallet, coins, (*scripts, back))
    change = value_of(coins) - wage * len(scripts) - fee
    if wage < _KEPT_SAT or change < DUST_SAT:
        return None
    payments = [Payment(script, wage) for script in scripts]
    choice = Choice(coins, fee, change)
    return world.send_choice(wallet, choice, payments, "payment", protocol="wages", change_script=back)


def trade(world: World, seller: Wallet, buyer: Wallet, price_sat: int) -> Sent | None:
    """Sell a thing wrapped in a coin: the seller signs only his input and his price (SINGLE | ANYONECANPAY)."""
    thing = next((coin for coin in seller.coins.values() if coin.value_sat < price_sat), None)
    coins: list[Coin] = []
    for coin in buyer.coins.values():
        if value_of(coins) < price_sat + _KEPT_SAT + _POSTAGE_SAT:
            coins.append(coin)
    if thing is None or value_of(coins) < price_sat + _KEPT_SAT + _POSTAGE_SAT:
        return None
    paid = world.receive_script(seller)
    wrapped = world.new_script(buyer)
    back = world.new_script(buyer, "change")
    inputs = [thing, *coins]
    fee = fee_of(world, buyer, inputs, (paid, wrapped, back))
    change = value_of(inputs) - price_sat - _POSTAGE_SAT - fee
    if change < DUST_SAT:
        return None
    outputs = [Payment(paid, price_sat), Payment(wrapped, _POSTAGE_SAT), Payment(back, change, change=True)]
    sighash = [SINGLE_ANYONECANPAY, *(1 for _ in coins)]
    return world.send(buyer, inputs, outputs, "payment", protocol="trade", sighash=sighash)


def open_channel(world: World, opener: tuple[Wallet, Coin], other: tuple[Wallet, Coin], channels: Wallet) -> Sent:
    """A dual-funded Lightning channel: a P2WSH 2-of-2 output that both pay for, and change for each.

    Args:
        world: where.
        opener: wallet and coin of who opens.
        other: wallet and coin of the other side.
        channels: the opener's wallet for channels; it holds the joint output.
    """
    secrets = tuple(
        hashlib.sha256(f"{world.seed} channel {channels.name} {channels.made} {side}".encode()).digest()
        for side in ("opener", "other")
    )
    script_pubkey, witness_script, secret = world.keys.joint_script((secrets[0], secrets[1]))
    joint = Script(
        script_pubkey, ScriptType.P2WSH, secret, b"", channels.number, channels.entity_id, "receive", low_r=True,
        witness_script=witness_script,
    )  # fmt: skip
    world.adopt_script(joint, channels)
    shares = [coin.value_sat * wallet.stream.between(40, 80) // 100 for wallet, coin in (opener, other)]
    backs = [world.new_script(wallet, "change") for wallet, _ in (opener, other)]
    inputs = [opener[1], other[1]]
    fee = fee_of(world, opener[0], inputs, (joint, *backs))
    outputs = [Payment(joint, sum(shares))]
    for place, (coin, back) in enumerate(zip(inputs, backs, strict=True)):
        # The opener pays for the common parts: here, for everything.
        outputs.append(Payment(back, coin.value_sat - shares[place] - (fee if place == 0 else 0), change=True))
    opener[0].stream.shuffle(inputs)
    opener[0].stream.shuffle(outputs)
    return world.send(opener[0], inputs, outputs, "payment", protocol="channel")


def close_channel(world: World, channels: Wallet, sides: Sequence[Wallet]) -> Sent | None:
    """Close the oldest channel of a wallet together: the witness reveals that it was joint."""
    coin = next(iter(channels.coins.values()), None)
    if coin is None:
        return None
    scripts = [world.new_script(wallet) for wallet in sides]
    rest = coin.value_sat - fee_of(world, channels, [coin], scripts)
    first = rest * channels.stream.between(15, 85) // 100
    values = (first, rest - first)
    outputs = [Payment(script, value) for script, value in zip(scripts, values, strict=True)]
    return world.send(channels, [coin], outputs, "payment", protocol="channel")


def attack_with_dust(world: World, attacker: Wallet, scripts: Sequence[Script]) -> Sent | None:
    """Send 546 sat to each of many scripts, hoping that somebody spends them together with the rest."""
    return world.pay(attacker, [Payment(script, DUST_SAT) for script in scripts], "payment", protocol="dust")
