"""Tags on scripts of a snapshot, and how they are gathered: each tag of an address is looked up in the ledger once.

What is of another chain or network, or of an address that nothing pays, is counted and left out.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.attribution.claims import Stated
from cointrail.bitcoin.network import NETWORKS
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE

I64 = npt.NDArray[np.int64]

_NUMBER_BITS: Final = 31

OWN: Final = "table"
"""The format whose tags are the asker's own if it is given with the question and they give no confidence."""


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """Tags of scripts.

    Attributes:
        script_id, number: int64 (n,), a tagged script, ascending, and which statement it has.
        stated: the statements, by number.
        lists: names of the files or collections, ascending.
        digest: of the tag set, SHA-256 in hex.
        absent: tags of addresses of this network that nothing pays.
        elsewhere: tags of other chains or networks, by their address or their own word, or of what is no address; None
            for imported ones, which are not all looked at.
        known_at: as of when, or None.
    """

    script_id: I64
    number: I64
    stated: tuple[Stated, ...]
    lists: tuple[str, ...]
    digest: str
    absent: int
    elsewhere: int | None
    known_at: str | None = None

    def on(self, scripts: I64) -> Iterator[tuple[int, Stated]]:
        """(script_id, statement) of each tag on these scripts, which are ascending."""
        rows = np.flatnonzero(np.isin(self.script_id, scripts))
        for row in rows.tolist():
            yield int(self.script_id[row]), self.stated[int(self.number[row])]

    def with_tag(self, script_id: int, stated: Stated) -> "Resolved":
        """These tags and one more, which enters the digest by what it says."""
        number = self.stated.index(stated) if stated in self.stated else len(self.stated)
        scripts, numbers = distinct_pairs(np.append(self.script_id, script_id), np.append(self.number, number))
        told = hashlib.sha256(f"{self.digest} {script_id} {stated}".encode()).hexdigest()
        return replace(
            self, script_id=scripts, number=numbers, stated=tuple(dict.fromkeys([*self.stated, stated])), digest=told
        )


def distinct_pairs(script_id: I64, number: I64) -> tuple[I64, I64]:
    """Pairs of a script and a number below 2^31, ascending, each once."""
    keys = np.unique(script_id << _NUMBER_BITS | number)
    return keys >> _NUMBER_BITS, keys & ((1 << _NUMBER_BITS) - 1)


def bit_of(reader: Reader) -> int:
    """The bit of the reader's network in `Located.networks`."""
    return 1 << list(NETWORKS).index(reader.snapshot.network)


class Gathered:
    """Tags while they are looked up.

    Args:
        reader: the ledger at a snapshot.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader, self._bit = reader, bit_of(reader)
        self._numbers: dict[Stated, int] = {}
        self._scripts: list[I64] = []
        self._statements: list[I64] = []
        self.absent = self.elsewhere = 0

    def add(self, stated: Sequence[Stated], hashes: Sequence[bytes | None], networks: Sequence[int]) -> None:
        """Look up a portion of tags: what each says, the script hash of its address, and on which networks it is."""
        here = [at for at, digest in enumerate(hashes) if digest is not None and networks[at] & self._bit]
        self.elsewhere += len(hashes) - len(here)
        if not here:
            return
        digests = np.frombuffer(b"".join(hashes[at] or b"" for at in here), np.uint8).reshape(-1, 32)
        numbers = np.array([self._numbers.setdefault(stated[at], len(self._numbers)) for at in here], np.int64)
        scripts = self._reader.find_script_hashes(digests)
        known = scripts != NONE
        self.absent += int((~known).sum())
        self._scripts.append(scripts[known])
        self._statements.append(numbers[known])

    def resolved(self, lists: tuple[str, ...], digest: str) -> Resolved:
        """The result; a tag that two lines give alike is there once."""
        none = np.empty(0, np.int64)
        script_id, number = distinct_pairs(
            np.concatenate([none, *self._scripts]), np.concatenate([none, *self._statements])
        )
        return Resolved(script_id, number, tuple(self._numbers), lists, digest, self.absent, self.elsewhere)
