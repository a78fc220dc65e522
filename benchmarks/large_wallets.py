"""Two ledgers that hold little but one very large wallet, written as columns by the ledger's own writer.

`busy`: one script is paid by a stranger in two of three transactions, and in the others pays one. `wide`: a wallet of
many addresses, each paid by a stranger, all swept by a thousand at a time together with the sweep before; some are paid
again.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

SWEPT = 1_000
PER_BLOCK = 2_000
FUNDED = 100  # outputs of a coinbase that pays strangers
COIN = 100_000_000
P2WPKH = 6


def busy(folder: Path, many: int) -> int:
    """A ledger with a script of so many transactions; gives the script_id."""
    import numpy as np

    spends = many // 3
    receipts = many - spends
    scripts = np.concatenate([np.zeros(receipts, np.int64), 1 + receipts + np.arange(spends)])
    value = np.concatenate([np.full(receipts, 49_000), np.full(spends, 48_000)])
    one = np.ones(many, np.int64)
    _write(folder, 1 + np.arange(receipts), one, np.arange(many), scripts, value)
    return 0


def wide(folder: Path, many: int) -> int:
    """A ledger with a cluster of so many scripts; gives the script_id of one."""
    import numpy as np

    sweeps, again = many // SWEPT, many // 10
    many, paid = sweeps * SWEPT, many + again
    strangers = many + np.arange(paid)
    counts, spent = [np.ones(many, np.int64)], [np.arange(many)]
    for sweep in range(sweeps):
        # The output of the sweep before goes in, too: all are one wallet.
        before = [paid + many + sweep - 1] if sweep else []
        spent.append(np.array([*range(paid + sweep * SWEPT, paid + (sweep + 1) * SWEPT), *before]))
        counts.append(np.array([len(spent[-1])]))
    counts.append(np.ones(again, np.int64))
    spent.append(many + np.arange(again))
    scripts = np.concatenate([np.arange(many), np.arange(sweeps) * SWEPT, np.arange(again) * 7 % many])
    swept = np.cumsum(np.full(sweeps, SWEPT * 49_000 - 1_000))
    value = np.concatenate([np.full(many, 49_000), swept, np.full(again, 48_000)])
    _write(folder, strangers, np.concatenate(counts), np.concatenate(spent), scripts, value)
    return 0


def _write(folder: Path, strangers: Any, inputs: Any, spent: Any, scripts: Any, values: Any) -> None:
    """Coinbases pay the strangers; then payments of one output each, under one more coinbase a block.

    Args:
        folder: the ledger.
        strangers: script_id that each output of the first coinbases pays.
        inputs: of each payment, how many.
        spent: what they spend: an output of the first coinbases, or the number of these and a payment.
        scripts: script_id that each payment pays.
        values: satoshi.
    """
    import numpy as np

    from cointrail.cluster.forest.extend import bring_up
    from cointrail.ledger.writer import Writer

    funded, payments, count = len(strangers), len(scripts), int(max(strangers.max(), scripts.max())) + 2
    funders = -(-funded // FUNDED)
    head = 1 + funders  # the genesis block and these: one transaction each
    blocks = head + -(-payments // PER_BLOCK)
    place = np.arange(payments)
    tx = head + place + place // PER_BLOCK + 1
    transactions = payments + blocks
    made = np.ones(transactions, np.int64)
    made[1:head] = np.diff(np.minimum(np.arange(head) * FUNDED, funded))
    first_output = np.cumsum(made) - made
    script = np.full(int(made.sum()), count - 1)  # the last script is the miners'
    value = np.full(len(script), 50 * COIN)
    script[1 : funded + 1], value[1 : funded + 1] = strangers, 50_000
    script[first_output[tx]], value[first_output[tx]] = scripts, values
    in_tx = np.ones(transactions, np.int64)
    in_tx[tx] = inputs
    first_input = np.cumsum(in_tx) - in_tx
    came = np.full(int(in_tx.sum()), -1)
    rows = np.ones(len(came), np.bool_)
    rows[first_input[np.setdiff1d(np.arange(transactions), tx)]] = False
    came[rows] = np.where(spent < funded, 1 + spent, first_output[tx[np.maximum(spent - funded, 0)]])
    first_tx = np.concatenate([np.arange(head), head + np.arange(blocks - head) * (PER_BLOCK + 1)])
    bounds = np.stack(
        [
            np.arange(blocks + 1),
            np.append(first_tx, transactions),
            np.append(first_input[first_tx], len(came)),
            np.append(first_output[first_tx], len(script)),
            np.concatenate([[0], np.full(blocks, count)]),
            np.zeros(blocks + 1, np.int64),
        ],
        axis=1,
    ).astype(np.int64)
    with Writer(folder, "regtest") as writer:
        writer.append(_batch(bounds, first_input, first_output, came, script, value, count))
        bring_up(writer, ())
        writer.publish()


def _batch(bounds: Any, first_input: Any, first_output: Any, came: Any, script: Any, value: Any, scripts: int) -> Any:
    import numpy as np

    from cointrail.ledger.writer import Batch

    random = np.random.default_rng(1)
    blocks, transactions = len(bounds) - 1, len(first_input)
    payload = np.zeros((scripts, 32), np.uint8)
    payload[:, :20] = random.integers(0, 256, (scripts, 20), np.uint8)
    txid = random.integers(0, 256, (transactions, 32), np.uint8)
    hashes = b"".join(sha256(b"\x00\x14" + bytes(row[:20])).digest() for row in payload)
    order = np.argsort(script, kind="stable")
    before = np.full(len(script), -1)
    same = script[order[1:]] == script[order[:-1]]
    before[order[1:][same]] = order[:-1][same]
    last = np.flatnonzero(np.append(~same, True))
    spends = np.flatnonzero(came >= 0)
    times = 1_700_000_000 + 600 * np.arange(blocks)
    rows = {
        ("block", name): bounds[:-1, column]
        for name, column in (("first_transaction", 1), ("first_script", 4), ("first_script_byte", 5))
    }
    rows |= {("block", "time"): times, ("block", "median_time"): np.maximum(times - 3_000, times[0])}
    rows |= {("block", "hash"): random.integers(0, 256, (blocks, 32), np.uint8)}
    rows |= {("transaction", "txid"): txid, ("script", "payload"): payload}
    rows |= {("transaction", "first_input"): first_input, ("transaction", "first_output"): first_output}
    rows |= {("input", "output"): came, ("script", "type"): np.full(scripts, P2WPKH)}
    rows |= {("output", "value_sat"): value, ("output", "script"): script, ("output", "previous_same_script"): before}
    keys = _sorted_keys(txid), _sorted_keys(np.frombuffer(hashes, np.uint8).reshape(-1, 32))
    return Batch(
        rows=_complete(rows, (blocks, transactions, len(came), len(script), scripts, 0)),
        bounds=bounds,
        spent=came[spends],
        spender=spends,
        overwritten=np.empty(0, np.int64),
        overwriter=np.empty(0, np.int64),
        paid=script[order[last]],
        last_output=order[last],
        txid_keys=keys[0][0],
        txid_ids=keys[0][1],
        script_keys=keys[1][0],
        script_ids=keys[1][1],
        spelling_keys=keys[1][0],
        spelling_ids=keys[1][1],
        same_key={name: np.empty(0, np.uint32) for name in ("tx_index", "script_a", "script_b", "kind")},
    )


def _complete(rows: dict[tuple[str, str], Any], counts: tuple[int, ...]) -> dict[tuple[str, str], Any]:
    """Every fixed column in its type; those that nothing asks for are zero."""
    import numpy as np

    from cointrail.ledger.schema import TABLES

    found = {}
    for table, count in zip(TABLES, counts, strict=True):
        for column in table.columns:
            shape = count if column.width == 1 else (count, column.width)
            cells = rows.get((table.name, column.name), np.zeros(shape, column.dtype))
            found[table.name, column.name] = np.ascontiguousarray(cells, column.dtype)
    return found


def _sorted_keys(hashes: Any) -> tuple[Any, Any]:
    import numpy as np

    keys = np.ascontiguousarray(hashes[:, :8]).view("<u8")[:, 0]
    order = np.argsort(keys, kind="stable")
    return keys[order], order.astype(np.uint32)
