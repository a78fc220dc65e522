"""Taint by the text of METHODS.md 4, on dense state: every transaction in turn, no sparseness, no intervals.

A state of an output is a list of (label, length) that covers it, label None where it is clean, for rules that know
places; an amount for rules that do not; a set of labels for poison. Virtual outputs: ("fee", tx), ("subsidy", tx).
"""

from collections import deque
from fractions import Fraction
from itertools import groupby

COIN = 100_000_000


class Places:
    """FIFO and LIFO: queues of labelled satoshis."""

    def __init__(self, *, last_first=False):
        self.last_first = last_first

    def whole(self, value, label):
        return [(label, value)] if value else []

    def clean(self, value):
        return [(None, value)] if value else []

    def sat(self, state):
        return sum(length for label, length in state if label is not None)

    def pieces(self, state):
        """(label, offset, length) of the traced runs."""
        found, at = [], 0
        for label, run in groupby(state, key=lambda each: each[0]):
            length = sum(length for _, length in run)
            if label is not None and length:
                found.append((label, at, length))
            at += length
        return found

    def forward(self, states, values, targets):
        """States of the targets, of which the last is the fee."""
        queue = deque()
        for state in reversed(states) if self.last_first else states:
            queue.extend(reversed(state) if self.last_first else state)
        made = [self._take(queue, target) for target in targets]
        assert not queue
        return [state[::-1] for state in made] if self.last_first else made

    def backward(self, states, values, targets):
        """The exact inverse: the outputs and the fee, in order, lie over the inputs in the order they were taken."""
        queue = deque()
        for state in states:
            queue.extend(reversed(state) if self.last_first else state)
        places = range(len(targets))[::-1] if self.last_first else range(len(targets))
        made = [[] for _ in targets]
        for place in places:
            made[place] = self._take(queue, targets[place])
        return [state[::-1] for state in made] if self.last_first else made

    def _take(self, queue, wanted):
        taken = []
        while wanted:
            label, length = queue.popleft()
            if length > wanted:
                queue.appendleft((label, length - wanted))
            taken.append((label, min(length, wanted)))
            wanted -= taken[-1][1]
        return taken


class Amounts:
    """Rules of amounts, one label; `order` says which targets a pour fills first."""

    def __init__(self, order=None):
        self.order = order

    def whole(self, value, _label):
        return value

    def clean(self, _value):
        return 0

    def sat(self, state):
        return state

    def pieces(self, state):
        return [(0, 0, state)] if state else []

    def forward(self, states, values, targets):
        total = sum(states)
        if self.order is None:
            return largest_remainder(total, targets)
        made = [0] * len(targets)
        for place in self.order(targets):
            made[place] = min(total, targets[place])
            total -= made[place]
        return made

    def backward(self, states, values, targets):
        assert self.order is None
        return largest_remainder(sum(states), targets)


