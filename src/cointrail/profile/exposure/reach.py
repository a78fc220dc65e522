"""How far a walk can look within a budget of transactions, hop by hop.

A walk goes in chain order, so one that a budget cuts off has seen the oldest transactions, or the newest, and nothing
of the others: its figures would say more of some years than of others. It is walked again within the most hops that the
budget allows, so that all its figures are whole within these. What a wallet's own transactions moved is always whole.
"""

from collections.abc import Callable
from dataclasses import replace

from cointrail.trace.flow import Flow
from cointrail.trace.limits import Limits
from cointrail.trace.reason import Reason

_FEW = 20
"""A wallet with fewer outputs than this part of the budget is likely to fit, and is walked whole at once."""

_GROWS = 2
"""One more hop is expected to take at least so many times the transactions."""


def walked_whole(ask: Callable[[Limits], Flow], limits: Limits, seeds: int) -> Flow:
    """The walk within the limits, or within fewer hops if the budget of transactions allows no more.

    Which it was is in the question of the flow. A walk that is cancelled, or ended by time or memory, is given as it
    is.

    Args:
        ask: walks within limits.
        limits: those of the question.
        seeds: how many outputs the wallet has.
    """
    budget = limits.transactions
    if budget is None or limits.hops == 0:
        return ask(limits)
    if seeds * _FEW <= budget:
        flow = ask(limits)
        if not _used_up(flow):
            return flow
    found = ask(replace(limits, hops=1, transactions=None))
    farthest = budget if limits.hops is None else limits.hops
    for hops in range(2, farthest + 1):
        if not found.complete or not ends_by_hops(found) or len(found.tx) * _GROWS > budget:
            break
        farther = ask(replace(limits, hops=hops))
        if _used_up(farther):
            break
        found = farther
    return found


def ends_by_hops(flow: Flow) -> bool:
    """Whether there is more to see within more hops."""
    return bool((flow.reason == Reason.HOPS.code).any())


def _used_up(flow: Flow) -> bool:
    return bool((flow.reason == Reason.TRANSACTIONS.code).any())
