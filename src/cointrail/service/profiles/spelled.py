"""The addresses of many scripts at once: lists of a million rows would wait longest for their checksums.

What `bitcoin.address` says of one script, over columns, for witness programs; all others are spelled one by one.
Sources: BIP173, BIP350.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.bech32 import CHARSET, Encoding
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.script import ScriptType
from cointrail.ledger.reader import Reader
from cointrail.service.names import address_or_none

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

_LETTERS: Final = np.frombuffer(CHARSET.encode("ascii"), np.uint8)
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_PROGRAMS: Final = ((ScriptType.P2WPKH, 0, 20), (ScriptType.P2WSH, 0, 32), (ScriptType.P2TR, 1, 32))
_FINAL: Final = {0: Encoding.BECH32.value, 1: Encoding.BECH32M.value}
_CHECKSUM: Final = 6
_FEW: Final = 50  # fewer are spelled sooner one by one


def addresses(reader: Reader, scripts: I64) -> list[str | None]:
    """The address of each script, None where it has none."""
    found: list[str | None] = [None] * len(scripts)
    kinds = reader.column("script", "type")[scripts]
    rest = np.ones(len(scripts), np.bool_)
    for kind, version, size in _PROGRAMS:
        rows = np.flatnonzero(kinds == kind)
        if len(rows) >= _FEW:
            programs = reader.column("script", "payload")[scripts[rows], :size]
            prefix = NETWORKS[reader.snapshot.network].bech32_prefix
            for row, text in zip(rows.tolist(), _witness(prefix, version, programs), strict=True):
                found[row] = text
            rest[rows] = False
    for row in np.flatnonzero(rest).tolist():
        found[row] = address_or_none(reader, reader.script_pubkey(int(scripts[row])))
    return found


def names(reader: Reader, scripts: I64) -> list[str]:
    """The same, `script:HEX` where a script has no address."""
    return [
        address or f"script:{reader.script_pubkey(script).hex()}"
        for script, address in zip(scripts.tolist(), addresses(reader, scripts), strict=True)
    ]


def _witness(prefix: str, version: int, programs: U8) -> list[str]:
    """Addresses of witness programs, uint8 (n, 20) or (n, 32)."""
    values = np.concatenate([np.full((len(programs), 1), version, np.uint8), _fives(programs)], axis=1)
    spelled = np.concatenate([values, _checksums(prefix, version, values)], axis=1)
    width = spelled.shape[1]
    text = _LETTERS[spelled].tobytes().decode("ascii")
    return [f"{prefix}1{text[at : at + width]}" for at in range(0, len(text), width)]


def _fives(programs: U8) -> U8:
    """Bytes as groups of five bits, the last filled up with zeros."""
    bits = np.unpackbits(programs, axis=1)
    missing = -bits.shape[1] % 5
    bits = np.pad(bits, ((0, 0), (0, missing))).reshape(len(programs), -1, 5)
    groups: U8 = (bits @ np.array([16, 8, 4, 2, 1], np.uint8)).astype(np.uint8)
    return groups


def _checksums(prefix: str, version: int, values: U8) -> U8:
    letters = prefix.encode("ascii")
    head = [each >> 5 for each in letters] + [0] + [each & 31 for each in letters]
    state = np.ones(len(values), np.uint32)
    columns = [np.full(len(values), each, np.uint8) for each in head]
    columns += [values[:, place] for place in range(values.shape[1])]
    columns += [np.zeros(len(values), np.uint8)] * _CHECKSUM
    for column in columns:
        top = state >> np.uint32(25)
        state = ((state & np.uint32(0x1FFFFFF)) << np.uint32(5)) ^ column
        for place, number in enumerate(_GENERATOR):
            state ^= ((top >> np.uint32(place)) & np.uint32(1)) * np.uint32(number)
    state ^= np.uint32(_FINAL[version])
    shifts = np.arange(5 * (_CHECKSUM - 1), -1, -5, dtype=np.uint32)
    checks: U8 = ((state[:, None] >> shifts) & np.uint32(31)).astype(np.uint8)
    return checks
