"""The walk: traced parts cross transactions in chain order until each has ended, and nothing else is read.

Chain order is a topological order, so when a transaction is taken from the agenda, all that will ever reach it has
arrived. With fees propagated a coinbase comes after the other transactions of its block, though it stands before them
(METHODS.md 4.4); that stays an order because a coinbase is spent blocks later.
"""

import numpy as np

from cointrail.kernels.trace.split import FIFO, LIFO, only_label, split
from cointrail.kernels.trace.split_many import count_labels
from cointrail.kernels.trace.state import (
    ARRIVED,
    PARTS,
    PIECES,
    SOURCES,
    STEPS,
    TARGETS,
    WAITING,
    WANTED_PARTS,
    WANTED_PIECES,
    WANTED_SIDE,
    fee_of,
    plain,
    pop,
    push,
    subsidy_of,
)
from cointrail.kernels.trace.stops import (
    COINBASE,
    COINJOIN,
    FEE,
    GOES_ON,
    MANY_INPUTS,
    MANY_OUTPUTS,
    SUBSIDY,
    UNCLAIMED,
    UNSPENT,
    first_reason,
    limit_reason,
    signs_of,
)

DONE, ROOM, PAUSE = 0, 1, 2


@plain
def owner_of(first, value, rows, near):
    """The transaction whose rows hold `value`: the last whose first row is not above it.

    Args:
        first: int64 (t,), first row of each transaction, ascending.
        value: a row.
        rows: how many there are.
        near: a transaction; with rows spread evenly from there, the search begins where the owner would be, and widens.
            A plain binary search over a whole column waits for memory at nearly every step.
    """
    count = first.shape[0]
    at = near + np.int64((value - first[near]) * (count / rows))
    at = min(max(at, 0), count - 1)
    low = high = at
    step = 8
    if first[at] <= value:
        high = at + 1
        while high < count and first[high] <= value:
            low = high
            high += step
            step *= 2
        high = min(high, count)
    else:
        while low > 0 and first[low] > value:
            high = low
            low = max(low - step, 0)
            step *= 2
    while high - low > 1:
        middle = (low + high) // 2
        if first[middle] <= value:
            low = middle
        else:
            high = middle
    return low


@plain
def height_of(chain, tx):
    """Height of the block of a transaction."""
    return np.searchsorted(chain.first_transaction, np.uint32(tx), side="right") - 1


@plain
def block_end(chain, height):
    """The transaction after a block's last."""
    if height + 1 < chain.first_transaction.shape[0]:
        return np.int64(chain.first_transaction[height + 1])
    return np.int64(chain.transactions)


@plain
def inputs_of(chain, tx):
    """(first input of a transaction, the one after its last)."""
    end = chain.first_input[tx + 1] if tx + 1 < chain.transactions else chain.inputs
    return chain.first_input[tx], end


@plain
def outputs_of(chain, tx):
    """(first output of a transaction, the one after its last)."""
    end = chain.first_output[tx + 1] if tx + 1 < chain.transactions else chain.outputs
    return chain.first_output[tx], end


@plain
def made_sat(chain, tx):
    """Sum of a transaction's outputs."""
    total = np.int64(0)
    first, end = outputs_of(chain, tx)
    for o in range(first, end):
        total += chain.value[o]
    return total


@plain
def fee_sat(chain, tx):
    """What a transaction that is no coinbase leaves to its block."""
    total = -made_sat(chain, tx)
    first, end = inputs_of(chain, tx)
    for i in range(first, end):
        total += chain.value[chain.spent[i]]
    return total


@plain
def subsidy_sat(chain, height):
    """New money that a coinbase at a height may claim."""
    halvings = height // chain.halving_interval
    return np.int64(0) if halvings >= 64 else np.int64(5_000_000_000) >> np.int64(halvings)


