"""Fingerprint of an input: what its scriptSig and witness show about the wallet that signed it.

The bits are recognised by shape alone, without the script that is spent and without checking a signature, so that the
same answer comes from one pass over the block. They are stored in the ledger and never change their meaning. Shapes:
BIP66 (DER signatures), BIP141 (witness), BIP340 and BIP341 (Schnorr signatures, annex, control block).
"""

from collections.abc import Iterator
from enum import IntFlag

from cointrail.bitcoin.script import OP_16, OP_PUSHDATA4, iterate_pushes
from cointrail.errors import EncodingError

_ANNEX_TAG = b"\x50"
_DEEPEST_PATH = 128  # BIP341: a control block is 33 + 32 k bytes, k at most 128
_LONGEST_LOW_R = 32


class InputFlag(IntFlag):
    """Bits of an input's fingerprint. The values are part of the store format (u16)."""

    WITNESS = 1
    NESTED = 2
    ANYONECANPAY = 4
    LOW_R = 8
    HIGH_R = 16
    COMPRESSED_KEY = 32
    UNCOMPRESSED_KEY = 64
    KEY_PATH = 128
    SCRIPT_PATH = 256
    OTHER_SIGHASH = 512
    MULTI_SIGNATURE = 1024
    SCHNORR = 2048
    TWO_OF_TWO = 4096


def input_flags(script_sig: bytes, witness: tuple[bytes, ...]) -> int:
    """Return the fingerprint of one input.

    Args:
        script_sig: the input's scriptSig.
        witness: the input's witness items, in order; empty for an input without witness.

    Returns:
        A union of `InputFlag` bits as a plain integer. LOW_R says that there is an ECDSA signature and none has an R
        of 33 bytes; MULTI_SIGNATURE that more than one signature of either kind was seen; TWO_OF_TWO that the witness
        reveals a script of two compressed keys that both have to sign, as a Lightning channel's (BOLT 3).
    """
    flags = signatures = 0
    if witness:
        flags |= InputFlag.WITNESS
        if script_sig:
            flags |= InputFlag.NESTED
        elif _is_two_of_two(witness[-1]):
            flags |= InputFlag.TWO_OF_TWO
    taproot_flags, schnorr, items = (0, 0, list(witness)) if script_sig else _taproot(witness)
    flags |= taproot_flags
    for item in (*_pushed(script_sig), *items):
        if _is_ecdsa_signature(item):
            signatures += 1
            flags |= InputFlag.LOW_R if item[3] <= _LONGEST_LOW_R else InputFlag.HIGH_R
            flags |= _sighash_flags(item[-1], usual=(1,))
        flags |= _key_flag(item)
    if flags & InputFlag.HIGH_R:
        flags &= ~InputFlag.LOW_R
    if signatures + schnorr > 1:
        flags |= InputFlag.MULTI_SIGNATURE
    return int(flags)


def _pushed(script_sig: bytes) -> Iterator[bytes]:
    """Yield what a scriptSig pushes, up to the first truncated push or opcode that is not a push."""
    try:
        for opcode, data, _ in iterate_pushes(script_sig):
            if opcode > OP_16:
                return
            if data is not None and 0 < opcode <= OP_PUSHDATA4:
                yield data
    except EncodingError:
        return


def _taproot(witness: tuple[bytes, ...]) -> tuple[int, int, list[bytes]]:
    """Look at a witness as a taproot spend.

    Returns:
        The flags found, the number of Schnorr signatures, and the items left for the other rules.
    """
    items = list(witness)
    if len(items) >= 2 and items[-1][:1] == _ANNEX_TAG:
        items.pop()
    if len(items) == 1 and len(items[0]) in (64, 65):
        return InputFlag.KEY_PATH | _schnorr_flags(items[0]), 1, []
    if len(items) < 2 or not _is_control_block(items[-1]):
        return 0, 0, items
    flags, schnorr, others = int(InputFlag.SCRIPT_PATH), 0, []
    for item in items[:-2]:  # the last two are the script and its control block
        if len(item) in (64, 65):
            schnorr += 1
            flags |= _schnorr_flags(item)
        else:
            others.append(item)
    return flags, schnorr, others


def _schnorr_flags(signature: bytes) -> int:
    flags = int(InputFlag.SCHNORR)
    if len(signature) == 65:
        flags |= _sighash_flags(signature[64], usual=(0, 1))
    return flags


def _sighash_flags(hash_type: int, *, usual: tuple[int, ...]) -> int:
    flags = 0
    if hash_type & 0x80:
        flags |= InputFlag.ANYONECANPAY
    if hash_type not in usual:
        flags |= InputFlag.OTHER_SIGHASH
    return flags


def _is_control_block(item: bytes) -> bool:
    depth, rest = divmod(len(item) - 33, 32)
    return rest == 0 and 0 <= depth <= _DEEPEST_PATH and item[0] & 0xFE >= 0xC0


def _is_two_of_two(script: bytes) -> bool:
    return len(script) == 71 and script[:2] == b"\x52\x21" and script[35] == 0x21 and script[69:] == b"\x52\xae"


def _is_ecdsa_signature(item: bytes) -> bool:
    """Return whether the item starts like a DER signature followed by a hash type."""
    return (
        9 <= len(item) <= 73
        and item[0] == 0x30
        and item[1] == len(item) - 3
        and item[2] == 0x02
        and 5 + item[3] < len(item)
    )


def _key_flag(item: bytes) -> int:
    if len(item) == 33 and item[0] in (2, 3):
        return InputFlag.COMPRESSED_KEY
    if len(item) == 65 and item[0] in (4, 6, 7):
        return InputFlag.UNCOMPRESSED_KEY
    return 0
