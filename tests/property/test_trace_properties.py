"""Whole ledgers against a reference that knows no ledger, no sparseness and no intervals (`plain_taint`).

Everything must be equal: what ended where, why, how deep, which satoshis, whose; steps, fees, completeness.
"""

from collections import Counter
from random import Random

import numpy as np
import pytest
from chain_tree import unspent_outputs_of
from plain_chain import PlainChain
from plain_taint import BACKWARD, RULES, Places, Plain, poisoned
from regtest import Form, RegtestChain, anyone_can_spend, random_chain, write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.trace.fees import CoinbaseOrder, FeeMode, Fees
from cointrail.trace.flow import Direction, payer_of
from cointrail.trace.limits import Limits
from cointrail.trace.policy import POISON, POLICIES
from cointrail.trace.reason import REASONS, Reason
from cointrail.trace.saved import load, save
from cointrail.trace.seeds import Collision, Seeds
from cointrail.trace.walk import Walk, asked, trace

UNLIMITED = Limits(through_coinjoins=True)
WAYS = [(name, Direction.FORWARD) for name in RULES] + [(name, Direction.BACKWARD) for name in BACKWARD]
each_way = pytest.mark.parametrize(("name", "direction"), WAYS, ids=[f"{name}-{way}" for name, way in WAYS])


def tangled_chain(random, unit_sat):
    """Many small transactions that join and split the same few outputs; with a large unit some look collaborative."""
    chain = RegtestChain()
    for _ in range(150):
        chain.mine(claim_sat=random.randint(0, 9) * unit_sat + random.randint(0, 3))
    pool = chain.spendable()
    locks = [chain.learn(anyone_can_spend(Form.P2WSH, b"%d" % number)) for number in range(12)]
    for _ in range(12):
        made = []
        for _ in range(random.randint(1, 8)):
            taken = [pool.pop(random.randrange(len(pool))) for _ in range(min(len(pool), random.randint(1, 4)))]
            if not taken:
                break
            values = shared_out(random, sum(prevout.value_sat for prevout in taken))
            scripts = [random.choice(locks).script_pubkey if random.random() < 0.95 else b"\x6a" for _ in values]
            tx = chain.spend(taken, [TransactionOutput(*each) for each in zip(values, scripts, strict=True)])
            made.append(tx)
            pool += unspent_outputs_of(tx, tx.txid, 0, is_coinbase=False)
        chain.mine(made, claim_sat=0)
    return chain


