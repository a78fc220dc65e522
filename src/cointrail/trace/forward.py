"""Forward: where did it go?

From outputs over the inputs that spend them to where the value lies at the snapshot, in ascending chain order.
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


def trace_forward(reader: Reader, seeds: Sequence[int], policy: Policy, limits: Limits) -> Flow:
    """Trace the whole value of outputs forward.

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        seeds: output_index of each.
        policy: how to split a transaction.
        limits: when to stop.

    Raises:
        NotFound: a seed is not in this snapshot.

    Method: METHODS.md 4 and 6.3; O(touched inputs and outputs).
    """
    return walk(reader, seeds, policy, limits, _Forward(reader, policy))


class _Forward:
    direction = Direction.FORWARD

    def __init__(self, rows: Rows, policy: Policy) -> None:
        self._rows, self._policy = rows, policy
        self._spent = rows.column("input", "output")
        self._value = rows.column("output", "value_sat")
        self._genesis = rows.outputs_of(0)

    def onward(self, outputs: I64) -> tuple[Sequence[int], Mapping[int, Reason]]:
        """The spending transactions."""
        spenders = self._rows.spenders(outputs)
        last = np.flatnonzero(spenders == NONE)
        reasons = dict(zip(last.tolist(), self._ends(outputs[last]), strict=True)) if len(last) else {}
        return self._rows.transaction_of_inputs(spenders).tolist(), reasons

    def _ends(self, outputs: I64) -> list[Reason]:
        """Why nothing spends these outputs."""
        overwritten = self._rows.overwritten(outputs).tolist()
        scripts = self._rows.column("output", "script")[outputs]
        unspendable = self._rows.unspendable_scripts(scripts).tolist()
        return [
            Reason.GENESIS
            if output in self._genesis
            else Reason.OVERWRITTEN
            if is_overwritten
            else Reason.UNSPENDABLE
            if is_unspendable
            else Reason.UNSPENT
            for output, is_overwritten, is_unspendable in zip(outputs.tolist(), overwritten, unspendable, strict=True)
        ]

    def cross(self, tx_index: int, arrived: Mapping[int, Part]) -> tuple[Step, dict[int, Part]]:
        """From inputs to outputs."""
        inputs, outputs = self._rows.inputs_of(tx_index), self._rows.outputs_of(tx_index)
        at = self._rows.spenders(np.fromiter(arrived, np.int64, len(arrived))) - inputs.start
        in_order = sorted(zip(at.tolist(), arrived.items(), strict=True))
        split = self._policy.forward(
            np.asarray(self._value[self._spent[inputs.start : inputs.stop]], np.int64),
            np.asarray(self._value[outputs.start : outputs.stop], np.int64),
            {position: part for position, (_, part) in in_order},
        )
        parts = {outputs.start + position: part for position, part in split.parts.items()}
        step = Step(
            tx_index=tx_index,
            traced_in_sat=sum(part.sat for part in arrived.values()),
            traced_out_sat=sum(part.sat for part in parts.values()),
            fee_sat=split.rest_sat,
            inputs=tuple((output, part.sat) for _, (output, part) in in_order),
            outputs=tuple((output, part.sat) for output, part in parts.items()),
        )
        return step, parts
