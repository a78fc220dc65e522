"""The value rules of a chain, in integers, for many blocks at once.

In every block: value of spent outputs + subsidy = value of all outputs, the coinbase's included, + unclaimed.
"""

import numpy as np
from numba import njit

MAX_MONEY = 21_000_000 * 100_000_000

SOUND = 0
OUTPUT_TOO_LARGE = 1
OUTPUTS_TOO_LARGE = 2
OVERSPEND = 3
CLAIMS_TOO_MUCH = 4
INPUTS_TOO_LARGE = 5


@njit(nogil=True, cache=True)
def check_values(
    block_first_tx,
    tx_first_input,
    tx_first_output,
    output_value,
    output_spendable,
    spent_value,
    subsidy,
    fees,
    unclaimed,
    unspent_change,
    unspent_value_change,
):
    """Check and add up.

    Args:
        block_first_tx: int64 (b + 1,); tx_first_input, tx_first_output: int64 (t + 1,).
        output_value: int64 (o,), output_spendable: bool (o,); spent_value: int64 (i,), 0 for a coinbase's input.
        subsidy: int64 (b,).
        fees, unclaimed: int64 (b,), written.
        unspent_change, unspent_value_change: int64 (b,), written: outputs that came less those that went, and value.

    Returns:
        (code, block, transaction): SOUND, or the first broken rule and where.
    """
    for b in range(block_first_tx.shape[0] - 1):
        fees[b] = 0
        unspent_change[b] = 0
        unspent_value_change[b] = 0
        coinbase = block_first_tx[b]
        claimed = np.int64(0)
        for t in range(coinbase, block_first_tx[b + 1]):
            total_out = np.int64(0)
            for o in range(tx_first_output[t], tx_first_output[t + 1]):
                value = output_value[o]
                if value < 0 or value > MAX_MONEY:
                    return OUTPUT_TOO_LARGE, b, t
                total_out += value
                if total_out > MAX_MONEY:
                    return OUTPUTS_TOO_LARGE, b, t
                if output_spendable[o]:
                    unspent_change[b] += 1
                    unspent_value_change[b] += value
            if t == coinbase:
                claimed = total_out
                continue
            total_in = np.int64(0)
            for i in range(tx_first_input[t], tx_first_input[t + 1]):
                total_in += spent_value[i]
                if total_in > MAX_MONEY:
                    return INPUTS_TOO_LARGE, b, t
                unspent_change[b] -= 1
                unspent_value_change[b] -= spent_value[i]
            if total_out > total_in:
                return OVERSPEND, b, t
            fees[b] += total_in - total_out
        unclaimed[b] = subsidy[b] + fees[b] - claimed
        if unclaimed[b] < 0:
            return CLAIMS_TOO_MUCH, b, coinbase
    return SOUND, -1, -1