def shared_out(random, total):
    total -= min(total, random.choice((0, 0, 1, 2, 5)))
    count = random.randint(1, 5)
    if random.random() < 0.4:
        return [total // count] * count
    cuts = sorted(random.randint(0, total) for _ in range(count - 1))
    return [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]


def busy_chain(random):
    """Coinbases that claim their fees and are spent: what goes into a fee comes out again."""
    return random_chain(random, blocks=130, transactions_per_block=4)


def open_chain(chain, folder):
    write_block_files(folder / "blocks", chain.serialized(), REGTEST.magic)
    ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
    return Reader(folder / "ledger")


def random_seeds(random, chain):
    spent = sorted(chain.spent)
    seeds = [random.choice(spent) for _ in range(random.choice((1, 1, 2, 6)))]
    if random.random() < 0.5:
        seeds += [random.randrange(1, len(chain.values)) for _ in range(random.randint(1, 3))]
    return sorted(set(seeds))


def random_limits(random, unit_sat):
    return Limits(
        hops=random.choice((None, None, None, 0, 1, 2, 4)),
        min_sat=random.choice((0, 0, 0, 1, 2, 5)) * unit_sat,
        min_share_ppm=random.choice((0, 0, 100_000, 700_000)),
        transactions=random.choice((None, None, None, 0, 1, 3, 8)),
        through_coinjoins=random.random() < 0.5,
    )


def name_of(output):
    """A virtual output as the reference names it."""
    if output >= 0:
        return output
    return ("subsidy" if (-2 - output) % 2 else "fee", int(payer_of(np.array([output]))[0]))


def in_order(ends):
    return sorted(ends, key=repr)


def assert_equal(flow, plain, *, labels=True):
    waiting = {str(Reason.TRANSACTIONS)}
    found = [
        (
            name_of(int(flow.output[part])),
            int(flow.sat[part]),
            str(REASONS[flow.reason[part]]),
            int(flow.hops[part]),
            tuple(flow.pieces(part)) if labels else (),
        )
        for part in np.flatnonzero(flow.reason).tolist()
        if flow.sat[part] or flow.hops[part] == 0
    ]
    if not flow.asked.policy.positions:
        found = [(*each[:4], ((0, 0, each[1]),) if each[1] else ()) for each in found]
    else:
        found = [(*each[:4], tuple(piece for piece in each[4] if piece[2])) for each in found]
    held = [
        (name, plain.rule.sat(state), str(Reason.TRANSACTIONS), hops, tuple(plain.rule.pieces(state)))
        for name, (state, hops) in plain.held.items()
    ]
    assert plain.complete or held or not waiting
    assert in_order(found) == in_order([*plain.ends, *held])
    assert flow.tx.tolist() == plain.passed
    assert flow.complete is (not held)
    assert flow.traced_sat == plain.total
    assert flow.conserved


@each_way
@pytest.mark.parametrize("unit_sat", [1, 20_000], ids=["satoshis", "coins"])
def test_tangled_chains_equal_the_reference(name, direction, unit_sat, tmp_path):
    seen = Counter()
    for number in range(3):
        random = Random(f"tangled {number} {unit_sat}")
        built = tangled_chain(random, unit_sat)
        chain = PlainChain(built)
        with open_chain(built, tmp_path / str(number)) as reader:
            for _ in range(60):
                seeds, limits = random_seeds(random, chain), random_limits(random, unit_sat)
                targets = random.sample(range(1, len(chain.values)), random.choice((0, 0, 5)))
                backward = direction is Direction.BACKWARD
                plain = Plain(
                    chain, RULES[name], dict.fromkeys(seeds, 0), limits, backward=backward, targets=targets
                ).run()
                flow = trace(
                    reader, Seeds.of(seeds), POLICIES[name], direction=direction, limits=limits, targets=targets
                )
                assert_equal(flow, plain)
                seen.update(REASONS[code] for code in flow.reason[flow.reason > 0].tolist())
    expected = {Reason.SEED, Reason.TARGET, Reason.HOPS, Reason.MINIMUM, Reason.SHARE, Reason.TRANSACTIONS}
    expected |= {Reason.COINBASE} if backward else {Reason.UNSPENT, Reason.UNSPENDABLE, Reason.FEE}
    expected |= {Reason.COINJOIN} if unit_sat > 2_730 else set()
    assert expected <= seen.keys()


@each_way
@pytest.mark.parametrize("order", CoinbaseOrder)
def test_fees_that_are_propagated_equal_the_reference(name, direction, order, tmp_path):
    seen = Counter()
    random = Random(f"propagated {order}")
    built = busy_chain(random)
    chain = PlainChain(built)
    with open_chain(built, tmp_path) as reader:
        for _ in range(25):
            seeds = random_seeds(random, chain)
            backward = direction is Direction.BACKWARD
            plain = Plain(
                chain, RULES[name], dict.fromkeys(seeds, 0), UNLIMITED, backward=backward, propagate=str(order)
            ).run()
            flow = trace(
                reader,
                Seeds.of(seeds),
                POLICIES[name],
                direction=direction,
                limits=UNLIMITED,
                fees=Fees(FeeMode.PROPAGATE, order),
            )
            assert_equal(flow, plain)
            seen.update(REASONS[code] for code in flow.reason[flow.reason > 0].tolist())
            seen["coinbases"] += sum(map(chain.is_coinbase, flow.tx.tolist()))
    assert seen["coinbases"]
    assert Reason.FEE not in seen
    assert backward == (Reason.SUBSIDY in seen)


@pytest.mark.parametrize("name", ["fifo", "lifo"])
def test_several_labels_equal_the_reference(name, tmp_path):
    random = Random(f"labels {name}")
    built = tangled_chain(random, 20_000)
    chain = PlainChain(built)
    with open_chain(built, tmp_path) as reader:
        for _ in range(60):
            seeds = random_seeds(random, chain)
            labels = [random.randrange(3) for _ in seeds]
            plain = Plain(chain, RULES[name], dict(zip(seeds, labels, strict=True)), UNLIMITED).run()
            flow = trace(reader, Seeds.labelled(seeds, labels, ("a", "b", "c")), POLICIES[name], limits=UNLIMITED)
            assert_equal(flow, plain)


@pytest.mark.parametrize("name", RULES)
def test_labels_divide_what_the_policy_gives_and_lose_nothing(name, tmp_path):
    """Which label a satoshi bears never changes where it goes, and each label is conserved by itself."""
    random = Random(f"divided {name}")
    built = tangled_chain(random, 20_000)
    chain = PlainChain(built)
    several = 0
    with open_chain(built, tmp_path) as reader:
        for _ in range(40):
            seeds = random_seeds(random, chain)
            labels = np.array([random.randrange(3) for _ in seeds])
            alone = trace(reader, Seeds.of(seeds), POLICIES[name], limits=UNLIMITED)
            flow = trace(reader, Seeds.labelled(seeds, labels, ("a", "b", "c")), POLICIES[name], limits=UNLIMITED)
            for column in ("output", "sat", "hops", "reason", "next_step", "tx", "first_part"):
                assert np.array_equal(getattr(alone, column), getattr(flow, column))
            seeded = [int(flow.seed_sat[labels == label].sum()) for label in range(3)]
            assert flow.by_label.tolist() == seeded
            for part in range(len(flow.output)):
                pieces = list(flow.pieces(part))
                assert sum(sat for _, _, sat in pieces) == flow.sat[part]
                several += len({label for label, _, _ in pieces}) > 1
    assert several


@pytest.mark.parametrize("direction", Direction)
def test_poison_is_reach(direction, tmp_path):
    random = Random(f"poison {direction}")
    built = tangled_chain(random, 20_000)
    chain = PlainChain(built)
    with open_chain(built, tmp_path) as reader:
        for _ in range(40):
            seeds = random_seeds(random, chain)
            targets = random.sample(range(1, len(chain.values)), 4)
            flow = trace(reader, Seeds.of(seeds), POISON, direction=direction, limits=UNLIMITED, targets=targets)
            reached = set(flow.output[flow.output >= 0].tolist())
            if direction is Direction.FORWARD:
                assert reached == poisoned(chain, seeds, targets)
            for other in (each for each in RULES if direction is Direction.FORWARD or each in BACKWARD):
                less = trace(
                    reader,
                    Seeds.of(seeds),
                    POLICIES[other],
                    direction=direction,
                    limits=UNLIMITED,
                    targets=targets,
                )
                assert set(less.output[less.output >= 0].tolist()) <= reached
            values = np.array(chain.values)
            real = flow.output >= 0
            assert (flow.sat[real] == values[flow.output[real]]).all()


@pytest.mark.parametrize("name", ["fifo", "lifo"])
@pytest.mark.parametrize("propagate", [False, True], ids=["account", "propagate"])
def test_backward_is_the_exact_inverse_of_forward(name, propagate, tmp_path):
    """What reaches an unspent output from an earlier one is what the other way leads back to that one, satoshi by
    satoshi."""
    random = Random(f"inverse {name} {propagate}")
    built = busy_chain(random) if propagate else tangled_chain(random, 20_000)
    chain = PlainChain(built)
    fees = Fees(FeeMode.PROPAGATE) if propagate else Fees()
    policy, pairs = POLICIES[name], 0
    with open_chain(built, tmp_path) as reader:
        last = [output for output in range(1, len(chain.values)) if output not in chain.spent and chain.values[output]]
        back = {}
        for output in last:
            flow = trace(reader, Seeds.of([output]), policy, direction=Direction.BACKWARD, limits=UNLIMITED, fees=fees)
            back[output] = dict(zip(flow.output.tolist(), flow.sat.tolist(), strict=True))
        for seed in random.sample(sorted(chain.spent), 60):
            flow = trace(reader, Seeds.of([seed]), policy, limits=UNLIMITED, fees=fees)
            ends = flow.ended[flow.output[flow.ended] >= 0]
            ahead = dict(zip(flow.output[ends].tolist(), flow.sat[ends].tolist(), strict=True))
            assert {output: found[seed] for output, found in back.items() if seed in found} == {
                output: sat for output, sat in ahead.items() if sat
            }
            pairs += len(ahead)
    assert pairs > 60


@pytest.mark.parametrize("name", RULES)
def test_all_coins_together_are_all_outputs_and_all_fees(name, tmp_path):
    """Tracing every coinbase accounts for every satoshi of the chain."""
    built = random_chain(Random("all coins"), blocks=25, transactions_per_block=20)
    chain = PlainChain(built)
    with open_chain(built, tmp_path) as reader:
        flow = trace(reader, Seeds.of(sorted(chain.issued)), POLICIES[name], limits=UNLIMITED)
        assert flow.conserved
        real = [part for part in flow.ended.tolist() if flow.output[part] >= 0 and flow.sat[part]]
        values = reader.column("output", "value_sat")
        assert all(flow.sat[part] == values[flow.output[part]] for part in real)
        assert {int(flow.output[part]) for part in real} == {
            output for output, value in enumerate(chain.values) if value and output not in chain.spent
        }
        assert flow.ended_sat[Reason.FEE] == int(reader.column("block", "fees_sat").sum())


@each_way
def test_a_trace_that_is_stopped_saved_and_resumed_is_the_same(name, direction, tmp_path):
    random = Random(f"resumed {name} {direction}")
    built = tangled_chain(random, 20_000)
    chain = PlainChain(built)
    with open_chain(built, tmp_path) as reader:
        for number in range(10):
            seeds = Seeds.labelled(given := random_seeds(random, chain), [n % 2 for n in range(len(given))], ("a", "b"))
            whole = trace(reader, seeds, POLICIES[name], direction=direction, limits=UNLIMITED)
            stops = Limits(through_coinjoins=True, transactions=random.randint(1, 4))
            walk = Walk(reader, seeds, asked(POLICIES[name], direction, stops))
            rounds = 0
            while not walk.run():
                path = tmp_path / f"{number}-{rounds}.npz"
                save(path, [walk], {"round": rounds})
                (walk,), note = load(path, reader, stops)
                assert note == {"round": rounds}
                rounds += 1
            flow = walk.finish()
            for column in ("output", "sat", "hops", "reason", "detail", "next_step", "label", "offset", "length", "tx"):
                assert np.array_equal(getattr(flow, column), getattr(whole, column)), column
            assert rounds == (len(whole.tx) - 1) // stops.transactions if len(whole.tx) else rounds == 0


def test_seeds_of_several_labels():
    first = Seeds.labelled([7, 3, 7, 3, 9], [0, 1, 2, 1, 0], ("a", "b", "c"))
    assert (first.outputs.tolist(), first.labels.tolist(), first.names) == ([3, 7, 9], [1, 0, 0], ("a", "b", "c"))
    both = Seeds.labelled([7, 3, 7, 3, 9], [0, 1, 2, 1, 0], ("a", "b", "c"), Collision.BOTH)
    assert both.outputs.tolist() == [3, 7, 9]
    assert [both.names[label] for label in both.labels.tolist()] == ["b", "a + c", "a"]


def test_places_of_the_reference_are_lossless():
    """The reference divides as the text says: a check of the check."""
    rule = Places()
    made = rule.forward([[("x", 3)], [(None, 5)]], [3, 5], [4, 2, 2])
    assert [rule.pieces(state) for state in made] == [[("x", 0, 3)], [], []]
    late = Places(last_first=True)
    made = late.forward([[("x", 3)], [(None, 5)]], [3, 5], [4, 2, 2])
    assert [late.pieces(state) for state in made] == [[], [("x", 0, 1)], [("x", 0, 2)]]
