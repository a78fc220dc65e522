"""All paths from sources to targets by following every output, on the builder's blocks as lists."""

from fractions import Fraction

import networkx as nx


def all_paths(chain, sources, targets):
    """Every chain of outputs from a source to the first target, through no other source."""
    sources, targets, found = set(sources), set(targets), []

    def follow(outputs):
        if outputs[-1] in targets:
            found.append(outputs)
        elif (spender := chain.spender.get(outputs[-1])) is not None:
            for output in chain.txs[spender].outputs:
                if output not in sources:
                    follow([*outputs, output])

    for source in sorted(sources):
        follow([source])
    return found


def carried(chain, outputs):
    """What haircut carries along a path, as a fraction of a satoshi."""
    total = Fraction(chain.values[outputs[0]])
    for output in outputs[1:]:
        whole = sum(chain.values[each] for each in chain.txs[chain.maker[output]].inputs)
        total *= Fraction(chain.values[output], whole) if whole else 0
    return total


def haircut(chain, sources, targets):
    """What arrives at the targets under haircut with fractions of satoshis."""
    parts, arrived = {source: Fraction(chain.values[source]) for source in sources}, Fraction(0)
    arrived += sum(parts.pop(target) for target in set(targets) & set(sources))
    for tx in chain.txs:
        whole = sum(chain.values[each] for each in tx.inputs)
        brought = sum((parts.pop(each, Fraction(0)) for each in tx.inputs), Fraction(0))
        for output in tx.outputs:
            part = brought * chain.values[output] / whole if whole else 0
            if output in targets and output not in sources:
                arrived += part
            elif part and output not in sources:
                parts[output] = part
    return arrived


def fewest_transactions(chain, sources, targets):
    """By breadth-first search over a graph of outputs; None if there is no path."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(chain.values)))
    for tx in chain.txs:
        graph.add_edges_from((spent, made) for spent in tx.inputs for made in tx.outputs)
    lengths = nx.multi_source_dijkstra_path_length(graph, set(sources))
    return min((lengths[target] for target in targets if target in lengths), default=None)
