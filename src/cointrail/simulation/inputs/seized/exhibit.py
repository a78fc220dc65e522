"""A seized file and what is in it: every planted artefact has its place in the truth table `artefacts`.

`path` is the file below the folder `inputs`. `container_path` is empty for bytes that stand in the file itself.
Otherwise it names the containers from the outside inwards, parted by `/`: `gzip@N`, `zip@N`, `base64@N` and `qr@N` are
streams that begin at byte N of what surrounds them (for a QR code its picture file), and behind a `zip@N` stands the
member's name. `offset` and `length` are bytes of the innermost content. `value_sha256` is that of the value: text as
UTF-8 whatever the file's encoding, keys inside binary records and whole files as their bytes.

Kinds: address, txid, descriptor, extended_public_key, extended_private_key, private_key (WIF, or 32 bytes in a record),
mnemonic, psbt, and the files wallet_bdb, wallet_sqlite, wallet_electrum, database. A decoy has the kind it resembles,
or `digest`.
"""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from cointrail.simulation.truth import ArtefactRow


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: a container at a byte of the file and the way on inside it, or the file itself."""

    scheme: str = ""
    at: int = 0
    inner: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}@{self.at}{self.inner}" if self.scheme else ""


@dataclass(frozen=True, slots=True)
class Find:
    """An artefact inside an exhibit; the fields are those of the truth table."""

    offset: int
    length: int
    kind: str
    value_sha256: bytes
    is_secret: bool = False
    script_hash: bytes = b""
    is_decoy: bool = False
    place: Place = Place()

    def moved(self, distance: int) -> "Find":
        """The same where the exhibit's bytes begin later in something larger."""
        if self.place.scheme:
            return replace(self, place=replace(self.place, at=self.place.at + distance))
        return replace(self, offset=self.offset + distance)

    def inside(self, scheme: str, at: int = 0, member: str = "") -> "Find":
        """The same where the exhibit's bytes are packed into a container."""
        member = f"/{member}" if member else ""
        inner = f"/{self.place}" if self.place.scheme else ""
        return replace(self, place=Place(scheme, at, member + inner))

    def row(self, path: str) -> ArtefactRow:
        """The row of the truth table."""
        return ArtefactRow(
            path,
            str(self.place),
            self.offset,
            self.length,
            self.kind,
            self.is_secret,
            self.value_sha256,
            self.script_hash,
            self.is_decoy,
        )


@dataclass(slots=True)
class Exhibit:
    """A seized file.

    Attributes:
        path: below `seized/`.
        finds: what is planted in it.
    """

    path: str
    finds: list[Find] = field(default_factory=list)

    def rows(self, folder: str) -> list[ArtefactRow]:
        """Rows of the truth table; `folder` is the name of that of the seized media."""
        return [find.row(f"{folder}/{self.path}") for find in self.finds]


@dataclass(slots=True)
class Draft:
    """Content of a small exhibit, growing.

    Attributes:
        encoding: of its text.
        content: so far; may hold secrets.
        finds: planted so far.
    """

    encoding: str = "ascii"
    content: bytearray = field(default_factory=bytearray, repr=False)
    finds: list[Find] = field(default_factory=list)

    def text(self, words: str) -> None:
        """Add text that means nothing."""
        self.content += words.encode(self.encoding)

    def plant(
        self, value: str, kind: str, *, secret: bool = False, script_pubkey: bytes = b"", decoy: bool = False
    ) -> None:
        """Add an artefact that is text."""
        spelled = value.encode(self.encoding)
        script_hash = hashlib.sha256(script_pubkey).digest() if script_pubkey else b""
        digest = hashlib.sha256(value.encode()).digest()
        self.finds.append(Find(len(self.content), len(spelled), kind, digest, secret, script_hash, decoy))
        self.content += spelled

    def whole(self, kind: str) -> None:
        """Record the content, which is complete, as an artefact of its own."""
        self.finds.insert(0, Find(0, len(self.content), kind, hashlib.sha256(self.content).digest()))

    def write(self, folder: Path, path: str) -> Exhibit:
        """Write the file below the folder."""
        return write(folder, path, bytes(self.content), self.finds)


def write(folder: Path, path: str, content: bytes, finds: list[Find]) -> Exhibit:
    """Write a small exhibit's file."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return Exhibit(path, finds)
