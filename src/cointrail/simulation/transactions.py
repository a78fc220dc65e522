"""Writing transactions: from chosen coins and outputs to bytes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from cointrail.bitcoin.encoding import write_compact_size
from cointrail.bitcoin.hashes import double_sha256
from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.keys import Keys, Script, Signing

_I32 = struct.Struct("<i").pack
_U32 = struct.Struct("<I").pack
_I64 = struct.Struct("<q").pack

INPUT_WEIGHT = {
    ScriptType.P2PKH: 4 * 148,
    ScriptType.P2SH: 4 * 64 + 108,
    ScriptType.P2WPKH: 4 * 41 + 108,
    ScriptType.P2TR: 4 * 41 + 66,
    ScriptType.P2WSH: 4 * 41 + 222,  # a 2-of-2
}
OUTPUT_VSIZE = {
    ScriptType.P2PKH: 34,
    ScriptType.P2SH: 32,
    ScriptType.P2WPKH: 31,
    ScriptType.P2TR: 43,
    ScriptType.P2WSH: 43,
}
OVERHEAD_WEIGHT = 44


@dataclass(slots=True, eq=False)
class Coin:
    """An output somebody can spend.

    Attributes:
        outpoint: 36 bytes; value_sat; script: whose it is; height: of its block.
    """

    outpoint: bytes
    value_sat: int
    script: Script
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A finished transaction.

    Attributes:
        raw: with witness; stripped: without; txid, wtxid: internal order.
    """

    raw: bytes
    txid: bytes
    wtxid: bytes
    weight: int


def build(
    keys: Keys,
    coins: Sequence[Coin],
    outputs: Sequence[tuple[bytes, int]],
    *,
    version: int,
    sequences: Sequence[int],
    lock_time: int,
    sighash: Sequence[int] | None = None,
) -> Built:
    """Write a transaction.

    Args:
        keys: what unlocks the inputs.
        coins: what is spent, in input order.
        outputs: (scriptPubKey, value in sat), in output order.
        version: of the transaction.
        sequences: one for each input.
        lock_time: of the transaction.
        sighash: hash type of each input's signature; ALL if not given.
    """
    types = sighash or (1,) * len(coins)
    unlocking = _unlock(keys, coins, outputs, version, sequences, lock_time, types)
    head, tail = _I32(version), _U32(lock_time)
    inputs = [write_compact_size(len(coins))]
    for coin, (script_sig, _), sequence in zip(coins, unlocking, sequences, strict=True):
        inputs += (coin.outpoint, script_sig, _U32(sequence))
    inputs.append(write_compact_size(len(outputs)))
    for script_pubkey, value_sat in outputs:
        inputs += (_I64(value_sat), write_compact_size(len(script_pubkey)), script_pubkey)
    body = b"".join(inputs)
    stripped = head + body + tail
    txid = double_sha256(stripped)
    if not any(witness for _, witness in unlocking):
        return Built(stripped, txid, txid, 4 * len(stripped))
    raw = head + b"\x00\x01" + body + b"".join(witness or b"\x00" for _, witness in unlocking) + tail
    return Built(raw, txid, double_sha256(raw), 3 * len(stripped) + len(raw))


def _unlock(
    keys: Keys,
    coins: Sequence[Coin],
    outputs: Sequence[tuple[bytes, int]],
    version: int,
    sequences: Sequence[int],
    lock_time: int,
    sighash: Sequence[int],
) -> list[tuple[bytes, bytes]]:
    """(scriptSig with its length, serialised witness) of every input."""
    if keys.signer is None:
        return [keys.placeholder(coin.script, kind) for coin, kind in zip(coins, sighash, strict=True)]
    signing = Signing(
        version=version,
        lock_time=lock_time,
        outpoints=tuple(coin.outpoint for coin in coins),
        sequences=tuple(sequences),
        values=tuple(coin.value_sat for coin in coins),
        scripts=tuple(coin.script.script_pubkey for coin in coins),
        outputs=tuple((value, script) for script, value in outputs),
        locks=tuple(coin.script for coin in coins),
        sighash=tuple(sighash),
    )
    unlocked = []
    for position in range(len(coins)):
        script_sig, witness = keys.signer.unlock(signing, position)
        items = b"".join(write_compact_size(len(item)) + item for item in witness)
        unlocked.append(
            (write_compact_size(len(script_sig)) + script_sig, bytes((len(witness),)) + items if witness else b"")
        )
    return unlocked


def estimated_vsize(coins: Sequence[Coin], output_types: Sequence[ScriptType]) -> int:
    """Size in vbytes a wallet expects before it signs."""
    weight = OVERHEAD_WEIGHT + sum(INPUT_WEIGHT[coin.script.kind] for coin in coins)
    return -(-weight // 4) + sum(OUTPUT_VSIZE.get(kind, 43) for kind in output_types)
