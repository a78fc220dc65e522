"""Exposure by its definition, on the builder's blocks as lists: one dense pass over the whole chain, in fractions.

Every satoshi of the wallet's outputs is poured through every transaction in its exact share; nothing is rounded,
nothing is sparse, and no flow is known. Somebody tagged, a CoinJoin or the wallet itself ends it.
"""

from collections import defaultdict
from fractions import Fraction

CHANGE, OWN = "change", "own"


class PlainExposure:
    """Exposure of a wallet.

    Args:
        chain: a `PlainChain`.
        own: scriptPubKeys of the wallet.
        tags: service by scriptPubKey; the wallet's are not asked.
        sent: True for what it sent, False for what it received.
        hops: outputs so far away are not passed.

    Attributes:
        came: by service, by hops: satoshis as fractions.
        rest: by reason: the same of all else; change is apart.
    """

    def __init__(self, chain, own, tags, *, sent, hops=None):
        self.chain, self.own, self.tags, self.sent, self.most = chain, set(own), tags, sent, hops
        self.came = defaultdict(lambda: defaultdict(Fraction))
        self.rest = defaultdict(Fraction)
        self.held, self.far = {}, {}
        self.total = 0
        self._run()

    @property
    def gross(self):
        return self.total - self.rest[CHANGE]

    def is_own(self, output):
        return self.chain.scripts[output] in self.own

    def _run(self):
        seeds = [output for output in range(len(self.chain.values)) if self.is_own(output)]
        if self.sent:
            seeds = [output for output in seeds if output in self.chain.spent]
        for output in seeds:
            self.total += self.chain.values[output]
            self._put(output, Fraction(self.chain.values[output]), Fraction(0), 0, 0)
        order = range(len(self.chain.txs))
        for tx in order if self.sent else reversed(order):
            self._cross(tx)
        assert not any(self.held.values())

    def _put(self, output, near, rest, hops, far):
        """Satoshis lie on an output: they end there, or wait for the next transaction.

        `near` came straight from outputs of the wallet, `rest` by several transactions, `far` at the fewest.
        """
        chain, sat = self.chain, near + rest
        if not sat:
            return
        if hops and self.is_own(output):
            self.rest[CHANGE] += near
            self.rest[OWN] += rest
            return
        service = None if self.is_own(output) else self.tags.get(chain.scripts[output])
        if service is not None:
            for part, distance in ((near, hops), (rest, far)):
                if part:
                    self.came[service][distance] += part
            return
        if self.sent and output not in chain.spent:
            self.rest["unspendable" if chain.is_unspendable(output) else "unspent"] += sat
        elif not self.sent and output in chain.issued:
            self.rest["coinbase"] += sat
        elif chain.is_mix(chain.spender[output] if self.sent else chain.maker[output]):
            self.rest["coinjoin"] += sat
        elif self.most is not None and hops >= self.most:
            self.rest["hop limit"] += sat
        else:
            assert output not in self.held
            self.held[output], self.far[output] = sat, hops

    def _cross(self, tx):
        inputs, outputs = self.chain.txs[tx].inputs, self.chain.txs[tx].outputs
        if not inputs:
            return
        taken, given = (inputs, outputs) if self.sent else (outputs, inputs)
        arrived = [output for output in taken if output in self.held]
        if not arrived:
            return
        near = sum(self.held[output] for output in arrived if not self.far[output])
        rest = sum(self.held[output] for output in arrived if self.far[output])
        hops = 1 + min(self.far[output] for output in arrived)
        far = 1 + min((self.far[output] for output in arrived if self.far[output]), default=0)
        for output in arrived:
            del self.held[output]
        whole = sum(self.chain.values[output] for output in inputs)
        for output in given:
            value = self.chain.values[output]
            self._put(output, near * value / whole, rest * value / whole, hops, far)
        if self.sent:
            self.rest["fee"] += (near + rest) * self.chain.fee(tx) / whole
