"""Everything that happened to the scripts of a cluster: what they received, what was spent, when.

Works on whole columns, since a service's cluster may hold a million scripts. Facts, once the members are given.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.errors import Unavailable
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE

I64 = npt.NDArray[np.int64]

_ATTEMPTS = 10  # a writer may be rewriting rows beyond the snapshot meanwhile


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """The outputs of some scripts.

    Attributes:
        scripts: int64 (n,), script_ids, ascending.
        owner: (m,), the place in `scripts` of each output's script, ascending.
        outputs: int64 (m,), newest first in each.
        values: int64 (m,), satoshi.
        spenders: int64 (m,), the input that spends each, or -1.
        balance_sat: what can still be spent of it.
    """

    scripts: I64
    owner: npt.NDArray[np.int32]
    outputs: I64
    values: I64
    spenders: I64
    balance_sat: int

    @property
    def received_sat(self) -> int:
        """Value of all outputs."""
        return int(self.values.sum())

    @property
    def spent_sat(self) -> int:
        """Value of the outputs that are spent."""
        return int(self.values[self.spenders != NONE].sum())


def activity(reader: Reader, scripts: I64) -> Activity:
    """Collect the outputs that pay some scripts and what became of them.

    Args:
        reader: the ledger at a snapshot.
        scripts: int64 (n,), script_ids of the snapshot, ascending and distinct.

    Raises:
        Unavailable: the ledger is damaged.
    """
    owner, outputs = _outputs(reader, scripts)
    values, spenders = reader.column("output", "value_sat")[outputs], reader.spenders(outputs)
    open_ = spenders == NONE
    live = values[open_][reader.unspent(outputs[open_])]
    return Activity(scripts, owner, outputs, values, spenders, int(live.sum()))


def _outputs(reader: Reader, scripts: I64) -> tuple[npt.NDArray[np.int32], I64]:
    from cointrail.kernels.cluster.histories import outputs_of_scripts

    broken = -1
    for _ in range(_ATTEMPTS):
        previous, script = (reader.column_on_disk("output", name) for name in ("previous_same_script", "script"))
        rows = min(len(previous), len(script))
        last = reader.column("script", "last_output")
        broken, owner, outputs = outputs_of_scripts(scripts, last, previous[:rows], script[:rows], reader.counts.output)
        if broken < 0:
            return owner, outputs
        reader.check_current()
    raise Unavailable(
        f"the outputs of script {int(scripts[broken])} cannot be followed",
        hint="the ledger is damaged: run `cointrail verify`",
    )


def first_and_last(reader: Reader, found: Activity) -> tuple[int, int]:
    """The transactions in which the scripts were first paid and last paid or spent."""
    first = int(reader.transaction_of_outputs(found.outputs.min()))
    last = int(reader.transaction_of_outputs(found.outputs.max()))
    newest_spender = int(found.spenders.max())
    if newest_spender != NONE:
        last = max(last, int(reader.transaction_of_inputs(newest_spender)))
    return first, last
