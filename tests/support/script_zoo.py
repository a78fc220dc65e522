"""Scripts of every kind, each with the data that spends it or with the fact that nobody can.

Nothing here signs. Scripts that can be spent need no key: their inner script drops what it is given and ends
with OP_TRUE, behind any of the five wrappings. Scripts of the usual kinds (P2PKH ...) lock value for good.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from hashlib import new, sha256

import taproot

from cointrail.bitcoin.script import ScriptType

MAX_SCRIPT_SIZE = 10_000
OP_TRUE, OP_DROP, OP_2DROP = b"\x51", b"\x75", b"\x6d"
OP_PUSHDATA1 = 0x4C


class Form(Enum):
    """How an inner script is wrapped into a scriptPubKey."""

    BARE = "bare"
    P2SH = "p2sh"
    P2WSH = "p2wsh"
    NESTED_P2WSH = "p2sh-p2wsh"
    P2TR = "p2tr"


@dataclass(frozen=True, slots=True)
class Lock:
    """A scriptPubKey and what opens it.

    Attributes:
        name: unique in the zoo.
        script_pubkey: the script of the output.
        script_type: the type that `classify` has to give.
        script_sig: what spends it, without the spender's own items; None if nobody can spend it.
        witness: the last items of the witness.
        drops: how many items of the spender's choice come first; None for any number.
        in_witness: whether these items stand in the witness or in the script_sig.
    """

    name: str
    script_pubkey: bytes
    script_type: ScriptType
    script_sig: bytes | None = None
    witness: tuple[bytes, ...] = ()
    drops: int | None = 0
    in_witness: bool = False

    @property
    def is_spendable(self) -> bool:
        """Whether anyone can spend it with `unlock`."""
        return self.script_sig is not None

    @property
    def is_kept(self) -> bool:
        """Whether Core keeps such an output among the unspent ones."""
        return is_kept(self.script_pubkey)

    @property
    def has_annex(self) -> bool:
        """Whether a spend may end its witness with an annex (BIP341)."""
        return self.script_type == ScriptType.P2TR

    def unlock(self, items: Sequence[bytes] = (), annex: bytes | None = None) -> tuple[bytes, tuple[bytes, ...]]:
        """Give script_sig and witness of an input that spends this script.

        Args:
            items: data of the spender's choice, `drops` of them; they are dropped, whatever they look like.
            annex: last witness item of a P2TR spend, starting with 0x50.

        Raises:
            ValueError: nobody can spend the script, or not with these items.
        """
        if self.script_sig is None:
            raise ValueError(f"nobody can spend {self.name}")
        if self.drops is not None and len(items) != self.drops:
            raise ValueError(f"{self.name} takes {self.drops} items, not {len(items)}")
        if annex is not None and not self.has_annex:
            raise ValueError(f"only p2tr has an annex, not {self.name}")
        if not self.in_witness:
            return b"".join(map(push, items)) + self.script_sig, ()
        return self.script_sig, (*items, *self.witness, *(() if annex is None else (annex,)))


def is_kept(script_pubkey: bytes) -> bool:
    """Whether Core keeps an output with this script among the unspent ones (not IsUnspendable)."""
    return not script_pubkey.startswith(b"\x6a") and len(script_pubkey) <= MAX_SCRIPT_SIZE


def push(data: bytes) -> bytes:
    """Push data with the shortest length prefix (numbers are pushed as data too)."""
    size = len(data)
    if size < OP_PUSHDATA1:
        return bytes([size]) + data
    if size <= 0xFF:
        return b"\x4c" + bytes([size]) + data
    if size <= 0xFFFF:
        return b"\x4d" + size.to_bytes(2, "little") + data
    return b"\x4e" + size.to_bytes(4, "little") + data


def inner_script(tag: bytes = b"", drops: int = 0) -> bytes:
    """A script that drops a tag and the given number of items, then succeeds."""
    named = push(tag) + OP_DROP if tag else b""
    return named + OP_2DROP * (drops // 2) + OP_DROP * (drops % 2) + OP_TRUE


def anyone_can_spend(form: Form, tag: bytes = b"", drops: int = 0) -> Lock:
    """A lock without a key; another tag makes another script.

    Args:
        form: the wrapping.
        tag: distinguishes scripts, at most 520 bytes.
        drops: how many items the spender puts before, free of choice (to look like signatures and keys).
    """
    inner = inner_script(tag, drops)
    name = "-".join(filter(None, (form.value, tag.hex(), f"drops{drops}" if drops else "")))
    if form is Form.P2TR:
        return taproot_lock(name, inner, drops=drops)
    if form is Form.BARE:
        return Lock(name, inner, ScriptType.NONSTANDARD, b"", drops=drops)
    if form is Form.P2SH:
        return Lock(name, p2sh(inner), ScriptType.P2SH, push(inner), drops=drops)
    program = b"\x00\x20" + sha256(inner).digest()
    if form is Form.P2WSH:
        return Lock(name, program, ScriptType.P2WSH, b"", (inner,), drops, in_witness=True)
    return Lock(name, p2sh(program), ScriptType.P2SH, push(program), (inner,), drops, in_witness=True)


@cache
def taproot_lock(
    name: str,
    leaf: bytes,
    path: tuple[bytes, ...] = (),
    leaf_version: int = taproot.TAPSCRIPT,
    drops: int | None = 0,
) -> Lock:
    """A P2TR output that is spent by its script path (about 4 ms each, then cached)."""
    key, control = taproot.script_path(leaf, path, leaf_version)
    return Lock(name, b"\x51\x20" + key, ScriptType.P2TR, b"", (leaf, control), drops, in_witness=True)


def witness_program(version: int, program: bytes) -> bytes:
    """The scriptPubKey of a witness program."""
    return bytes([0x50 + version if version else 0, len(program)]) + program


def p2sh(redeem_script: bytes) -> bytes:
    """The scriptPubKey that commits to a redeem script."""
    return b"\xa9\x14" + hash160(redeem_script) + b"\x87"


def hash160(data: bytes) -> bytes:
    """RIPEMD-160 of SHA-256; OpenSSL without RIPEMD-160 falls back to the code under test."""
    try:
        return new("ripemd160", sha256(data).digest()).digest()
    except ValueError:
        from cointrail.bitcoin import hashes  # only where OpenSSL lacks it

        return hashes.hash160(data)


def material(name: str, size: int) -> bytes:
    """Reproducible bytes in place of a key, a hash or a text."""
    blocks = (sha256(f"{name}/{number}".encode()).digest() for number in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def multisig(required: bytes, keys: Sequence[bytes], count: bytes) -> bytes:
    """A bare multisig script from raw number pushes and keys."""
    return required + b"".join(map(push, keys)) + count + b"\xae"


def keys_like(name: str, count: int, *, size: int = 33) -> list[bytes]:
    """Data with the size and prefix of public keys; almost none of them is on the curve."""
    prefix = b"\x02" if size == 33 else b"\x04"
    return [prefix + material(f"{name}/{number}", size - 1) for number in range(count)]


@cache
def spendable_zoo() -> tuple[Lock, ...]:
    """Every lock that anyone can spend."""
    program = witness_program(1, material("nested", 32))
    nonstandard, unknown = ScriptType.NONSTANDARD, ScriptType.WITNESS_UNKNOWN
    wrapped = [anyone_can_spend(form, tag, drops) for form in Form for tag in (b"", b"zoo") for drops in (0, 1, 2, 3)]
    longest = push(material("longest", 520)) * 19 + push(material("longest", 51)) + OP_2DROP * 10 + OP_TRUE
    sizes = (2, 40, 32, 20, 3, 32, 33, 2, 16, 32, 39, 21, 8, 32, 40)
    programs = {f"witness-v{v}": witness_program(v, material(f"v{v}", size)) for v, size in enumerate(sizes, 2)}
    programs |= {"witness-v1-33": witness_program(1, material("v1", 33)), "almost-anchor": b"\x51\x02\x4e\x74"}
    return (
        *wrapped,
        *(Lock(name, script, unknown, b"", drops=None, in_witness=True) for name, script in programs.items()),
        Lock("anchor", b"\x51\x02\x4e\x73", ScriptType.ANCHOR, b"", drops=None, in_witness=True),
        Lock("nested-witness-v1", p2sh(program), ScriptType.P2SH, push(program), drops=None, in_witness=True),
        taproot_lock("p2tr-depth-3", OP_TRUE, tuple(material(f"sibling{level}", 32) for level in range(3))),
        taproot_lock("p2tr-depth-128", OP_TRUE, tuple(material(f"sibling{level}", 32) for level in range(128))),
        taproot_lock("p2tr-op-success", b"\x50", drops=None),
        taproot_lock("p2tr-later-leaf", b"\xff", leaf_version=0xC2, drops=None),
        Lock("empty", b"", ScriptType.EMPTY, OP_TRUE),
        Lock("zero-of-one", multisig(b"\x00", keys_like("zero", 1), b"\x51"), nonstandard, b"\x00"),
        Lock("no-operation", b"\x61\x51", nonstandard, b""),
        Lock("pushed-number", b"\x01\x07", nonstandard, b""),
        Lock("script-of-10000-bytes", longest, nonstandard, b""),
    )


@cache
def locked_zoo() -> tuple[Lock, ...]:
    """Every lock that nobody can spend (or only with a key that nobody has)."""
    nonstandard, multisig_type = ScriptType.NONSTANDARD, ScriptType.MULTISIG
    return (
        *(Lock(f"p2pk-{prefix:02x}", _p2pk(prefix, 33), ScriptType.P2PK) for prefix in (2, 3)),
        *(Lock(f"p2pk-{prefix:02x}", _p2pk(prefix, 65), ScriptType.P2PK) for prefix in (4, 6, 7)),
        Lock("p2pk-bad-prefix", _p2pk(5, 33), nonstandard),
        Lock("p2pk-65-with-prefix-02", _p2pk(2, 65), nonstandard),
        Lock("p2pkh", b"\x76\xa9\x14" + material("p2pkh", 20) + b"\x88\xac", ScriptType.P2PKH),
        Lock("p2sh-unknown", b"\xa9\x14" + material("p2sh", 20) + b"\x87", ScriptType.P2SH),
        Lock("p2wpkh", witness_program(0, material("p2wpkh", 20)), ScriptType.P2WPKH),
        Lock("p2wsh-unknown", witness_program(0, material("p2wsh", 32)), ScriptType.P2WSH),
        Lock("p2tr-unknown", witness_program(1, material("p2tr", 32)), ScriptType.P2TR),
        Lock("p2tr-not-on-curve", witness_program(1, b"\xff" * 32), ScriptType.P2TR),
        Lock("witness-v0-3", witness_program(0, b"abc"), nonstandard),
        Lock("witness-v0-40", witness_program(0, material("v0", 40)), nonstandard),
        Lock("multisig-1-of-2", multisig(b"\x51", keys_like("1of2", 2), b"\x52"), multisig_type),
        Lock("multisig-2-of-3-long-keys", multisig(b"\x52", keys_like("2of3", 3, size=65), b"\x53"), multisig_type),
        Lock("multisig-16-of-16", multisig(b"\x60", keys_like("16of16", 16), b"\x60"), multisig_type),
        Lock("multisig-1-of-20", multisig(b"\x51", keys_like("1of20", 20), b"\x01\x14"), multisig_type),
        Lock("multisig-3-of-2", multisig(b"\x53", keys_like("3of2", 2), b"\x52"), nonstandard),
        *(
            Lock(f"op-return-{size}", b"\x6a" + push(material(f"op_return{size}", size)), ScriptType.OP_RETURN)
            for size in (0, 1, 40, 80, 83, 520, 9_990, 100_000)
        ),
        Lock("op-return-alone", b"\x6a", ScriptType.OP_RETURN),
        Lock("op-return-garbage", b"\x6a\x4c\xff\x00\xac", ScriptType.OP_RETURN),
        Lock("op-return-two-pushes", b"\x6a" + push(b"one") + push(b"two"), ScriptType.OP_RETURN),
        Lock("truncated-push", b"\x4c\xff\x00", nonstandard),
        Lock("truncated-key", b"\x21\x02\x03", nonstandard),
        Lock("false", b"\x00", nonstandard),
        Lock("reserved-opcode", b"\xff", nonstandard),
        Lock("script-of-10001-bytes", b"\x61" * (MAX_SCRIPT_SIZE + 1), nonstandard),
    )


def _p2pk(prefix: int, size: int) -> bytes:
    """Pay to data that looks like a public key."""
    return push(bytes([prefix]) + material(f"p2pk{prefix}", size - 1)) + b"\xac"


def zoo() -> tuple[Lock, ...]:
    """All locks."""
    return spendable_zoo() + locked_zoo()
