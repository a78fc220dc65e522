"""Deposit addresses: scripts that a customer pays and a service empties, told by where all their money goes.

A script is taken for a deposit address of a service if each transaction that spends it is a sweep: it pays that service
alone, at scripts that pay others, and empties nothing but such scripts and the service's own. Assumes that the service
sweeps deposits into a wallet from which it pays. An inference of its own, `deposit_address` 2, apart from ownership: it
says where an account was credited, and nobody's name. One script at a time, each once; for all of a service at once
see `profile.roles.search`. Method: METHODS.md 7.1; docs/methods/deposit-address.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.trace.services import NO_SERVICE, Services

I64 = npt.NDArray[np.int64]

RULE: Final = "deposit_address"
VERSION: Final = 2

MOST_OUTPUTS: Final = 1_000
"""Outputs of one script that are looked at, the newest; a script with so many that agree needs no more."""

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class DepositLimits:
    """Thresholds, registered in METHODS.md 9 `deposit`.

    Attributes:
        min_sweeps: sweeps that make a deposit address sure.
        min_funders: or clusters that paid it; or clusters that paid the scripts of one sweep, if there are
        min_siblings: other scripts in it.
        dwell_seconds: money stays for less, at the median, by median time of blocks.
        swept_ppm: of what came before that time at least so much has left, in millionths.
        public_ppm: a till is public if such a share of the outputs that outsiders paid it came beside payments to
        others, in millionths; outputs of less than
        dust_sat: do not count there, since anybody can send them.
    """

    min_sweeps: int = 2
    min_funders: int = 3
    min_siblings: int = 3
    dwell_seconds: int = 30 * 86_400
    swept_ppm: int = 900_000
    public_ppm: int = 200_000
    dust_sat: int = 10_000


LIMITS: Final = DepositLimits()


class Standing(StrEnum):
    """How well a deposit address is told from a customer's wallet that was emptied into one."""

    DEPOSIT = "deposit address"
    """Swept twice or more; or into no public till, and paid by three clusters, or swept with three that three paid."""
    LIKELY = "likely deposit address"


@dataclass(frozen=True, slots=True)
class Deposit:
    """What is known of a deposit address.

    Attributes:
        service: number of the service.
        standing: see there.
        sweeps: transactions that spend it, all to the service; exceptions are none, or it would be no deposit address.
        funders: L1 clusters that paid it, apart from the service's own.
        siblings: most other scripts that one of its sweeps empties.
        payers: most L1 clusters that paid what one of its sweeps empties.
        dwell_seconds: median time that money stayed.
        swept_ppm: share that has left of what came before the limit of that time, in millionths.
        score_ppm: mean of the Beta posterior of its next spend going to the service, in millionths.
    """

    service: int
    standing: Standing
    sweeps: int
    funders: int
    siblings: int
    payers: int
    dwell_seconds: int
    swept_ppm: int
    score_ppm: int


@dataclass(frozen=True, slots=True, eq=False)
class _Sweep:
    """A transaction that pays one service alone, in tills, public or not: the scripts it empties, and who paid them."""

    service: int
    scripts: I64
    payers: int
    public: bool


