"""The plot run in an economy, with look-ups over its truth; made once a seed and process."""

import hashlib
from dataclasses import dataclass, replace
from functools import cache

from cointrail.simulation.chain import Chain
from cointrail.simulation.economy import Economy
from cointrail.simulation.plot.plot import Plot
from cointrail.simulation.scale import SMALL
from cointrail.simulation.truth import Truth
from cointrail.simulation.world import World


@dataclass(eq=False)
class Case:
    world: World
    economy: Economy
    plot: Plot
    truth: Truth

    def output(self, txid, vout):
        return self.truth.output_number(txid + vout.to_bytes(4, "little"))

    def kind(self, txid):
        return self.truth.kinds[self.truth.numbers[txid]]

    def inputs(self, txid):
        """Numbers of the outputs that a transaction spends."""
        number = self.truth.numbers[txid]
        return list(self.truth.spent[self.truth.first_input[number] : self.truth.first_input[number + 1]])

    def outputs(self, txid):
        """Numbers of the outputs that it makes."""
        number = self.truth.numbers[txid]
        return list(range(self.truth.first_output[number], self.truth.first_output[number + 1]))

    def maker(self, output):
        return self.truth.txid(self.truth.output_transactions[output])

    def labelled(self, label):
        (number,) = self.truth.labelled(label)
        return self.truth.txid(number)

    def value(self, outputs):
        return sum(self.truth.values[output] for output in outputs)

    def payments(self, route, fresh=False):
        """Rows of a route; fresh ones are by buyers, to neither R1 nor R2."""
        buyers = {buyer.entity.entity_id for buyer in self.plot._buyers.buyers}
        returned = {script.script_pubkey for script in self.plot.returning}
        return [
            row
            for row in self.truth.payments
            if row.route == route
            and not (fresh and (row.buyer_id not in buyers or self.script(row.txid, row.vout) in returned))
        ]

    def script(self, txid, vout):
        return self.truth.script_pubkey(self.output(txid, vout))

    def sources(self, payment_id):
        return [row for row in self.truth.payment_sources if row.payment_id == payment_id]

    def spent_outputs(self):
        return set(self.truth.spent)


def run(seed=1, scale=SMALL, *, holdout=False):
    truth = Truth()
    world = World(seed, Chain(seed, scale.spacing, lambda block: None), truth)
    economy = Economy(world, scale, holdout=holdout, on_mix=truth.mix)
    plot = Plot(economy, truth, scale)
    plot.start()
    economy.run()
    plot.finish()
    return Case(world, economy, plot, truth)


@cache
def case_of(seed):
    return run(seed)


def digest(seed):
    case = run(seed, replace(SMALL, transactions=9_000))
    total = hashlib.sha256()
    for name, _, rows in case.truth.tables():
        total.update(name.encode())
        for row in rows:
            total.update(repr(row).encode())
    total.update(repr((case.plot.users, case.plot.orders, case.plot.purchases, case.plot.movements)).encode())
    return total.hexdigest()
