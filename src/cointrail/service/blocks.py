"""What is in this ledger, what is in this block?"""

from cointrail.bitcoin.block import BlockHeader
from cointrail.bitcoin.hashes import display, parse_hash
from cointrail.errors import InputRefused, NotFound
from cointrail.ledger.reader import Reader
from cointrail.ledger.snapshot import counts_at
from cointrail.service.answers import BlockAnswer, Status
from cointrail.service.names import block_time, snapshot_name, utc


def status(reader: Reader) -> Status:
    """The ledger at the reader's snapshot."""
    counts, height = reader.counts, reader.height
    return Status(
        network=reader.snapshot.network,
        height=height,
        block_hash=reader.snapshot.block_hash,
        time_utc=block_time(reader, height),
        blocks=counts.block,
        transactions=counts.transaction,
        inputs=counts.input,
        outputs=counts.output,
        scripts=counts.script,
        unspent_outputs=int(reader.column("block", "unspent_outputs")[height]),
        unspent_value_sat=int(reader.column("block", "unspent_value_sat")[height]),
        digest=reader.snapshot.digest,
        refused=tuple(entry.reason for entry in reader.manifest.refused),
        source=reader.manifest.source,
        snapshot=snapshot_name(reader),
    )


def block(reader: Reader, which: str, *, first: int = 0, limit: int | None = None) -> BlockAnswer:
    """A block by height or hash, with a page of its txids.

    Raises:
        InputRefused: neither a height nor a hash.
        NotFound: not in this snapshot.
    """
    height = _height(reader, which)
    header = BlockHeader.parse(bytes(reader.column("block", "header")[height]))
    low, high = counts_at(reader, height - 1).transaction, counts_at(reader, height).transaction
    end = high if limit is None else min(high, low + first + limit)
    txids = reader.column("transaction", "txid")[low + first : end]
    return BlockAnswer(
        height=height,
        block_hash=display(reader.block_hash(height)),
        previous_block_hash=display(header.previous_hash) if height else None,
        merkle_root=display(header.merkle_root),
        time_utc=utc(header.time),
        median_time_utc=utc(int(reader.column("block", "median_time")[height])),
        size=int(reader.column("block", "size")[height]),
        weight=int(reader.column("block", "weight")[height]),
        transactions=high - low,
        fees_sat=int(reader.column("block", "fees_sat")[height]),
        unclaimed_sat=int(reader.column("block", "unclaimed_sat")[height]),
        txids=tuple(display(bytes(txid)) for txid in txids),
        snapshot=snapshot_name(reader),
    )


def _height(reader: Reader, which: str) -> int:
    if which.isascii() and which.isdigit() and len(which) < 10:
        height: int | None = int(which)
        if height is not None and height > reader.height:
            raise NotFound(f"height {which} is not in this ledger", hint=f"its tip is at height {reader.height}")
        assert height is not None
        return height
    if len(which) != 64:
        raise InputRefused(f"{which!r} is neither a height nor a block hash", hint="a hash has 64 hex digits")
    height = reader.find_block(parse_hash(which))
    if height is None:
        raise NotFound(
            f"block {which} is not in the best chain of this ledger",
            hint="it may be stale, newer, or of another network",
        )
    return height
