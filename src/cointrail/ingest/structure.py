"""The checks that need nothing but the blocks themselves: merkle root, witness commitment, coinbase, weight."""

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.hashes import double_sha256
from cointrail.bitcoin.network import Network
from cointrail.ingest.faults import MAX_WEIGHT, name_fault
from cointrail.ingest.parsed import ParsedBlocks, compact_size_bytes

Flags = npt.NDArray[np.bool_]

_COMMITMENT = bytes.fromhex("6a24aa21a9ed")
_NULL_OUTPOINT = bytes(32) + b"\xff\xff\xff\xff"


def check_structure(parsed: ParsedBlocks, network: Network) -> None:
    """Check blocks by themselves.

    Raises:
        BadBlock: naming the first block at fault and the rule.
    """
    faults = _wrong_roots(parsed) | _wrong_coinbases(parsed) | (parsed.block_weight > MAX_WEIGHT)
    faults |= _wrong_witnesses(parsed, network)
    for number in np.flatnonzero(faults):
        raise name_fault(parsed.blocks, int(number))


def _roots(leaves: npt.NDArray[np.uint8], first: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint8], Flags]:
    from cointrail.kernels.merkle import merkle_roots

    roots, mutated = np.empty((len(first) - 1, 32), np.uint8), np.empty(len(first) - 1, np.bool_)
    merkle_roots(leaves, first, roots, mutated)
    return roots, mutated


def _wrong_roots(parsed: ParsedBlocks) -> Flags:
    roots, mutated = _roots(parsed.txid, parsed.block_first_tx)
    stated = parsed.blocks.raw[parsed.blocks.start[:, None] + np.arange(36, 68)]
    wrong: Flags = (roots != stated).any(axis=1) | mutated
    return wrong


def _wrong_coinbases(parsed: ParsedBlocks) -> Flags:
    """True where the first transaction is no proper coinbase or another one is."""
    raw, at = parsed.blocks.raw, parsed.input_outpoint
    null = (raw[at + 32] == 0xFF) & (raw[at] == 0)
    for candidate in np.flatnonzero(null):
        null[candidate] = raw[at[candidate] : at[candidate] + 36].tobytes() == _NULL_OUTPOINT
    first = parsed.tx_first_input[:-1][parsed.tx_coinbase]
    single = np.diff(parsed.tx_first_input)[parsed.tx_coinbase] == 1
    script_size = raw[at[first] + 36]
    wrong: Flags = ~(null[first] & single) | (script_size < 2) | (script_size > 100)
    null[first] = False
    transactions = np.searchsorted(parsed.tx_first_input, np.flatnonzero(null), "right") - 1
    wrong[np.searchsorted(parsed.block_first_tx, transactions, "right") - 1] = True
    return wrong


def _wrong_witnesses(parsed: ParsedBlocks, network: Network) -> Flags:
    """True where witnesses and commitment do not fit each other (Core CheckWitnessMalleation, BIP141)."""
    first_tx, height = parsed.block_first_tx, parsed.blocks.first_height
    totals = np.concatenate(([0], np.cumsum(parsed.tx_flags & 1, dtype=np.int64)))
    has_witness = totals[first_tx[1:]] > totals[first_tx[:-1]]
    active = np.arange(height, height + len(has_witness)) >= network.segwit_height
    wrong: Flags = has_witness & ~active
    if not active.any():
        return wrong
    commitments = {int(b): _commitment(parsed, int(first_tx[b])) for b in np.flatnonzero(active)}
    leaves = parsed.wtxid.copy()
    leaves[first_tx[:-1]] = 0  # the coinbase cannot commit to its own witness
    roots, _ = _roots(leaves, first_tx)
    for number, commitment in commitments.items():
        if commitment is None:
            wrong[number] = has_witness[number]
            continue
        reserved = _coinbase_end(parsed, number, 38)
        # The coinbase's witness is one item of 32 bytes, before the lock time: 01 20 <32 bytes>.
        fits = reserved[:2] == b"\x01\x20" and parsed.tx_flags[first_tx[number]] & 1
        wrong[number] = not fits or double_sha256(roots[number].tobytes() + reserved[2:34]) != commitment
    return wrong


def _coinbase_end(parsed: ParsedBlocks, number: int, length: int) -> bytes:
    """The last bytes of a block's coinbase."""
    first_tx = parsed.block_first_tx
    count = compact_size_bytes(first_tx[number + 1 : number + 2] - first_tx[number])
    end = int(parsed.blocks.start[number] + 80 + count[0]) + int(parsed.tx_size[first_tx[number]])
    return parsed.blocks.raw[end - length : end].tobytes()


def _commitment(parsed: ParsedBlocks, coinbase: int) -> bytes | None:
    """The 32 bytes of the last output that is a witness commitment."""
    first, end = (int(x) for x in parsed.tx_first_output[coinbase : coinbase + 2])
    for output in range(end - 1, first - 1, -1):
        start, length = int(parsed.output_script[output]), int(parsed.output_length[output])
        if length >= 38 and parsed.blocks.raw[start : start + 6].tobytes() == _COMMITMENT:
            return parsed.blocks.raw[start + 6 : start + 38].tobytes()
    return None
