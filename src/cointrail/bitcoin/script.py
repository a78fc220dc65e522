"""Scripts: what type a scriptPubKey has, what it pays to, and how it reads.

Nothing is executed here. `classify` follows Core's `Solver` (`script/solver.cpp`, `script/script.cpp`) with one
difference: a script that starts with OP_RETURN is always ``op_return``, whatever follows, because none of them can
be spent. The numbers of `ScriptType` are stored in the ledger and never change. Sources: BIP11, BIP13, BIP16, BIP141,
BIP341; the anchor script is Core's P2A.
"""

from collections.abc import Iterator
from enum import IntEnum

from cointrail.errors import EncodingError, InputRefused

OP_PUSHDATA4 = 0x4E
OP_16 = 0x60
OP_RETURN = 0x6A
OP_CHECKSIG = 0xAC
OP_CHECKMULTISIG = 0xAE

MAX_SCRIPT_SIZE = 10_000
"""A longer script can never be executed, so an output that carries one is unspendable."""

_ANCHOR_SCRIPT = bytes.fromhex("51024e73")
_MOST_KEYS = 20  # Core MAX_PUBKEYS_PER_MULTISIG
_KEY_LENGTH = {2: 33, 3: 33, 4: 65, 6: 65, 7: 65}  # by first byte; 6 and 7 are the hybrid keys

# Core's opcode names (`GetOpName`) from OP_NOP, 0x61, on; without their prefix and without a gap.
_NAMES_FROM_NOP = (
    "NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN",
    "TOALTSTACK FROMALTSTACK 2DROP 2DUP 3DUP 2OVER 2ROT 2SWAP IFDUP DEPTH DROP DUP NIP OVER PICK ROLL ROT SWAP TUCK",
    "CAT SUBSTR LEFT RIGHT SIZE INVERT AND OR XOR EQUAL EQUALVERIFY RESERVED1 RESERVED2",
    "1ADD 1SUB 2MUL 2DIV NEGATE ABS NOT 0NOTEQUAL ADD SUB MUL DIV MOD LSHIFT RSHIFT",
    "BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY NUMNOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL",
    "MIN MAX WITHIN RIPEMD160 SHA1 SHA256 HASH160 HASH256 CODESEPARATOR",
    "CHECKSIG CHECKSIGVERIFY CHECKMULTISIG CHECKMULTISIGVERIFY",
    "NOP1 CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY NOP4 NOP5 NOP6 NOP7 NOP8 NOP9 NOP10 CHECKSIGADD",
)
_OPCODE_NAMES = {0x4F: "-1", 0x50: "OP_RESERVED", 0xFF: "OP_INVALIDOPCODE"}
_OPCODE_NAMES |= {0x50 + number: str(number) for number in range(1, 17)}
_OPCODE_NAMES |= {0x61 + place: f"OP_{name}" for place, name in enumerate(" ".join(_NAMES_FROM_NOP).split())}


class ScriptType(IntEnum):
    """Type of a scriptPubKey. The codes are part of the store format."""

    NONSTANDARD = 0
    P2PK = 1
    P2PKH = 2
    P2SH = 3
    MULTISIG = 4
    OP_RETURN = 5
    P2WPKH = 6
    P2WSH = 7
    P2TR = 8
    ANCHOR = 9
    WITNESS_UNKNOWN = 10
    EMPTY = 11

    @property
    def label(self) -> str:
        """The type's name in every answer, report and address list."""
        return self.name.lower()


# (bytes before the payload, bytes after it, payload length); a witness v0 or v1 program is its payload.
_TEMPLATES = {
    ScriptType.P2PKH: (b"\x76\xa9\x14", b"\x88\xac", 20),
    ScriptType.P2SH: (b"\xa9\x14", b"\x87", 20),
    ScriptType.P2WPKH: (b"\x00\x14", b"", 20),
    ScriptType.P2WSH: (b"\x00\x20", b"", 32),
    ScriptType.P2TR: (b"\x51\x20", b"", 32),
}


def classify(script: bytes) -> ScriptType:
    """Return the type of a scriptPubKey; every byte string has one."""
    if not script:
        return ScriptType.EMPTY
    if script[0] == OP_RETURN:
        return ScriptType.OP_RETURN
    for script_type, (before, after, length) in _TEMPLATES.items():
        expected = len(before) + length + len(after)
        if len(script) == expected and script.startswith(before) and script.endswith(after):
            return script_type
    program = witness_program(script)
    if program is not None:
        if program[0] == 0:
            return ScriptType.NONSTANDARD  # version 0 with neither 20 nor 32 bytes fails when spent
        return ScriptType.ANCHOR if script == _ANCHOR_SCRIPT else ScriptType.WITNESS_UNKNOWN
    if _is_pay_to_key(script):
        return ScriptType.P2PK
    if _is_multisig(script):
        return ScriptType.MULTISIG
    return ScriptType.NONSTANDARD


