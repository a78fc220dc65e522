"""Bounds by their definition, on the builder's blocks as lists: every way to divide money, or a flow over the chain.

Knows no descendants, no ancestors and no limits: every transaction is there.
"""

from itertools import product

import networkx as nx
from chain_tree import unspent_outputs_of
from regtest import Form, RegtestChain, anyone_can_spend

from cointrail.bitcoin.transaction import TransactionOutput


def possible_amounts(chain, sources, targets):
    """(least, most) of the targets over all divisions of whole satoshis that conserve value in each transaction.

    Fees end where they are paid. Only for few transactions of few satoshis.
    """
    held = [(output, chain.values[output]) for output in sorted(set(sources)) if output in chain.spender]
    fixed = sum(chain.values[output] for output in set(sources) & set(targets))
    states = {(0, tuple(each for each in held if each[0] not in targets))}
    for tx in chain.txs:
        if tx.inputs:
            states = {after for state in states for after in _after(chain, tx, state, sources, targets)}
    amounts = [collected for collected, _ in states]
    return fixed + min(amounts), fixed + max(amounts)


def _after(chain, tx, state, sources, targets):
    collected, held = state
    arrived = sum(sat for output, sat in held if output in tx.inputs)
    kept = tuple(each for each in held if each[0] not in tx.inputs)
    if not arrived:
        yield collected, kept
        return
    fee = sum(chain.values[each] for each in tx.inputs) - sum(chain.values[each] for each in tx.outputs)
    for parts in product(*(range(min(arrived, chain.values[output]) + 1) for output in tx.outputs)):
        if arrived - fee <= sum(parts) <= arrived:
            made = [(output, part) for output, part in zip(tx.outputs, parts, strict=True) if output not in sources]
            gained = sum(part for output, part in made if output in targets)
            goes_on = [(o, part) for o, part in made if part and o not in targets and o in chain.spender]
            yield collected + gained, (*kept, *goes_on)


def flow_bounds(chain, sources, targets, *, propagate=False, halving_interval=150):
    """(least, most) of the targets by maximum flows over the whole chain, by the text of METHODS.md 5."""
    graph = nx.DiGraph()
    graph.add_nodes_from(("seeds", "clean", "target"))

    def arc(tail, head, sat):
        if head is not None and sat:
            before = graph.get_edge_data(tail, head, {"capacity": 0})["capacity"]
            graph.add_edge(tail, head, capacity=before + sat)

    for number, tx in enumerate(chain.txs):
        first = chain.blocks[tx.block].start
        if number == first:
            made = sum(chain.values[output] for output in tx.outputs)
            arc("clean", number, 50 * 10**8 >> (tx.block // halving_interval) if propagate else made)
        elif propagate:
            arc(number, first, chain.fee(number))
        for output in tx.outputs:
            value, spender = chain.values[output], chain.spender.get(output)
            maker = "seeds" if output in sources else number
            if output in targets:
                arc(maker, "target", value)
                arc("clean", spender, value)
            else:
                arc(maker, spender, value)
    most, clean = (nx.maximum_flow_value(graph, start, "target") for start in ("seeds", "clean"))
    return sum(chain.values[output] for output in targets) - clean, most


def small_chain(random, transactions, unit_sat=1, most_units=4):
    """Some hundred coinbases of few units, and then at most so many transactions in four blocks."""
    chain = RegtestChain()
    for _ in range(106):
        chain.mine(claim_sat=random.randint(1, most_units) * unit_sat)
    pool = chain.spendable()[:5]
    locks = [chain.learn(anyone_can_spend(Form.P2WSH, b"%d" % number)) for number in range(12)]
    for _ in range(4):
        made = []
        for _ in range(transactions // 4):
            taken = [pool.pop(random.randrange(len(pool))) for _ in range(min(len(pool), random.choice((1, 1, 2, 3))))]
            if not taken:
                break
            values = _divided(random, sum(each.value_sat for each in taken), unit_sat)
            outputs = [TransactionOutput(value, random.choice(locks).script_pubkey) for value in values]
            tx = chain.spend(taken, outputs)
            made.append(tx)
            pool += unspent_outputs_of(tx, tx.txid, 0, is_coinbase=False)
        chain.mine(made, claim_sat=0)
    return chain


def _divided(random, total, unit_sat):
    """One to three parts, and at times a fee; with large units at any place."""
    total -= min(total, random.choice((0, 0, 1)) * unit_sat)
    cuts = sorted(random.randint(0, total) for _ in range(random.choice((0, 1, 1, 2))))
    return [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]