def largest_remainder(total, weights):
    if not sum(weights):
        return [0] * len(weights)
    quotas = [Fraction(total * weight, sum(weights)) for weight in weights]
    shares = [quota.numerator // quota.denominator for quota in quotas]
    order = sorted(range(len(weights)), key=lambda at: (shares[at] - quotas[at], at))
    for at in order[: total - sum(shares)]:
        shares[at] += 1
    return shares


def highest_first(targets):
    outputs = range(len(targets) - 1)
    return [*sorted(outputs, key=lambda at: (-targets[at], at)), len(targets) - 1]


def first_first(targets):
    return range(len(targets))


def fee_then_last_first(targets):
    return range(len(targets))[::-1]


RULES = {
    "fifo": Places(),
    "lifo": Places(last_first=True),
    "haircut": Amounts(),
    "tiho": Amounts(highest_first),
    "seniority": Amounts(first_first),
    "purity": Amounts(fee_then_last_first),
}
BACKWARD = ("fifo", "lifo", "haircut")


class Plain:
    """One run over a whole chain.

    Args:
        chain: a `PlainChain`.
        rule: of `RULES`.
        seeds: label by output.
        limits: as the product's.
        propagate: None, or "subsidy_first" or "fees_first".
        targets: outputs that end what reaches them.
        halving_interval: of the network.
    """

    def __init__(self, chain, rule, seeds, limits, *, backward=False, propagate=None, targets=(), halving_interval=150):
        self.chain, self.rule, self.seeds, self.limits = chain, rule, seeds, limits
        self.is_backward, self.propagate, self.targets = backward, propagate, set(targets)
        self.halving_interval = halving_interval
        self.total = sum(chain.values[seed] for seed in seeds)
        self.held, self.ends, self.passed = {}, [], []
        self.complete = True

    def run(self):
        for seed in sorted(self.seeds):
            self.arrive(seed, self.rule.whole(self.chain.values[seed], self.seeds[seed]), 0, is_seed=True)
        for tx in self.order():
            self.cross(tx)
        return self

    def order(self):
        """Transactions in the order of work: with propagation a coinbase comes after the rest of its block."""
        order = []
        for block in self.chain.blocks:
            order += [*block[1:], block[0]] if self.propagate else list(block)
        return order[::-1] if self.is_backward else order

    def cross(self, tx):
        sources, targets = self.sides(tx)
        arrived = {name: self.held[name] for name, _ in sources if name in self.held}
        if not arrived:
            return
        if self.limits.transactions is not None and len(self.passed) == self.limits.transactions:
            self.complete = False
            return
        for name in arrived:
            del self.held[name]
        self.passed.append(tx)
        states = [arrived[name][0] if name in arrived else self.rule.clean(value) for name, value in sources]
        hops = 1 + min(hops for _, hops in arrived.values())
        split = self.rule.backward if self.is_backward else self.rule.forward
        made = split(states, [value for _, value in sources], [value for _, value in targets])
        for (name, _), state in zip(targets, made, strict=True):
            if self.rule.sat(state):
                self.arrive(name, state, hops)

    def sides(self, tx):
        """(sources, targets) as (name, value)."""
        chain = self.chain
        outputs = [(output, chain.values[output]) for output in chain.txs[tx].outputs]
        if not chain.is_coinbase(tx):
            inputs = [(output, chain.values[output]) for output in chain.txs[tx].inputs]
            outputs = [*outputs, (("fee", tx), chain.fee(tx))]
        else:
            height = chain.txs[tx].block
            inputs = [(("fee", other), chain.fee(other)) for other in chain.blocks[height][1:]]
            subsidy = (("subsidy", tx), (50 * COIN) >> (height // self.halving_interval))
            inputs = [subsidy, *inputs] if self.propagate != "fees_first" else [*inputs, subsidy]
            left = sum(value for _, value in inputs) - sum(value for _, value in outputs)
            outputs = [*outputs, (("fee", tx), left)]
        return (outputs, inputs) if self.is_backward else (inputs, outputs)

    def arrive(self, name, state, hops, *, is_seed=False):
        reason = self.reason(name, state, hops, is_seed)
        if reason is None:
            self.held[name] = state, hops
        else:
            self.end(name, state, hops, reason)

    def end(self, name, state, hops, reason):
        self.ends.append((name, self.rule.sat(state), reason, hops, tuple(self.rule.pieces(state))))

    def reason(self, name, state, hops, is_seed):
        chain, limits = self.chain, self.limits
        if isinstance(name, tuple):
            kind, tx = name
            if kind == "subsidy":
                return "subsidy"
            if chain.is_coinbase(tx):
                return "unclaimed reward"
            return None if self.propagate else "fee"
        if name in self.seeds and not is_seed:
            return "reached another seed"
        if name in self.targets:
            return "target"
        if self.is_backward:
            if name in chain.issued:
                if not self.propagate:
                    return "coinbase"
            elif not limits.through_coinjoins and chain.is_mix(chain.maker[name]):
                return "coinjoin"
        else:
            if name not in chain.spent:
                return "genesis" if name == 0 else "unspendable" if chain.is_unspendable(name) else "unspent"
            if not limits.through_coinjoins and chain.is_mix(chain.spender[name]):
                return "coinjoin"
        sat = self.rule.sat(state)
        if limits.hops is not None and hops >= limits.hops:
            return "hop limit"
        if sat < max(limits.min_sat, 1):
            return "below minimum"
        if sat * 1_000_000 * len(self.seeds) < limits.min_share_ppm * self.total:
            return "below minimum share"
        return None


def poisoned(chain, seeds, targets=()):
    """Every output that shares a transaction with a descendant of the seeds, the seeds included; targets end it."""
    reached = set(seeds)
    for tx in chain.txs:
        if any(output in reached and output not in targets for output in tx.inputs):
            reached.update(tx.outputs)
    return reached
