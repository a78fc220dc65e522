"""Deposit addresses: scripts that a customer pays and a service empties, told by where all their money goes.

A script is taken for a deposit address of a service if each transaction that spends it pays that service alone, and
pays a script of it that pays others. Assumes that the service sweeps deposits into a wallet from which it pays. An
inference of its own, `deposit_address` 1, apart from ownership: it says where an account was credited, and nobody's
name. Method: METHODS.md 7.1 in its small form; docs/methods/deposit-address.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.trace.services import NO_SERVICE, Services

I64 = npt.NDArray[np.int64]

RULE: Final = "deposit_address"
VERSION: Final = 1

MOST_SPENDS: Final = 1_000
"""Spends of one script that are looked at, the newest; a script with so many that agree needs no more."""

_SURE_SWEEPS, _SURE_FUNDERS, _SURE_SIBLINGS = 2, 3, 3


class Standing(StrEnum):
    """How well a deposit address is told from a customer's wallet that was emptied into one."""

    DEPOSIT = "deposit address"
    """Swept twice or more, paid by three or more clusters, or swept together with three or more others."""
    LIKELY = "likely deposit address"


@dataclass(frozen=True, slots=True)
class Deposit:
    """What is known of a deposit address.

    Attributes:
        service: number of the service.
        standing: see there.
        sweeps: transactions that spend it, all to the service; exceptions are none, or it would be no deposit address.
        funders: L1 clusters that paid it.
        siblings: most other scripts that one of its sweeps empties.
        score_ppm: mean of the Beta posterior of its next spend going to the service, in millionths.
    """

    service: int
    standing: Standing
    sweeps: int
    funders: int
    siblings: int
    score_ppm: int


class Deposits:
    """Looks scripts up, each once.

    Args:
        reader: the ledger at a snapshot.
        forest: its clusters.
        services: who is known.
    """

    def __init__(self, reader: Reader, forest: Forest, services: Services) -> None:
        self._reader, self._forest, self._services = reader, forest, services
        self._script = reader.column("output", "script")
        self._spent = reader.column("input", "output")
        self._pays_out: dict[int, bool] = {}
        self._swept: dict[int, tuple[int, int]] = {}  # by transaction: (service, scripts it empties)
        self._found: dict[int, Deposit | None] = {}

    def of(self, script_id: int) -> Deposit | None:
        """What is known of a script; None if it is no deposit address."""
        if script_id not in self._found:
            self._found[script_id] = self._look(script_id)
        return self._found[script_id]

    def _look(self, script_id: int) -> Deposit | None:
        outputs = self._outputs(script_id)
        spends = self._spends(outputs)
        sweeps = [self._sweep(each) for each in spends]
        services = {service for service, _ in sweeps}
        if len(services) != 1 or NO_SERVICE in services:
            return None
        funders = self._funders(outputs)
        siblings = max(scripts - 1 for _, scripts in sweeps)
        sure = len(sweeps) >= _SURE_SWEEPS or funders >= _SURE_FUNDERS or siblings >= _SURE_SIBLINGS
        return Deposit(
            service=services.pop(),
            standing=Standing.DEPOSIT if sure else Standing.LIKELY,
            sweeps=len(sweeps),
            funders=funders,
            siblings=siblings,
            score_ppm=1_000_000 * (len(sweeps) + 1) // (len(sweeps) + 2),
        )

    def _sweep(self, tx_index: int) -> tuple[int, int]:
        """(the service that alone is paid, in a script that pays others, or none; how many scripts are emptied)."""
        if tx_index not in self._swept:
            self._swept[tx_index] = self._look_at_sweep(tx_index)
        return self._swept[tx_index]

    def _look_at_sweep(self, tx_index: int) -> tuple[int, int]:
        paid = self._paid(tx_index)
        services = set(self._services.of(self._forest, paid).tolist())
        if len(services) != 1 or NO_SERVICE in services:
            return NO_SERVICE, 0
        (service,) = services
        if not all(self._is_till(script, service) for script in set(paid.tolist())):
            return NO_SERVICE, 0
        inputs = self._reader.inputs_of(tx_index)
        emptied = np.unique(self._script[self._spent[inputs.start : inputs.stop]])
        return service, len(emptied)

    def _is_till(self, script_id: int, service: int) -> bool:
        """Whether a service's script pays others: a hot wallet, and not itself a deposit address."""
        if script_id not in self._pays_out:
            spends = self._spends(self._outputs(script_id))
            self._pays_out[script_id] = any(self._pays_others(each, service) for each in spends)
        return self._pays_out[script_id]

    def _pays_others(self, tx_index: int, service: int) -> bool:
        return bool((self._services.of(self._forest, self._paid(tx_index)) != service).any())

    def _paid(self, tx_index: int) -> I64:
        made = self._reader.outputs_of(tx_index)
        return np.asarray(self._script[made.start : made.stop], np.int64)

    def _outputs(self, script_id: int) -> I64:
        found = self._reader.outputs_of_script(script_id)
        return np.array([output for output, _ in zip(found, range(MOST_SPENDS), strict=False)], np.int64)

    def _spends(self, outputs: I64) -> list[int]:
        inputs = self._reader.spenders(outputs)
        found: list[int] = np.unique(self._reader.transaction_of_inputs(inputs[inputs >= 0])).tolist()
        return found

    def _funders(self, outputs: I64) -> int:
        """L1 clusters behind the first inputs of what paid it; a coinbase is one more."""
        makers = np.unique(self._reader.transaction_of_outputs(outputs))
        first = self._reader.column("transaction", "first_input")[makers]
        spent = np.asarray(self._spent[first], np.int64)
        roots = self._forest.roots(self._script[spent[spent >= 0]])
        return len(np.unique(roots)) + bool((spent < 0).any())