@plain
def key_of(chain, tx, forward):
    """Place of a transaction in the order of work, smallest first."""
    key = 2 * tx
    if chain.spent[chain.first_input[tx]] < 0:
        key = 2 * (block_end(chain, height_of(chain, tx)) - 1) + 1
    return key if forward else -key


@plain
def _onward(chain, stops, output, maker, forward):
    """(reason, detail, transaction that comes next) of a part that is not ended by what it is."""
    if forward:
        i = chain.spender[output]
        if not (0 <= i < chain.inputs and chain.spent[i] == output):
            return UNSPENT, np.int64(0), np.int64(-1)
        tx = owner_of(chain.first_input, i, chain.inputs, maker)
    else:
        tx = maker
        if chain.spent[chain.first_input[tx]] < 0:
            return (GOES_ON if stops.propagate else COINBASE), np.int64(0), np.int64(tx)
    signs = np.uint32(0) if stops.through_coinjoins else signs_of(chain, tx)
    if signs:
        return COINJOIN, np.int64(signs), np.int64(-1)
    if forward:
        first, end = outputs_of(chain, tx)
        if end - first > stops.most_outputs:
            return MANY_OUTPUTS, np.int64(0), np.int64(-1)
    else:
        first, end = inputs_of(chain, tx)
        if end - first > stops.most_inputs:
            return MANY_INPUTS, np.int64(0), np.int64(-1)
    return GOES_ON, np.int64(0), np.int64(tx)


@plain
def _arrive_virtual(chain, state, stops, part, forward):
    """(reason, transaction that comes next) of a fee, an unclaimed reward or a subsidy."""
    code = -2 - state.output[part]
    tx = code // 2
    if code % 2:
        return SUBSIDY, np.int64(-1)
    if chain.spent[chain.first_input[tx]] < 0:
        return UNCLAIMED, np.int64(-1)
    if not stops.propagate:
        return FEE, np.int64(-1)
    return GOES_ON, np.int64(chain.first_transaction[height_of(chain, tx)]) if forward else np.int64(tx)


@plain
def arrive(chain, state, stops, part, maker, forward, is_seed):
    """Let a part end where it is, or wait for the transaction that comes next."""
    output = state.output[part]
    detail = np.int64(0)
    if output < 0:
        reason, tx = _arrive_virtual(chain, state, stops, part, forward)
    else:
        tx = np.int64(-1)
        reason, detail, root = first_reason(chain, stops, output, is_seed)
        if reason == GOES_ON:
            reason, detail, tx = _onward(chain, stops, output, maker, forward)
        if reason == GOES_ON:
            sat, hops = state.sat[part], state.hops[part]
            reason = limit_reason(chain, stops, output, maker, root, sat, hops, is_seed)
    state.reason[part] = reason
    state.detail[part] = detail
    state.next_step[part] = -1
    if reason == GOES_ON:
        push(state, key_of(chain, tx, forward), part)


@plain
def begin(chain, state, stops, outputs, labels, sats, forward):
    """Put seeds on their way: outputs int64 (s,), labels uint32 (s,), sats int64 (s,); there must be room."""
    for k in range(outputs.shape[0]):
        part, piece = state.counters[PARTS], state.counters[PIECES]
        state.output[part], state.sat[part], state.hops[part] = outputs[k], sats[k], 0
        state.label[piece], state.offset[piece], state.length[piece] = labels[k], 0, sats[k]
        state.counters[PIECES] = piece + 1
        state.first_piece[part + 1] = piece + 1
        state.counters[PARTS] = part + 1
        maker = owner_of(chain.first_output, outputs[k], chain.outputs, 0)
        arrive(chain, state, stops, part, maker, forward, True)
    state.first_part[0] = state.counters[PARTS]


@plain
def arrive_again(chain, state, stops, forward):
    """Put on the agenda every part that neither ended nor was consumed."""
    for part in range(state.counters[PARTS]):
        if state.reason[part] == GOES_ON and state.next_step[part] < 0:
            output = state.output[part]
            maker = (-2 - output) // 2
            if output >= 0:
                maker = owner_of(chain.first_output, output, chain.outputs, 0)
            arrive(chain, state, stops, part, maker, forward, part < state.first_part[0])


