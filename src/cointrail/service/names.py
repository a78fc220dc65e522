"""From rows to the names people use, and back."""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.address import address_of, script_of
from cointrail.bitcoin.hashes import display, parse_hash
from cointrail.bitcoin.network import NETWORKS, Network
from cointrail.bitcoin.script import ScriptType, classify
from cointrail.bitcoin.transaction import Outpoint
from cointrail.errors import AddressError, InputRefused, NotFound
from cointrail.ledger.reader import Reader
from cointrail.service.answers import Moment, SnapshotName

_SCRIPT_PREFIX = "script:"
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_TXID_DIGITS = 64
_LONGEST_HEX = 20_000  # twice the longest script that can be spent


def network_of(reader: Reader) -> Network:
    """The reader's network."""
    return NETWORKS[reader.snapshot.network]


def snapshot_name(reader: Reader) -> SnapshotName:
    """The snapshot as answers carry it."""
    snapshot = reader.snapshot
    return SnapshotName(snapshot.network, snapshot.height, snapshot.block_hash, snapshot.digest)


def utc(seconds: int) -> str:
    """ISO 8601 with Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00") + "Z"


def moment(reader: Reader, tx_index: int) -> Moment:
    """Block and time of a transaction."""
    height = int(reader.height_of_transactions(tx_index))
    return Moment(height, block_time(reader, height))


def block_time(reader: Reader, height: int) -> str:
    """The miner-declared time of a block."""
    return utc(int(reader.column("block", "time")[height]))


def txid_of(reader: Reader, tx_index: int) -> str:
    """Displayed txid."""
    return display(bytes(reader.column("transaction", "txid")[tx_index]))


def outpoint_of(reader: Reader, output_index: int) -> str:
    """Displayed `txid:vout`."""
    tx_index = int(reader.transaction_of_outputs(output_index))
    return f"{txid_of(reader, tx_index)}:{output_index - reader.outputs_of(tx_index).start}"


def script_of_output(reader: Reader, output_index: int) -> bytes:
    """The scriptPubKey of an output."""
    return reader.script_pubkey(int(reader.column("output", "script")[output_index]))


def address_or_none(reader: Reader, script_pubkey: bytes) -> str | None:
    """The address of a scriptPubKey on the reader's network."""
    return address_of(script_pubkey, network_of(reader))


def name_of(reader: Reader, script_id: int) -> str:
    """The address of a script, or `script:HEX` for one that has none."""
    script = reader.script_pubkey(script_id)
    return address_or_none(reader, script) or f"script:{script.hex()}"


def find_transaction(reader: Reader, txid: str) -> list[int]:
    """All transactions of a displayed txid, at least one.

    Raises:
        InputRefused: not a txid.
        NotFound: not in this snapshot.
    """
    found = reader.find_transactions(parse_hash(txid))
    if not found:
        raise NotFound(
            f"transaction {txid} is not in this ledger up to height {reader.height}",
            hint="it may be unconfirmed, newer than the ledger, or of another network",
        )
    return found


def find_script(reader: Reader, text: str) -> int:
    """The script that an address, a public key in hex (pay-to-public-key), or `script:HEX` names.

    Raises:
        AddressError: it is none of these; the message says why.
        NotFound: no output up to this snapshot pays it.
    """
    try:
        script = script_of(text, network_of(reader))
    except AddressError:
        stated = _script_in_hex(text)
        if stated is None:
            raise
        script = stated
    script_id = reader.find_script(script)
    if script_id is None:
        raise NotFound(f"no output up to height {reader.height} pays {text}")
    return script_id


def _script_in_hex(text: str) -> bytes | None:
    """The script of a public key in hex, or of `script:HEX`. Other hex is not tried: it may be a private key."""
    stated = text.removeprefix(_SCRIPT_PREFIX)
    if not set(stated) <= _HEX_DIGITS or len(stated) % 2 or len(stated) > _LONGEST_HEX:
        return None
    raw = bytes.fromhex(stated)
    if text.startswith(_SCRIPT_PREFIX):
        return raw
    script = bytes([len(raw)]) + raw + b"\xac"
    return script if len(raw) in (33, 65) and classify(script) == ScriptType.P2PK else None


def find_seed(reader: Reader, seed: str) -> npt.NDArray[np.int64]:
    """Outputs that a seed names: an outpoint one, a txid all of its outputs, an address all that pay it.

    Raises:
        InputRefused: it is none of these.
        NotFound: not in this snapshot.
    """
    if ":" in seed and not seed.startswith(_SCRIPT_PREFIX):
        outpoint = Outpoint.parse(seed)
        outputs = reader.outputs_of(find_transaction(reader, display(outpoint.txid))[-1])
        if outpoint.vout >= len(outputs):
            raise NotFound(
                f"transaction {display(outpoint.txid)} has {len(outputs)} outputs, no output {outpoint.vout}"
            )
        return np.array([outputs.start + outpoint.vout], np.int64)
    if len(seed) == _TXID_DIGITS and set(seed) <= _HEX_DIGITS:
        return np.array(reader.outputs_of(find_transaction(reader, seed)[-1]), np.int64)
    try:
        script_id = find_script(reader, seed)
    except AddressError as error:
        raise InputRefused(
            f"{error}", hint="a seed is a txid, an outpoint txid:vout, an address, or a public key in hex"
        ) from error
    return np.array(sorted(reader.outputs_of_script(script_id)), np.int64)
