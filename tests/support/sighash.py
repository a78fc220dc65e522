"""What a signature signs: the hashes of legacy inputs, of BIP143 and of BIP341's key path, for tests only.

`Spending` caches the parts that all inputs of a transaction share.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from taproot import tagged_hash

from cointrail.bitcoin.encoding import write_compact_size
from cointrail.bitcoin.script import iterate_pushes
from cointrail.errors import EncodingError

ALL, NONE, SINGLE, ANYONECANPAY = 1, 2, 3, 0x80
_CODESEPARATOR = 0xAB


def double(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _pushed(script: bytes) -> bytes:
    return write_compact_size(len(script)) + script


@dataclass(eq=False)
class Spending:
    """A transaction about to be signed.

    Attributes:
        version, lock_time: of the transaction.
        outpoints: 36 bytes each; sequences, values, scripts: of the inputs.
        outputs: (value, scriptPubKey).
    """

    version: int
    lock_time: int
    outpoints: tuple[bytes, ...]
    sequences: tuple[int, ...]
    values: tuple[int, ...]
    scripts: tuple[bytes, ...]
    outputs: tuple[tuple[int, bytes], ...]

    def legacy(self, position: int, script: bytes, hash_type: int) -> bytes:
        """Hash of an input without witness; `script` is the one that is being executed."""
        kind, alone = hash_type & 0x1F, bool(hash_type & ANYONECANPAY)
        if kind == SINGLE and position >= len(self.outputs):
            return b"\x01" + bytes(31)  # the number one: a bug that became a rule
        script = _without_separators(script)
        places = [position] if alone else range(len(self.outpoints))
        parts = [self.version.to_bytes(4, "little", signed=True), write_compact_size(len(places))]
        for place in places:
            mine = place == position
            sequence = self.sequences[place] if mine or kind not in (NONE, SINGLE) else 0
            parts += (self.outpoints[place], _pushed(script if mine else b""), _u32(sequence))
        if kind == NONE:
            outputs = []
        elif kind == SINGLE:
            outputs = [b"\xff" * 8 + b"\x00"] * position + [_output(*self.outputs[position])]
        else:
            outputs = [_output(*each) for each in self.outputs]
        parts += (write_compact_size(len(outputs)), *outputs, _u32(self.lock_time))
        return double(b"".join(parts) + hash_type.to_bytes(4, "little", signed=hash_type < 0))

    def witness_v0(self, position: int, script: bytes, hash_type: int) -> bytes:
        """Hash of BIP143; `script` is the script code."""
        kind, alone = hash_type & 0x1F, bool(hash_type & ANYONECANPAY)
        zero = bytes(32)
        if kind == SINGLE and position < len(self.outputs):
            outputs = double(_output(*self.outputs[position]))
        else:
            outputs = zero if kind in (NONE, SINGLE) else sha256(self._outputs).digest()
        message = (
            self.version.to_bytes(4, "little", signed=True),
            zero if alone else sha256(self._outpoints).digest(),
            zero if alone or kind in (NONE, SINGLE) else sha256(self._sequences).digest(),
            self.outpoints[position],
            _pushed(script),
            self.values[position].to_bytes(8, "little"),
            _u32(self.sequences[position]),
            outputs,
            _u32(self.lock_time),
            _u32(hash_type),
        )
        return double(b"".join(message))

    def taproot(self, position: int, hash_type: int) -> bytes:
        """Hash of BIP341 for the key path, without annex."""
        kind, alone = hash_type & 3, bool(hash_type & ANYONECANPAY)
        parts = [bytes((0, hash_type)), self.version.to_bytes(4, "little", signed=True), _u32(self.lock_time)]
        if not alone:
            parts += (self._outpoints, self._values, self._scripts, self._sequences)
        if kind not in (NONE, SINGLE):
            parts.append(self._outputs)
        parts.append(b"\x00")
        if alone:
            value = self.values[position].to_bytes(8, "little")
            parts += (self.outpoints[position], value, _pushed(self.scripts[position]), _u32(self.sequences[position]))
        else:
            parts.append(_u32(position))
        if kind == SINGLE:
            parts.append(sha256(_output(*self.outputs[position])).digest())
        return tagged_hash("TapSighash", b"".join(parts))

    # Single SHA-256 of what all inputs share: BIP341 takes it as it is, BIP143 hashes it once more.

    @cached_property
    def _outpoints(self) -> bytes:
        return sha256(b"".join(self.outpoints)).digest()

    @cached_property
    def _sequences(self) -> bytes:
        return sha256(b"".join(map(_u32, self.sequences))).digest()

    @cached_property
    def _values(self) -> bytes:
        return sha256(b"".join(value.to_bytes(8, "little") for value in self.values)).digest()

    @cached_property
    def _scripts(self) -> bytes:
        return sha256(b"".join(map(_pushed, self.scripts))).digest()

    @cached_property
    def _outputs(self) -> bytes:
        return sha256(b"".join(_output(*each) for each in self.outputs)).digest()


def _output(value: int, script: bytes) -> bytes:
    return value.to_bytes(8, "little") + _pushed(script)


def _without_separators(script: bytes) -> bytes:
    """A legacy script code has no OP_CODESEPARATOR."""
    if _CODESEPARATOR not in script:
        return script
    at = []
    try:
        at = [position for opcode, _, position in iterate_pushes(script) if opcode == _CODESEPARATOR]
    except EncodingError as error:
        at = [position for opcode, _, position in iterate_pushes(script[: error.offset]) if opcode == _CODESEPARATOR]
    return bytes(byte for position, byte in enumerate(script) if position not in set(at))
