"""Signed lists of transactions whose co-spend is not believed, and building the clusters again with them.

A list is a text file, one txid a line, `#` begins a remark; its signature lies beside it as `FILE.minisig`. A ledger
keeps copies of the lists in force in `lists/`, named by their SHA-256; the names and hashes are parameters of its
clusters. A list can only keep scripts apart (METHODS.md 2.6 and 3.2).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cointrail.bitcoin.hashes import parse_hash
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.gate.lists import TransactionList
from cointrail.errors import InputRefused, NotFound, Unavailable, UsageError
from cointrail.ledger import manifest as manifests
from cointrail.ledger.columns import disk_error
from cointrail.ledger.manifest import Clustering
from cointrail.ledger.writer import Writer
from cointrail.service import minisign
from cointrail.service.clustering.files import read_file

_LARGEST = 1 << 28
_LIST = "give a text file with one txid a line; its signature lies beside it as FILE.minisig"
_FOLDER = "lists"


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """A list in force: who vouches for it is in `key_id` and `comment` after it was added."""

    name: str
    sha256: str
    transactions: int | None = None
    key_id: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ListsAnswer:
    """The lists that the clusters of a ledger were built with."""

    ledger: str
    lists: tuple[ListAnswer, ...]


def lists_in_force(folder: Path, clustering: Clustering) -> tuple[TransactionList, ...]:
    """The lists that a ledger's clusters were built with, from the ledger's own copies.

    Raises:
        Unavailable: a copy is missing or was changed.
    """
    found = []
    for each in clustering.lists:
        hint = f"put the file with SHA-256 {each.sha256} back into {folder / _FOLDER}"
        try:
            content = read_file(folder / _FOLDER / f"{each.sha256}.txt", _LARGEST, hint)
        except Unavailable as error:
            raise Unavailable(str(error), hint=hint) from error
        if hashlib.sha256(content).hexdigest() != each.sha256:
            raise Unavailable(f"the ledger's copy of list {each.name} was changed", hint=hint)
        found.append(parse_list(each.name, content))
    return tuple(found)


def parse_list(name: str, content: bytes) -> TransactionList:
    """Read a list.

    Raises:
        InputRefused: a line is not a txid; the message names it.
    """
    txids = []
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputRefused(f"list {name} is not a text file in UTF-8") from None
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text:
            try:
                txids.append(parse_hash(text))
            except InputRefused as error:
                raise InputRefused(f"list {name}, line {number}: {error}") from None
    cells = np.frombuffer(b"".join(sorted(set(txids))), np.uint8).reshape(-1, 32)
    return TransactionList(name, hashlib.sha256(content).hexdigest(), cells)


def lists(ledger: Path) -> ListsAnswer:
    """The lists in force in a ledger.

    Raises:
        Unavailable: there is no ledger, or a copy is missing or was changed.
    """
    clustering = manifests.read(ledger).clustering
    found = lists_in_force(ledger, clustering)
    return ListsAnswer(str(ledger), tuple(ListAnswer(each.name, each.sha256, len(each.txids)) for each in found))


def add_list(ledger: Path, file: Path, public_key: str, watch: Callable[[int], None] = lambda _: None) -> ListAnswer:
    """Put a signed list in force and build the ledger's clusters again.

    Args:
        ledger: the ledger.
        file: the list; its signature is `FILE.minisig`.
        public_key: minisign's, of whom is trusted to have signed it.
        watch: called with the height that is done.

    Raises:
        InputRefused: the signature is not that key's, or the list is malformed.
        UsageError: the list is in force already.
        Unavailable: something cannot be read or written, or another program is writing to the ledger.
    """
    content, signature_file = read_file(file, _LARGEST, _LIST), file.with_name(file.name + ".minisig")
    signature = read_file(signature_file, _LARGEST, _LIST)
    vouched = minisign.verify(content, signature.decode("utf-8", "replace"), public_key)
    added = parse_list(file.name, content)
    manifest = manifests.read(ledger)
    with Writer(ledger, manifest.network) as writer:
        present = lists_in_force(ledger, writer.clustering)
        if any(each.sha256 == added.sha256 for each in present):
            raise UsageError(f"list {file.name} is in force already")
        _keep(ledger, f"{added.sha256}.txt", content)
        _keep(ledger, f"{added.sha256}.txt.minisig", signature)
        bring_up(writer, (*present, added), watch=watch)
        writer.publish()
    return ListAnswer(added.name, added.sha256, len(added.txids), vouched.key_id, vouched.comment)


def remove_list(ledger: Path, name: str, watch: Callable[[int], None] = lambda _: None) -> ListAnswer:
    """Take a list out of force and build the ledger's clusters again.

    Args:
        ledger: the ledger.
        name: its name or SHA-256.
        watch: called with the height that is done.

    Raises:
        NotFound: no such list is in force.
        Unavailable: something cannot be read or written, or another program is writing to the ledger.
    """
    with Writer(ledger, manifests.read(ledger).network) as writer:
        present = writer.clustering.lists
        gone = next((each for each in present if name in (each.name, each.sha256)), None)
        if gone is None:
            names = ", ".join(each.name for each in present) or "none"
            raise NotFound(f"no list {name} is in force", hint=f"in force: {names}")
        # Only the copies of those that stay are read: one that was lost can be removed.
        staying = replace(writer.clustering, lists=tuple(each for each in present if each is not gone))
        bring_up(writer, lists_in_force(ledger, staying), watch=watch)
        writer.publish()
    return ListAnswer(gone.name, gone.sha256)


def _keep(ledger: Path, name: str, content: bytes) -> None:
    """Write a copy into the ledger, whole or not at all."""
    folder = ledger / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
        temporary = folder / f"{name}.new"
        temporary.write_bytes(content)
        temporary.replace(folder / name)
        manifests.sync_folder(folder)
    except OSError as error:
        raise disk_error(error, folder / name) from error
