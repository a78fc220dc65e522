"""The value checks of DESIGN: nothing is overspent, no coinbase claims too much or is spent too early."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.amounts import MAX_MONEY, subsidy_sat
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import Network
from cointrail.ingest.faults import BadBlock, block_name
from cointrail.ingest.parsed import ParsedBlocks
from cointrail.ingest.resolve import Resolved, block_of
from cointrail.ledger.rows import Rows

I64 = npt.NDArray[np.int64]

COINBASE_MATURITY = 100

# Core's reject reason and what it means, by the code of `kernels.checks`.
_NEGATIVE = "bad-txns-vout-negative (an output is below zero)"
_REASONS = {
    1: "bad-txns-vout-toolarge (an output is over MAX_MONEY)",
    2: "bad-txns-txouttotal-toolarge (the outputs together are over MAX_MONEY)",
    3: "bad-txns-in-belowout (it pays more than it spends)",
    4: "bad-cb-amount (the coinbase claims more than subsidy and fees)",
    5: "bad-txns-inputvalues-outofrange (the inputs together are over MAX_MONEY)",
}


@dataclass(frozen=True, slots=True, eq=False)
class BlockSums:
    """Sums of each block, int64 (b,)."""

    fees: I64
    unclaimed: I64
    unspent_change: I64
    unspent_value_change: I64


def check_values(rows: Rows, parsed: ParsedBlocks, resolved: Resolved, network: Network) -> BlockSums:
    """Check a batch in integers and add it up.

    Raises:
        BadBlock: naming block, transaction and rule.
    """
    from cointrail.kernels import checks

    spent_value = _spent_values(rows, parsed, resolved)
    _check_maturity(rows, parsed, resolved)
    count = len(parsed.blocks.start)
    height = parsed.blocks.first_height
    subsidy = np.array([subsidy_sat(height + b, network.halving_interval) for b in range(count)], np.int64)
    sums = BlockSums(*(np.empty(count, np.int64) for _ in range(4)))
    code, block, transaction = checks.check_values(
        parsed.block_first_tx,
        parsed.tx_first_input,
        parsed.tx_first_output,
        parsed.output_value,
        parsed.output_spendable,
        spent_value,
        subsidy,
        sums.fees,
        sums.unclaimed,
        sums.unspent_change,
        sums.unspent_value_change,
    )
    if code != checks.SOUND:
        raise _broken(parsed, int(block), int(transaction), _reason(parsed, int(code), int(transaction)))
    for output, overwriter in zip(resolved.overwritten, resolved.overwriter, strict=True):
        block = block_of(parsed, int(overwriter))
        sums.unspent_change[block] -= 1
        sums.unspent_value_change[block] -= _values(rows, parsed, np.array([output]))[0]
    return sums


def _reason(parsed: ParsedBlocks, code: int, transaction: int) -> str:
    """Core's name for a broken rule; to the kernel a negative value is one that is too large."""
    values = parsed.output_value[slice(*parsed.tx_first_output[transaction : transaction + 2])]
    wrong = values[(values < 0) | (values > MAX_MONEY)]
    return _NEGATIVE if code == 1 and wrong[0] < 0 else _REASONS[code]


def _values(rows: Rows, parsed: ParsedBlocks, outputs: I64) -> I64:
    base = rows.counts.output
    local = outputs >= base
    values = np.empty(len(outputs), np.int64)
    values[local] = parsed.output_value[outputs[local] - base]
    values[~local] = rows.column("output", "value_sat")[outputs[~local]]
    return values


def _spent_values(rows: Rows, parsed: ParsedBlocks, resolved: Resolved) -> I64:
    spends = resolved.output >= 0
    values = np.zeros(len(resolved.output), np.int64)
    values[spends] = _values(rows, parsed, resolved.output[spends])
    return values


def _check_maturity(rows: Rows, parsed: ParsedBlocks, resolved: Resolved) -> None:
    """A coinbase's output may be spent 100 blocks later (Core COINBASE_MATURITY)."""
    spends = np.flatnonzero(resolved.from_coinbase)
    if not len(spends):
        return
    base, height = rows.counts.output, parsed.blocks.first_height
    outputs = resolved.output[spends]
    local = outputs >= base
    made = np.empty(len(spends), np.int64)
    in_batch = np.searchsorted(parsed.tx_first_output, outputs[local] - base, "right") - 1
    made[local] = np.searchsorted(parsed.block_first_tx, in_batch, "right") - 1 + height
    made[~local] = rows.height_of_transactions(rows.transaction_of_outputs(outputs[~local]))
    spender = np.searchsorted(parsed.tx_first_input, spends, "right") - 1
    spent_at = np.searchsorted(parsed.block_first_tx, spender, "right") - 1 + height
    for early in np.flatnonzero(spent_at - made < COINBASE_MATURITY):
        reason = (
            f"bad-txns-premature-spend-of-coinbase (it spends the coinbase of height {made[early]}, "
            f"{spent_at[early] - made[early]} blocks later; {COINBASE_MATURITY} are needed)"
        )
        raise _broken(parsed, int(spent_at[early]) - height, int(spender[early]), reason)


def _broken(parsed: ParsedBlocks, block: int, transaction: int, reason: str) -> BadBlock:
    txid = display(bytes(parsed.txid[transaction]))
    return BadBlock(f"{block_name(parsed.blocks, block)} refused: {reason}, transaction {txid}", block, damaged=False)