@plain
def _fits(state, crossing, inputs, outputs):
    """Whether there is room for a transaction of so many inputs and outputs; else it is asked for."""
    side = max(inputs, outputs)
    state.counters[WANTED_SIDE] = side
    return side <= crossing.values.shape[0]


@plain
def _ordinary(chain, crossing, tx, forward):
    """Write down what a transaction takes and what it gives."""
    first_in, end_in = inputs_of(chain, tx)
    first_out, end_out = outputs_of(chain, tx)
    taken, made = end_in - first_in, end_out - first_out
    values = crossing.values if forward else crossing.targets
    fee = np.int64(0)
    for k in range(taken):
        spent = chain.spent[first_in + k]
        values[k] = chain.value[spent]
        fee += values[k]
        if not forward:
            crossing.names[k] = spent
    values = crossing.targets if forward else crossing.values
    for k in range(made):
        values[k] = chain.value[first_out + k]
        fee -= values[k]
        if forward:
            crossing.names[k] = first_out + k
    values[made] = fee
    if forward:
        crossing.names[made] = fee_of(tx)
        crossing.size[SOURCES], crossing.size[TARGETS] = taken, made + 1
    else:
        crossing.size[SOURCES], crossing.size[TARGETS] = made + 1, taken


@plain
def _coinbase(chain, crossing, stops, tx, others, forward):
    """The same of a coinbase: it takes the subsidy and the fees of its block in order, and may leave some unclaimed."""
    values = crossing.values if forward else crossing.targets
    place = 0 if stops.subsidy_first else others
    values[place] = subsidy_sat(chain, height_of(chain, tx))
    total = values[place]
    if not forward:
        crossing.names[place] = subsidy_of(tx)
    for k in range(others):
        at = k + 1 if stops.subsidy_first else k
        values[at] = fee_sat(chain, tx + 1 + k)
        total += values[at]
        if not forward:
            crossing.names[at] = fee_of(tx + 1 + k)
    first_out, end_out = outputs_of(chain, tx)
    made = end_out - first_out
    values = crossing.targets if forward else crossing.values
    for k in range(made):
        values[k] = chain.value[first_out + k]
        total -= values[k]
        if forward:
            crossing.names[k] = first_out + k
    values[made] = total
    if forward:
        crossing.names[made] = fee_of(tx)
        crossing.size[SOURCES], crossing.size[TARGETS] = others + 1, made + 1
    else:
        crossing.size[SOURCES], crossing.size[TARGETS] = made + 1, others + 1


@plain
def _source_place(chain, stops, output, tx, is_coinbase, forward):
    """Where among a transaction's sources an output stands that arrived at it."""
    if output >= 0:
        if forward:
            return chain.spender[output] - chain.first_input[tx]
        return output - chain.first_output[tx]
    payer = (-2 - output) // 2
    if is_coinbase and forward:
        return payer - tx if stops.subsidy_first else payer - tx - 1
    first, end = outputs_of(chain, tx)
    return end - first


@plain
def _load(chain, state, crossing, stops, tx, forward):
    """Write down the transaction and what arrives at it. Returns its hops, or -1 if there is no room."""
    is_coinbase = chain.spent[chain.first_input[tx]] < 0
    first_out, end_out = outputs_of(chain, tx)
    if is_coinbase:
        others = block_end(chain, height_of(chain, tx)) - tx - 1
        if not _fits(state, crossing, others + 1, end_out - first_out + 1):
            return np.int64(-1)
        _coinbase(chain, crossing, stops, tx, others, forward)
    else:
        first_in, end_in = inputs_of(chain, tx)
        if not _fits(state, crossing, end_in - first_in, end_out - first_out + 1):
            return np.int64(-1)
        _ordinary(chain, crossing, tx, forward)
    for k in range(crossing.size[SOURCES]):
        crossing.part_of[k] = -1
    hops = np.int64(state.hops[crossing.arrived[0]])
    for k in range(crossing.size[ARRIVED]):
        part = crossing.arrived[k]
        crossing.part_of[_source_place(chain, stops, state.output[part], tx, is_coinbase, forward)] = part
        hops = min(hops, np.int64(state.hops[part]))
    return hops


