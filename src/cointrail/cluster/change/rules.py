"""The catalogue of change rules, C1 to C21 of METHODS.md 2.2, and the sets of rules that peers are known by.

Each rule is here once, with its family and whether it is static. Peers' methods are written with the same rules, so
that their answers can be reproduced; they apply to eligible items (`Context`), which is narrower than the peers' own
choice.
"""

from collections.abc import Mapping

import numpy as np

from cointrail.cluster.change import amount, freshness, software, spender
from cointrail.cluster.change.context import Context, Mask
from cointrail.cluster.change.rule import Family, Keep, Rule, unique

_SAME = software.same_field


def _rule(number: int, name: str, family: Family, keep: Keep, text: str, *, static: bool = False) -> Rule:
    return Rule(f"change.C{number}", name, family, number, keep, static, text)


RULES: tuple[Rule, ...] = (
    _rule(1, "reuse", Family.CERTAIN, freshness.returned, "its script is among those that are spent", static=True),
    _rule(2, "cluster", Family.NONE, freshness.same_cluster, "it lies in the L1 cluster of an input"),
    _rule(3, "one_time", Family.FRESHNESS, freshness.one_time,
          "its script first appears here and is not paid again; all other outputs were seen before; no self-change"),
    _rule(4, "type", Family.SOFTWARE, software.only_type,
          "all inputs have one script type, and it is the only output of that type", static=True),
    _rule(5, "round", Family.AMOUNT, amount.not_round(), "it is the only amount that is no multiple of 0.01 BTC",
          static=True),
    _rule(6, "optimal", Family.AMOUNT, amount.optimal, "it is less than every input of at least two", static=True),
    _rule(7, "fresh", Family.FRESHNESS, freshness.fresh, "its script first appears here", static=True),
    _rule(8, "lock_time", Family.SPENDER, spender.same_lock_time, "its spender sets a lock time as this one, or not"),
    _rule(9, "version", Family.SOFTWARE, _SAME("VERSION", 32), "its spender has the same version"),
    _rule(10, "sequence", Family.SOFTWARE, _SAME("REPLACEABLE", 1), "its spender signals replaceability as this one"),
    _rule(11, "segwit", Family.SOFTWARE, _SAME("SEGWIT", 1), "its spender uses witnesses as this one, or not"),
    _rule(12, "low_r", Family.SOFTWARE, _SAME("LOW_R", 2, unknown=(0,)),
          "its spender has only low R in its signatures as this one, or not"),
    _rule(13, "bip69", Family.SOFTWARE, _SAME("BIP69", 2, unknown=(0,)), "its spender is in BIP69 order as this one"),
    _rule(14, "feerate", Family.SPENDER, spender.same_feerate, "its spender pays the same fee x 1000 / vsize"),
    _rule(15, "compressed", Family.SOFTWARE, _SAME("KEY", 2, unknown=(0, 3)),
          "its spender shows keys of the same form"),
    _rule(16, "input_order", Family.SPENDER, spender.same_input_order, "its spender orders inputs as this one"),
    _rule(17, "peel", Family.SPENDER, spender.peel, "a run of transactions with one input and two outputs goes on"),
    _rule(18, "consumer", Family.SPENDER, spender.consumer, "its spender has at most two outputs"),
    _rule(19, "shadow", Family.FRESHNESS, freshness.shadow,
          "of two outputs its script first appears here, the other's does not", static=True),
    _rule(20, "value", Family.AMOUNT, amount.larger, "of two outputs it is worth at least a hundred times the other",
          static=True),
    _rule(21, "position", Family.SOFTWARE, software.known_position,
          "it stands where the identified program puts its change", static=True),
)  # fmt: skip

BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}

VOTING: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.family not in (Family.CERTAIN, Family.NONE))


def blocksci_legacy(context: Context) -> Mask:
    """BlockSci's old default: less than every input, first seen here, and the only such output.

    Method: METHODS.md 2.2.
    """
    return unique(context, amount.below_inputs(context) & context.fresh)


def graphsense_one_time(context: Context) -> Mask:
    """GraphSense's `one_time_change`: an input type, no multiple of 1,000 sat, less than every input, paid only once.

    Method: METHODS.md 2.2. "Paid at most once, spent at most once and not seen in an earlier block" comes to: first
    seen here and not paid again.
    """
    kept = context.among_inputs(context.script_type, context.input_type) & amount.below_inputs(context)
    kept &= np.asarray(context.value % 1_000 != 0, np.bool_)
    return unique(context, context.not_again(kept & context.fresh))


RULE_SETS: Mapping[str, Keep] = {"blocksci_legacy": blocksci_legacy, "graphsense_one_time": graphsense_one_time}
