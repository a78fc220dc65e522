"""How keys are written down: output descriptors with checksum (BIP380) and a PSBT (BIP174). Nothing here signs."""

from collections.abc import Sequence

from cointrail.bitcoin.encoding import write_compact_size
from cointrail.simulation.plot.bip32 import ExtendedKey

_CHARACTERS = (
    "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "  # BIP380
)
_CHECKSUM = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)


def with_checksum(descriptor: str) -> str:
    """A descriptor and, behind `#`, its checksum."""
    symbols: list[int] = []
    groups: list[int] = []
    for character in descriptor:
        value = _CHARACTERS.index(character)
        symbols.append(value & 31)
        groups.append(value >> 5)
        if len(groups) == 3:
            symbols.append(groups[0] * 9 + groups[1] * 3 + groups[2])
            groups = []
    if groups:
        symbols.append(groups[0] if len(groups) == 1 else groups[0] * 3 + groups[1])
    remainder = 1
    for symbol in (*symbols, *[0] * 8):
        top = remainder >> 35
        remainder = (remainder & 0x7FFFFFFFF) << 5 ^ symbol
        for place, term in enumerate(_GENERATOR):
            if top >> place & 1:
                remainder ^= term
    remainder ^= 1
    return descriptor + "#" + "".join(_CHECKSUM[remainder >> 5 * (7 - place) & 31] for place in range(8))


def branch_descriptor(account: ExtendedKey, branch: int, origin: str) -> str:
    """P2WPKH descriptor, with checksum, of a branch of an account; `origin` is the part in brackets, or empty."""
    return with_checksum(f"wpkh({origin}{account.neuter().serialize()}/{branch}/*)")


def psbt(
    unsigned: bytes,
    spent: Sequence[tuple[int, bytes]],
    keys: Sequence[tuple[bytes, bytes, Sequence[int]]],
) -> bytes:
    """A PSBT that nobody has signed.

    Args:
        unsigned: the transaction, with empty scriptSigs and one output.
        spent: (value, scriptPubKey) each input spends.
        keys: (public key, master fingerprint, path) of each input.
    """
    parts = [b"psbt\xff", _entry(b"\x00", unsigned), b"\x00"]
    for (value_sat, script_pubkey), (public_key, fingerprint, path) in zip(spent, keys, strict=True):
        output = value_sat.to_bytes(8, "little") + write_compact_size(len(script_pubkey)) + script_pubkey
        steps = b"".join(step.to_bytes(4, "little") for step in path)
        parts += (_entry(b"\x01", output), _entry(b"\x06" + public_key, fingerprint + steps), b"\x00")
    return b"".join((*parts, b"\x00"))


def _entry(key: bytes, value: bytes) -> bytes:
    return write_compact_size(len(key)) + key + write_compact_size(len(value)) + value