@plain
def _has_room(state, crossing, rule, label):
    """Whether all that the transaction can make fits; else how much would is noted in the counters."""
    pieces, number = np.int64(0), crossing.size[TARGETS]
    for k in range(crossing.size[ARRIVED]):
        pieces += state.first_piece[crossing.arrived[k] + 1] - state.first_piece[crossing.arrived[k]]
    labels = np.int64(1)
    if label < 0 and rule not in (FIFO, LIFO):
        labels = count_labels(state, crossing)
    state.counters[WANTED_PARTS] = state.counters[PARTS] + number
    state.counters[WANTED_PIECES] = state.counters[PIECES] + pieces + labels * number
    return (
        state.counters[WANTED_PARTS] <= state.output.shape[0]
        and state.counters[WANTED_PIECES] <= state.label.shape[0]
        and state.counters[STEPS] < state.tx.shape[0]
    )


@plain
def _cross(chain, state, crossing, stops, rule, tx, forward):
    """Carry the parts that arrived over a transaction. Returns False, and changes nothing, if there is no room."""
    hops = _load(chain, state, crossing, stops, tx, forward)
    if hops < 0:
        return False
    label = only_label(state, crossing)
    if not _has_room(state, crossing, rule, label):
        return False
    step, piece = state.counters[STEPS], state.counters[PIECES]
    split(state, crossing, rule, forward, label)
    for k in range(crossing.size[ARRIVED]):
        state.next_step[crossing.arrived[k]] = step
    state.tx[step] = tx
    for k in range(crossing.size[TARGETS]):
        j = crossing.visited[k]
        if not crossing.counts[j]:
            continue
        piece += crossing.counts[j]
        part, name = state.counters[PARTS], crossing.names[j]
        state.output[part], state.sat[part], state.hops[part] = name, crossing.amounts[j], hops + 1
        state.first_piece[part + 1] = piece
        state.counters[PARTS] = part + 1
        maker = tx
        if not forward and name >= 0:
            maker = owner_of(chain.first_output, name, chain.outputs, tx)
        arrive(chain, state, stops, part, maker, forward, False)
    state.counters[STEPS] = step + 1
    state.first_part[step + 1] = state.counters[PARTS]
    return True


@plain
def walk(chain, state, crossing, stops, rule, forward, most_steps):
    """Process the agenda.

    Args:
        chain, state, stops: see there; state is changed.
        crossing: scratch.
        rule: a policy of `split`.
        forward: bool.
        most_steps: pause when the state has so many steps.

    Returns:
        DONE; ROOM if the state or the scratch has to be made larger first; PAUSE.
    """
    while state.counters[WAITING]:
        if state.counters[STEPS] >= most_steps:
            return PAUSE
        if state.counters[WAITING] > crossing.arrived.shape[0]:
            return ROOM
        key = state.key[0]
        count = 0
        while state.counters[WAITING] and state.key[0] == key:
            crossing.arrived[count] = pop(state)
            count += 1
        crossing.size[ARRIVED] = count
        place = key if forward else -key
        tx = place // 2
        if place % 2:
            tx = np.int64(chain.first_transaction[height_of(chain, tx)])
        if not _cross(chain, state, crossing, stops, rule, tx, forward):
            for k in range(count):
                push(state, key, crossing.arrived[k])
            return ROOM
    return DONE


@plain
def end_all(state, reason):
    """End whatever still waits."""
    for k in range(state.counters[WAITING]):
        state.reason[state.part[k]] = reason
    state.counters[WAITING] = 0