def is_unspendable(script: bytes) -> bool:
    """Return whether an output with this script can never be spent (Core `IsUnspendable`)."""
    return script[:1] == b"\x6a" or len(script) > MAX_SCRIPT_SIZE


def witness_program(script: bytes) -> tuple[int, bytes] | None:
    """Return (version, program) when the script is a witness program of BIP141, else None."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] == 0:
        return 0, script[2:]
    if 0x51 <= script[0] <= 0x60:
        return script[0] - 0x50, script[2:]
    return None


def payload(script: bytes, script_type: ScriptType) -> bytes:
    """Return the hash or witness program a script of this type pays to.

    Args:
        script: a scriptPubKey.
        script_type: what `classify` says about it: P2PKH, P2SH, P2WPKH, P2WSH or P2TR.

    Raises:
        InputRefused: the type has no payload, or the script is not of that type.
    """
    before, after, length = _template(script_type)
    if len(script) != len(before) + length + len(after) or not (script.startswith(before) and script.endswith(after)):
        raise InputRefused(f"script of {len(script)} bytes is not {script_type.label}")
    return script[len(before) : len(before) + length]


def script_from_payload(script_type: ScriptType, payload: bytes) -> bytes:
    """Return the scriptPubKey that pays to a hash or witness program; the inverse of `payload`.

    Raises:
        InputRefused: the type has no payload, or the payload has the wrong length.
    """
    before, after, length = _template(script_type)
    if len(payload) != length:
        raise InputRefused(f"{script_type.label} needs {length} bytes, {len(payload)} given")
    return before + payload + after


def iterate_pushes(script: bytes) -> Iterator[tuple[int, bytes | None, int]]:
    """Walk over a script, one operation at a time.

    Args:
        script: any bytes.

    Yields:
        The opcode, the bytes it pushes (None for an opcode that carries no data) and its position.

    Raises:
        EncodingError: a push announces more bytes than the script has; what came before was yielded.
    """
    position, end = 0, len(script)
    while position < end:
        start, opcode = position, script[position]
        position += 1
        if opcode > OP_PUSHDATA4:
            yield opcode, None, start
            continue
        length = opcode
        if opcode > 0x4B:
            width = 1 << (opcode - 0x4C)  # OP_PUSHDATA1, 2 and 4
            length = int.from_bytes(script[position : position + width], "little")
            position += width
        if length > end - position:
            raise EncodingError(f"push of {length} bytes goes past the end of the script", offset=start)
        yield opcode, script[position : position + length], start
        position += length


def disassemble(script: bytes) -> str:
    """Return a script as text in the style of Core's ``asm`` fields.

    Pushes of up to four bytes read as numbers, longer ones as hex; a truncated push ends the text with ``[error]``.
    """
    words = []
    try:
        for opcode, data, _ in iterate_pushes(script):
            if data is None:
                words.append(_OPCODE_NAMES.get(opcode, "OP_UNKNOWN"))
            else:
                words.append(data.hex() if len(data) > 4 else str(_script_number(data)))
    except EncodingError:
        words.append("[error]")
    return " ".join(words)


def _template(script_type: ScriptType) -> tuple[bytes, bytes, int]:
    template = _TEMPLATES.get(script_type)
    if template is None:
        raise InputRefused(f"a {script_type.label} script has no payload")
    return template


def _is_key(data: bytes | None) -> bool:
    """Return whether the bytes have a public key's length for their first byte (Core `CPubKey::ValidSize`)."""
    return data is not None and len(data) > 0 and _KEY_LENGTH.get(data[0]) == len(data)


def _is_pay_to_key(script: bytes) -> bool:
    return (
        len(script) in (35, 67) and script[0] == len(script) - 2 and script[-1] == OP_CHECKSIG and _is_key(script[1:-1])
    )


def _is_multisig(script: bytes) -> bool:
    """Return whether the script is a bare multisig (Core `MatchMultisig`)."""
    if script[-1] != OP_CHECKMULTISIG:
        return False
    keys = 0
    required = None
    try:
        for opcode, data, position in iterate_pushes(script):
            if required is None:
                required = _key_count(opcode, data)
                if required is None:
                    return False
            elif _is_key(data):
                keys += 1
            else:  # the number of keys: it must be right, and the last byte must follow at once
                return required <= keys == _key_count(opcode, data) and position + len(data or b"") + 2 == len(script)
    except EncodingError:
        return False
    return False


def _key_count(opcode: int, data: bytes | None) -> int | None:
    """Read a number of keys or signatures: OP_1 to OP_16, or the shortest push of 17 to 20."""
    if 0x51 <= opcode <= 0x60:
        return opcode - 0x50
    if opcode == 1 and data is not None and 16 < data[0] <= _MOST_KEYS:
        return data[0]
    return None


def _script_number(data: bytes) -> int:
    """Read a number of the script language: little-endian, the top bit of the last byte is the sign."""
    if not data:
        return 0
    magnitude = int.from_bytes(data, "little")
    sign_bit = 0x80 << 8 * (len(data) - 1)
    return -(magnitude - sign_bit) if magnitude & sign_bit else magnitude