class Deposits:
    """Looks scripts up, each once.

    Args:
        reader: the ledger at a snapshot.
        forest: its clusters.
        services: who is known.
        limits: thresholds.
    """

    def __init__(self, reader: Reader, forest: Forest, services: Services, limits: DepositLimits = LIMITS) -> None:
        self._reader, self._forest, self._services, self._limits = reader, forest, services, limits
        self._script = reader.column("output", "script")
        self._value = reader.column("output", "value_sat")
        self._spent = reader.column("input", "output")
        self._median_time = reader.column("block", "median_time")
        self._pays_out: dict[int, bool] = {}
        self._public: dict[int, bool] = {}
        self._sweeps: dict[int, _Sweep | None] = {}
        self._emptied_by: dict[int, int] = {}
        self._found: dict[int, Deposit | None] = {}

    def of(self, script_id: int) -> Deposit | None:
        """What is known of a script; None if it is no deposit address."""
        if script_id not in self._found:
            self._found[script_id] = self._look(script_id)
        return self._found[script_id]

    def _look(self, script_id: int) -> Deposit | None:
        service = self._emptied(script_id)
        if service == NO_SERVICE:
            return None
        outputs = self._outputs(script_id)
        inputs = self._reader.spenders(outputs)
        transactions = np.unique(self._reader.transaction_of_inputs(inputs[inputs != NONE])).tolist()
        sweeps = [each for each in map(self._sweep, transactions) if each is not None]
        if not all(self._empties_deposits(each) for each in sweeps):
            return None
        funders = self._payers(outputs, service)
        dwell, swept = self._dwell(outputs, inputs), self._swept(outputs, inputs)
        if not funders or dwell >= self._limits.dwell_seconds or swept < self._limits.swept_ppm:
            return None
        support = 0 if all(each.public for each in sweeps) else max(funders, *map(self._support, sweeps))
        return Deposit(
            service=service,
            standing=standing_of(len(sweeps), support, self._limits),
            sweeps=len(sweeps),
            funders=funders,
            siblings=max(len(each.scripts) - 1 for each in sweeps),
            payers=max(each.payers for each in sweeps),
            dwell_seconds=dwell,
            swept_ppm=swept,
            score_ppm=score_of(len(sweeps)),
        )

    def _support(self, sweep: _Sweep) -> int:
        """Clusters that paid what a sweep of many scripts empties; 0 for one of few, or into a public till."""
        return 0 if sweep.public or len(sweep.scripts) <= self._limits.min_siblings else sweep.payers

    def _emptied(self, script_id: int) -> int:
        """The one service that every spend of a script pays alone, if it is not that service's own; or none."""
        if script_id not in self._emptied_by:
            inputs = self._reader.spenders(self._outputs(script_id))
            transactions = np.unique(self._reader.transaction_of_inputs(inputs[inputs != NONE])).tolist()
            sweeps = [self._sweep(each) for each in transactions]
            services = {NO_SERVICE if each is None else each.service for each in sweeps}
            own = int(self._services.of(self._forest, [script_id])[0])
            one = len(services) == 1 and own == NO_SERVICE
            self._emptied_by[script_id] = services.pop() if one else NO_SERVICE
        return self._emptied_by[script_id]

    def _sweep(self, tx_index: int) -> _Sweep | None:
        """What a transaction empties into a service; None if it pays anybody else, or scripts that pay nobody."""
        if tx_index not in self._sweeps:
            self._sweeps[tx_index] = self._look_at_sweep(tx_index)
        return self._sweeps[tx_index]

    def _look_at_sweep(self, tx_index: int) -> _Sweep | None:
        paid = self._paid(tx_index)
        services = set(self._services.of(self._forest, paid).tolist())
        if len(services) != 1 or NO_SERVICE in services:
            return None
        (service,) = services
        if not all(self._is_till(script, service) for script in set(paid.tolist())):
            return None
        inputs = self._reader.inputs_of(tx_index)
        outputs = np.asarray(self._spent[inputs.start : inputs.stop], np.int64)
        strange = self._services.of(self._forest, self._script[outputs]) != service
        outputs = outputs[strange]
        public = any(self._is_public(script, service) for script in set(paid.tolist()))
        return _Sweep(service, np.unique(self._script[outputs]), self._payers(outputs, service), public)

    def _empties_deposits(self, sweep: _Sweep) -> bool:
        """Whether every script that it empties is emptied into that service alone, by all that spends it."""
        return all(self._emptied(script) == sweep.service for script in sweep.scripts.tolist())

    def _is_till(self, script_id: int, service: int) -> bool:
        """Whether a service's script pays others: a hot wallet, and not itself a deposit address."""
        if script_id not in self._pays_out:
            inputs = self._reader.spenders(self._outputs(script_id))
            transactions = np.unique(self._reader.transaction_of_inputs(inputs[inputs != NONE])).tolist()
            self._pays_out[script_id] = any(self._pays_others(each, service) for each in transactions)
        return self._pays_out[script_id]

    def _is_public(self, script_id: int, service: int) -> bool:
        """Whether outsiders pay a till beside other payments: people do, and a wallet emptied into it may be theirs."""
        if script_id not in self._public:
            whole = beside = 0
            for output in self._outputs(script_id).tolist():
                if int(self._value[output]) < self._limits.dust_sat:
                    continue
                maker = int(self._reader.transaction_of_outputs(output))
                spent = int(self._spent[self._reader.inputs_of(maker).start])
                if spent != NONE and self._services.of(self._forest, self._script[[spent]])[0] == service:
                    continue
                whole += 1
                beside += self._pays_others(maker, service)
            self._public[script_id] = whole > 0 and MILLION * beside >= self._limits.public_ppm * whole
        return self._public[script_id]

    def _pays_others(self, tx_index: int, service: int) -> bool:
        return bool((self._services.of(self._forest, self._paid(tx_index)) != service).any())

    def _paid(self, tx_index: int) -> I64:
        made = self._reader.outputs_of(tx_index)
        return np.asarray(self._script[made.start : made.stop], np.int64)

    def _outputs(self, script_id: int) -> I64:
        found = self._reader.outputs_of_script(script_id)
        return np.array([output for output, _ in zip(found, range(MOST_OUTPUTS), strict=False)], np.int64)

    def _payers(self, outputs: I64, service: int) -> int:
        """L1 clusters behind the first inputs of what paid outputs, but the service's; all coinbases are one more."""
        makers = np.unique(self._reader.transaction_of_outputs(outputs))
        first = self._reader.column("transaction", "first_input")[makers]
        spent = np.asarray(self._spent[first], np.int64)
        scripts = np.asarray(self._script[spent[spent != NONE]], np.int64)
        strange = self._services.of(self._forest, scripts) != service
        return len(np.unique(self._forest.roots(scripts[strange]))) + bool((spent == NONE).any())

    def _times(self, tx_index: I64) -> I64:
        """Median times of their blocks, seconds since 1970 UTC."""
        return np.asarray(self._median_time[self._reader.height_of_transactions(tx_index)], np.int64)

    def _dwell(self, outputs: I64, inputs: I64) -> int:
        gone = inputs != NONE
        came = self._times(self._reader.transaction_of_outputs(outputs[gone]))
        left = self._times(self._reader.transaction_of_inputs(inputs[gone]))
        return int(np.sort(left - came)[(len(came) - 1) // 2])

    def _swept(self, outputs: I64, inputs: I64) -> int:
        """Share that has left, of what left or had the time to leave."""
        came = self._times(self._reader.transaction_of_outputs(outputs))
        due = (inputs != NONE) | (came <= int(self._median_time[self._reader.height]) - self._limits.dwell_seconds)
        values = np.asarray(self._value[outputs], np.int64)
        whole = int(values[due].sum())
        return MILLION * int(values[inputs != NONE].sum()) // whole if whole else 0


def standing_of(sweeps: int, support: int, limits: DepositLimits = LIMITS) -> Standing:
    """The standing that numbers give; `support`: clusters that paid it, or the scripts of a sweep of enough scripts."""
    sure = sweeps >= limits.min_sweeps or support >= limits.min_funders
    return Standing.DEPOSIT if sure else Standing.LIKELY


def score_of(sweeps: int, exceptions: int = 0) -> int:
    """Mean of the Beta posterior of one more sweep, from an even prior, in millionths, rounded down."""
    return MILLION * (sweeps + 1) // (sweeps + exceptions + 2)
