"""A proof as a document of its own: what a stranger needs to check it, and nothing else.

JSON-able and self-contained: scripts in hex, txids as nodes display them, raw transactions in hex. `read` takes a file
from anybody: it checks size, types and hex before anything is believed, and says what is wrong. Above L1 the document
is of version 2: its steps may be inferences, which raw transactions do not prove, and says which they are.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cointrail.errors import InputRefused

FORMAT = "cointrail.proof"
VERSION, VERSION_ABOVE = 1, 2
LEVEL = "L1"
MOST_BYTES = 64_000_000

_HEX = frozenset("0123456789abcdef")
_HASH_DIGITS = 64
_LONGEST_TEXT = 100
_MOST_VOTES = 32


@dataclass(frozen=True, slots=True)
class DocumentStep:
    """One step: the transaction, by its txid and the hash with witness, the rule, and both scripts in hex."""

    txid: str
    wtxid: str
    rule: str
    version: int
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said of a step that names a change output; raw transactions do not show that it is change.

    Attributes:
        decided_by: txid of the last transaction that was read.
        votes: the rules that chose the output, none for a model.
        basis_points: probability that a model gives, 0 for a vote.
        model: SHA-256 of the model's file, empty for a vote.
    """

    decided_by: str
    votes: tuple[str, ...]
    basis_points: int
    model: str


@dataclass(frozen=True, slots=True)
class InferenceStep(DocumentStep):
    """A step above L1: a transaction that spends one of both scripts and is said to pay change to the other."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class AsOf:
    """The block the proof's snapshot ends with."""

    height: int
    block_hash: str


@dataclass(frozen=True, slots=True)
class ProofDocument:
    """Two scripts are in one cluster, because.

    Attributes:
        a, b: scriptPubKeys in hex.
        network: whose chain.
        level: of the cluster.
        as_of: snapshot it was made at.
        steps: from `a` to `b`; each begins with the script the one before ended with.
        transactions: raw, in hex: those of the steps with their witness, and those that funded their inputs without;
            for an inference the one that decided it, too.
        format, version: of this document; 1 for L1, 2 above.
    """

    a: str
    b: str
    network: str
    level: str
    as_of: AsOf
    steps: tuple[DocumentStep | InferenceStep, ...]
    transactions: tuple[str, ...]
    format: str = FORMAT
    version: int = VERSION


def write(document: ProofDocument) -> bytes:
    """The document as a file.

    Raises:
        InputRefused: it would be larger than `read` takes.
    """
    raw = (json.dumps(asdict(document), indent=1, sort_keys=True) + "\n").encode()
    if len(raw) > MOST_BYTES:
        raise InputRefused(
            f"the proof has {len(raw):,} bytes, more than the {MOST_BYTES:,} that a proof may have",
            hint="prove the way in pieces: ask for scripts in the middle of it",
        )
    return raw


def read(raw: bytes) -> ProofDocument:
    """A document from a file's bytes.

    Raises:
        InputRefused: it is not a proof; the message says where.
    """
    if len(raw) > MOST_BYTES:
        raise InputRefused(f"the proof has {len(raw):,} bytes, more than the {MOST_BYTES:,} that are read")
    try:
        found = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputRefused(
            "the proof is not JSON" if isinstance(error, ValueError) else "the proof is nested too deeply",
            hint="a proof is a file that `cointrail explain A B --proof FILE` writes",
        ) from None
    top = _Fields(found, "the proof")
    level = top.text("level")
    version = VERSION if level == LEVEL else VERSION_ABOVE
    if (top.text("format"), top.number("version")) != (FORMAT, version):
        raise InputRefused(f"the proof is not of format {FORMAT} {version}", hint="use the program that wrote it")
    as_of = _Fields(top.take("as_of"), "as_of")
    document = ProofDocument(
        a=top.hex("a"),
        b=top.hex("b"),
        network=top.text("network"),
        level=level,
        as_of=AsOf(as_of.number("height"), as_of.hash("block_hash")),
        steps=tuple(_step(each, number, above=level != LEVEL) for number, each in enumerate(top.list("steps"), 1)),
        transactions=tuple(
            _hex(each, f"transaction {number}") for number, each in enumerate(top.list("transactions"), 1)
        ),
        version=version,
    )
    as_of.end()
    top.end()
    return document


def _step(found: Any, number: int, *, above: bool) -> DocumentStep:
    fields = _Fields(found, f"step {number}")
    txid, wtxid = fields.hash("txid"), fields.hash("wtxid")
    rule, version = fields.text("rule"), fields.number("version")
    x, y = fields.hex("x"), fields.hex("y")
    step = DocumentStep(txid, wtxid, rule, version, x, y)
    if above and "claim" in fields:
        step = InferenceStep(txid, wtxid, rule, version, x, y, _claim(fields.take("claim"), number))
    fields.end()
    return step


def _claim(found: Any, number: int) -> Claim:
    fields = _Fields(found, f"the claim of step {number}")
    votes = fields.list("votes")
    if len(votes) > _MOST_VOTES or not all(isinstance(each, str) and len(each) <= _LONGEST_TEXT for each in votes):
        raise InputRefused(f"'votes' of the claim of step {number} is not a short list of rules")
    model = fields.hex("model")
    if len(model) not in (0, _HASH_DIGITS):
        raise InputRefused(f"'model' of the claim of step {number} is not a SHA-256")
    claim = Claim(fields.hash("decided_by"), tuple(votes), fields.number("basis_points"), model)
    fields.end()
    return claim


class _Fields:
    """The fields of one object, taken one by one and checked."""

    def __init__(self, found: Any, where: str) -> None:
        if not isinstance(found, dict):
            raise InputRefused(f"{where} is not an object")
        self._found: Mapping[str, Any] = found
        self._where, self._taken = where, set[str]()

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def take(self, name: str) -> Any:
        if name not in self._found:
            raise InputRefused(f"{self._where} has no {name!r}")
        self._taken.add(name)
        return self._found[name]

    def text(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise InputRefused(f"{name!r} of {self._where} is not a short text")
        return value

    def number(self, name: str) -> int:
        value = self.take(name)
        if type(value) is not int or not 0 <= value < 1 << 32:
            raise InputRefused(f"{name!r} of {self._where} is not a whole number of 32 bits")
        return value

    def hex(self, name: str) -> str:
        return _hex(self.take(name), f"{name!r} of {self._where}")

    def hash(self, name: str) -> str:
        value = self.hex(name)
        if len(value) != _HASH_DIGITS:
            raise InputRefused(f"{name!r} of {self._where} is not a hash: 64 hex digits are needed")
        return value

    def list(self, name: str) -> list[Any]:
        value = self.take(name)
        if not isinstance(value, list):
            raise InputRefused(f"{name!r} of {self._where} is not a list")
        return value

    def end(self) -> None:
        unknown = [name for name in self._found if name not in self._taken]
        if unknown:
            raise InputRefused(f"{self._where} has an unknown field {ascii(unknown[0])[:_LONGEST_TEXT]}")


def _hex(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) % 2 or not _HEX.issuperset(value):
        raise InputRefused(f"{where} is not bytes in lower-case hex")
    return value
