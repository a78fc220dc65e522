"""Transactions: values, the two serialisations of BIP144, and the checks that need no other transaction.

Parsing keeps what the bytes say, also amounts above MAX_MONEY (mainnet block 74638 holds some): it is
`check_transaction` that refuses them. Input and output lists are as long as the bytes allow, never longer.
"""

import re
from dataclasses import dataclass

from cointrail.bitcoin.amounts import MAX_MONEY
from cointrail.bitcoin.encoding import Cursor, write_compact_size
from cointrail.bitcoin.hashes import NULL_HASH, display, double_sha256, parse_hash
from cointrail.errors import EncodingError, InputRefused

NULL_VOUT = 0xFFFFFFFF
MAX_BLOCK_WEIGHT = 4_000_000
WITNESS_SCALE = 4
SMALLEST_INPUT = 41
SMALLEST_OUTPUT = 9
SMALLEST_TRANSACTION = 51
"""Bytes of a transaction with one input, no output and an empty scriptSig."""

_OUTPOINT_TEXT = re.compile(r"([0-9a-fA-F]{64}):([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class Outpoint:
    """A reference to an output: the transaction's id and the output's number in it."""

    txid: bytes
    vout: int

    def __str__(self) -> str:
        return f"{display(self.txid)}:{self.vout}"

    @classmethod
    def parse(cls, text: str) -> "Outpoint":
        """Read an outpoint from ``txid:vout``.

        Raises:
            InputRefused: the text is not 64 hex digits, a colon and a decimal number of 32 bits.
        """
        match = _OUTPOINT_TEXT.fullmatch(text)
        if match is None or int(match[2]) > NULL_VOUT:
            shown = ascii(text) if len(text) <= 100 else f"text of {len(text)} characters"
            raise InputRefused(f"{shown} is not an outpoint: txid:vout is needed")
        return cls(parse_hash(match[1]), int(match[2]))

    @property
    def is_null(self) -> bool:
        """Whether this is the reference to nothing that a coinbase carries."""
        return self.vout == NULL_VOUT and self.txid == NULL_HASH


@dataclass(frozen=True, slots=True)
class TransactionInput:
    """One input: what it spends and what unlocks it."""

    outpoint: Outpoint
    script_sig: bytes
    sequence: int
    witness: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionOutput:
    """One output: an amount and the script that guards it.

    The amount is the unsigned 64-bit number in the bytes, so it can lie above MAX_MONEY.
    """

    value_sat: int
    script_pubkey: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction, with its inputs and outputs in order."""

    version: int
    inputs: tuple[TransactionInput, ...]
    outputs: tuple[TransactionOutput, ...]
    lock_time: int

    @classmethod
    def parse(cls, raw: bytes) -> "Transaction":
        """Read a transaction that fills `raw` to its last byte.

        Raises:
            EncodingError: the bytes are not one transaction and nothing else.
        """
        cursor = Cursor(raw)
        transaction = read_transaction(cursor)
        cursor.finish("transaction")
        return transaction

    def serialize(self, *, witness: bool = True) -> bytes:
        """Return the transaction's bytes.

        Args:
            witness: whether to write the witness form when there is a witness; without it the bytes behind the txid.
        """
        with_witness = witness and self.has_witness
        parts = [self.version.to_bytes(4, "little", signed=True)]
        if with_witness:
            parts.append(b"\x00\x01")
        parts.append(write_compact_size(len(self.inputs)))
        for item in self.inputs:
            parts += (item.outpoint.txid, item.outpoint.vout.to_bytes(4, "little"))
            parts += (write_compact_size(len(item.script_sig)), item.script_sig, item.sequence.to_bytes(4, "little"))
        parts.append(write_compact_size(len(self.outputs)))
        for output in self.outputs:
            parts.append(output.value_sat.to_bytes(8, "little"))
            parts += (write_compact_size(len(output.script_pubkey)), output.script_pubkey)
        if with_witness:
            for item in self.inputs:
                parts.append(write_compact_size(len(item.witness)))
                for element in item.witness:
                    parts += (write_compact_size(len(element)), element)
        parts.append(self.lock_time.to_bytes(4, "little"))
        return b"".join(parts)

    @property
    def txid(self) -> bytes:
        """Double SHA-256 of the bytes without witness, internal order."""
        return double_sha256(self.serialize(witness=False))

    @property
    def wtxid(self) -> bytes:
        """Double SHA-256 of the bytes with witness, internal order; the txid when there is none."""
        return double_sha256(self.serialize())

    @property
    def size(self) -> int:
        """Bytes with witness."""
        return len(self.serialize())

    @property
    def base_size(self) -> int:
        """Bytes without witness."""
        return len(self.serialize(witness=False))

    @property
    def weight(self) -> int:
        """Weight of BIP141: a byte of witness counts one, any other four."""
        return (WITNESS_SCALE - 1) * self.base_size + self.size

    @property
    def vsize(self) -> int:
        """Weight divided by four, rounded up."""
        return -(-self.weight // WITNESS_SCALE)

    @property
    def is_coinbase(self) -> bool:
        """Whether the one input refers to nothing."""
        return len(self.inputs) == 1 and self.inputs[0].outpoint.is_null

    @property
    def has_witness(self) -> bool:
        """Whether any input has a witness item."""
        return any(item.witness for item in self.inputs)


def read_transaction(cursor: Cursor) -> Transaction:
    """Read one transaction and leave the cursor behind it.

    Args:
        cursor: stands at the transaction's first byte.

    Raises:
        EncodingError: the bytes there are not a transaction.
    """
    version = cursor.i32()
    count = cursor.count("inputs", SMALLEST_INPUT)
    with_witness = count == 0
    if with_witness:
        # BIP144: a list of no inputs is the marker, and the byte after it is the flag.
        flag = cursor.u8()
        if flag == 0:
            raise EncodingError("transaction without inputs", offset=cursor.position - 2)
        if flag != 1:
            raise EncodingError(f"unknown transaction flag {flag}", offset=cursor.position - 1)
        count = cursor.count("inputs", SMALLEST_INPUT)
        if count == 0:
            raise EncodingError("transaction without inputs after the witness marker", offset=cursor.position - 1)
    inputs = [_read_input(cursor) for _ in range(count)]
    outputs = tuple(
        TransactionOutput(cursor.u64(), cursor.var_bytes()) for _ in range(cursor.count("outputs", SMALLEST_OUTPUT))
    )
    if with_witness:
        start = cursor.position
        witnesses = [_read_witness(cursor) for _ in inputs]
        if not any(witnesses):
            raise EncodingError("superfluous witness record: every witness is empty", offset=start)
        inputs = [
            TransactionInput(item.outpoint, item.script_sig, item.sequence, witness)
            for item, witness in zip(inputs, witnesses, strict=True)
        ]
    return Transaction(version, tuple(inputs), outputs, cursor.u32())


def check_transaction(transaction: Transaction) -> None:
    """Check what can be known from the transaction alone (Core `CheckTransaction`).

    Args:
        transaction: a parsed transaction, coinbase or not.

    Raises:
        InputRefused: with Core's reject reason and the txid in the message.
    """
    if not transaction.inputs:
        _refuse(transaction, "bad-txns-vin-empty", "no inputs")
    if not transaction.outputs:
        _refuse(transaction, "bad-txns-vout-empty", "no outputs")
    if transaction.base_size * WITNESS_SCALE > MAX_BLOCK_WEIGHT:
        _refuse(transaction, "bad-txns-oversize", f"{transaction.base_size} bytes without witness")
    _check_values(transaction)
    if len({item.outpoint for item in transaction.inputs}) < len(transaction.inputs):
        _refuse(transaction, "bad-txns-inputs-duplicate", "an output is spent twice")
    if transaction.is_coinbase:
        length = len(transaction.inputs[0].script_sig)
        if not 2 <= length <= 100:
            _refuse(transaction, "bad-cb-length", f"coinbase script of {length} bytes, 2 to 100 are allowed")
    elif any(item.outpoint.is_null for item in transaction.inputs):
        _refuse(transaction, "bad-txns-prevout-null", "an input refers to nothing")


def _check_values(transaction: Transaction) -> None:
    total = 0
    for vout, output in enumerate(transaction.outputs):
        # Core reads the eight bytes as a signed number.
        if not 0 <= output.value_sat < 1 << 63:
            _refuse(transaction, "bad-txns-vout-negative", f"output {vout} has a negative value")
        if output.value_sat > MAX_MONEY:
            _refuse(transaction, "bad-txns-vout-toolarge", f"output {vout} of {output.value_sat} sat is over MAX_MONEY")
        total += output.value_sat
        if total > MAX_MONEY:
            _refuse(
                transaction, "bad-txns-txouttotal-toolarge", f"sum of {total} sat at output {vout} is over MAX_MONEY"
            )


def _refuse(transaction: Transaction, reason: str, detail: str) -> None:
    raise InputRefused(f"transaction {display(transaction.txid)} refused: {reason} ({detail})")


def _read_input(cursor: Cursor) -> TransactionInput:
    return TransactionInput(Outpoint(cursor.take(32), cursor.u32()), cursor.var_bytes(), cursor.u32())


def _read_witness(cursor: Cursor) -> tuple[bytes, ...]:
    return tuple(cursor.var_bytes() for _ in range(cursor.count("witness items", 1)))
