"""Backward: where did it come from?

From outputs over what their transactions spend to where the value was issued, in descending chain order.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from cointrail.ledger.reader import Reader
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE
from cointrail.trace.flow import Direction, Flow, Reason, Step
from cointrail.trace.limits import Limits
from cointrail.trace.policies import I64, Part, Policy
from cointrail.trace.walk import walk


def trace_backward(reader: Reader, seeds: Sequence[int], policy: Policy, limits: Limits) -> Flow:
    """Trace the whole value of outputs backward.

    It ends at coinbases at the latest. A coinbase is not followed into the fees of its block: they are booked and
    not propagated (METHODS.md 4.4, `fee: account`).

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        seeds: output_index of each.
        policy: how to split a transaction.
        limits: when to stop.

    Raises:
        NotFound: a seed is not in this snapshot.

    Method: METHODS.md 4 and 6.3; O(touched inputs and outputs).
    """
    return walk(reader, seeds, policy, limits, _Backward(reader, policy))


class _Backward:
    direction = Direction.BACKWARD

    def __init__(self, rows: Rows, policy: Policy) -> None:
        self._rows, self._policy = rows, policy
        self._spent = rows.column("input", "output")
        self._value = rows.column("output", "value_sat")
        self._first_input = rows.column("transaction", "first_input")

    def onward(self, outputs: I64) -> tuple[Sequence[int], Mapping[int, Reason]]:
        """The transactions that made the outputs."""
        makers = self._rows.transaction_of_outputs(outputs)
        issued = np.flatnonzero(self._spent[self._first_input[makers]] == NONE)
        return makers.tolist(), dict.fromkeys(issued.tolist(), Reason.COINBASE)

    def cross(self, tx_index: int, arrived: Mapping[int, Part]) -> tuple[Step, dict[int, Part]]:
        """From outputs to inputs."""
        inputs, outputs = self._rows.inputs_of(tx_index), self._rows.outputs_of(tx_index)
        spent = self._spent[inputs.start : inputs.stop]
        in_order = sorted(arrived.items())
        split = self._policy.backward(
            np.asarray(self._value[spent], np.int64),
            np.asarray(self._value[outputs.start : outputs.stop], np.int64),
            {output - outputs.start: part for output, part in in_order},
        )
        parts = {int(spent[position]): part for position, part in split.parts.items()}
        step = Step(
            tx_index=tx_index,
            traced_in_sat=sum(part.sat for part in parts.values()),
            traced_out_sat=sum(part.sat for part in arrived.values()),
            fee_sat=split.rest_sat,
            inputs=tuple((output, part.sat) for output, part in parts.items()),
            outputs=tuple((output, part.sat) for output, part in in_order),
        )
        return step, parts
