"""Chains made step by step; what must come out is worked out in the tests."""

import pytest
from change_cases import Shape
from peel_cases import ODD, RATE, ROUND, straight
from signed_spends import ALL, ALL_ANYONE, SIGNATURE

from cointrail.bitcoin.transaction import Transaction, TransactionInput, TransactionOutput
from cointrail.errors import NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.trace.peel.back import follow_back
from cointrail.trace.peel.chain import Decision, Direction, Reason
from cointrail.trace.peel.follow import follow
from cointrail.trace.peel.question import PeelLimits, Undecided, services_by_script
from cointrail.trace.peel.statistics import statistics

START = 50_000_017
OP_RETURN = b"\x6a\x04note"


def opened(stage, open_ledger):
    stage.block()
    return open_ledger(stage.chain)


def ends_of(chain):
    return [(end.reason, end.detail, tuple(coin.output for coin in end.coins)) for end in chain.ends]


def outputs_of(coins):
    return [coin.output for coin in coins]


# The way ahead.


def test_a_chain_of_clear_steps(stage, open_ledger, row):
    first = coin = stage.coin(START)
    stage.block()
    coins, payments, txids = [first], [], []
    for _ in range(4):
        payment, coin = stage.pay(coin)
        payments.append(payment)
        coins.append(coin)
        txids.append(stage.last.txid)
        stage.block()
    stage.pay(coin)
    stage.spend(payments[1], Shape(outputs=1))
    reader = opened(stage, open_ledger)
    chain = follow(reader, row(reader, first))
    fee = RATE * stage.chain.branch()[-2].block.transactions[1].vsize
    assert (chain.direction, chain.rule, chain.version) == (Direction.FORWARD, "peel_chain", 1)
    assert [reader.find_transactions(txid)[-1] for txid in txids] == [step.tx_index for step in chain.steps]
    for hop, step in enumerate(chain.steps):
        assert (step.hop, step.previous, step.decision) == (hop + 1, hop - 1, Decision.ACCEPTED)
        assert {"F2", "F3"} <= set(step.voting_families)
        assert {"change.C5", "change.C7"} <= set(step.rules)
        assert outputs_of(step.came) == [row(reader, coins[hop])]
        assert outputs_of(step.followed) == [row(reader, coins[hop + 1])]
        assert outputs_of(step.peels) == [row(reader, payments[hop])]
        assert [coin.spent for coin in step.peels] == [hop == 1]
        assert (step.others, step.fee_sat, step.peeled_sat, step.joined_here) == ((), fee, ROUND, False)
        assert step.waited_seconds == 600
    # The rest of the fifth is not spent, so that nobody can tell yet.
    ((reason, detail, last),) = ends_of(chain)
    assert (reason, last) == (Reason.UNDECIDED, (row(reader, coin),))
    assert detail.startswith("the output is not spent")
    assert chain.ends[0].tx_index == int(reader.transaction_of_inputs(reader.spenders(row(reader, coin))))
    assert (chain.hops, chain.is_lead, chain.complete) == (4, False, True)
    found = statistics(chain)
    assert (found.length, found.peels, found.peeled_sat, found.mean_peel_sat) == (4, 4, 4 * ROUND, ROUND)
    assert (found.waited_seconds, found.fees_sat) == ((600,) * 5, 4 * fee)
    assert (found.constancy.constant, found.constancy.within) == (True, 4)


def test_a_long_chain_is_followed_to_its_end(open_ledger, row):
    stage, first = straight(300, per_block=40)
    reader = open_ledger(stage.chain)
    chain = follow(reader, row(reader, first), PeelLimits(hops=None))
    assert chain.hops == 300
    assert all(step.decision is Decision.ACCEPTED for step in chain.steps)
    assert [end.reason for end in chain.ends] == [Reason.UNDECIDED]
    back = follow_back(reader, chain.steps[-1].peels[0].output, PeelLimits(hops=None))
    assert [step.tx_index for step in back.steps[::-1]] == [step.tx_index for step in chain.steps]
    assert [end.reason for end in back.ends] == [Reason.NOT_CHANGE]


def test_change_to_a_script_that_is_spent_is_certain(stage, open_ledger, row):
    lock = stage.lock()
    first = coin = stage.coin(START, lock)
    for _ in range(3):
        coin = stage.pay(coin, paid=ODD, payee=stage.lock(), rest=lock)[1]
    reader = opened(stage, open_ledger)
    chain = follow(reader, row(reader, first))
    assert [(step.decision, step.rules, step.families) for step in chain.steps] == [
        (Decision.CERTAIN, ("change.C1",), 0)
    ] * 3
    assert ends_of(chain) == [(Reason.UNSPENT, "", (row(reader, coin),))]


def test_what_is_undecided_stops_or_leads_on(stage, open_ledger, row):
    first = stage.coin(START)
    _, rest = stage.pay(first)
    payment, middle = stage.doubt(rest)
    _, last = stage.pay(middle)
    stage.pay(payment)
    (end,) = stage.spend(last, Shape(outputs=1))
    reader = opened(stage, open_ledger)
    seed = row(reader, first)
    stop = follow(reader, seed)
    assert ends_of(stop)[0][0::2] == (Reason.UNDECIDED, (row(reader, rest),))
    assert ends_of(stop)[0][1].startswith(("no rule fires", "one family"))
    larger = follow(reader, seed, undecided=Undecided.LARGER)
    kinds = [Decision.ACCEPTED, Decision.LARGER, Decision.LARGER, Decision.LARGER]
    assert [step.decision for step in larger.steps] == kinds
    assert outputs_of(larger.steps[1].followed) == [row(reader, middle)]
    assert outputs_of(larger.steps[1].peels) == [row(reader, payment)]
    assert (larger.steps[1].votes, larger.steps[1].rules, larger.is_lead) == (0, (), True)
    assert (statistics(larger).leads, larger.steps[3].peels) == (3, ())
    assert ends_of(larger) == [(Reason.UNSPENT, "", (row(reader, end),))]
    tree = follow(reader, seed, undecided=Undecided.BRANCH)
    assert outputs_of(tree.steps[1].followed) == [row(reader, payment), row(reader, middle)]
    assert tree.steps[1].peels == ()
    assert [(step.previous, step.hop) for step in tree.steps] == [(-1, 1), (0, 2), (1, 3), (1, 3), (2, 4)]
    assert [end.reason for end in tree.ends] == [Reason.UNSPENT] * 4


def test_branches_that_meet_are_crossed_once(stage, open_ledger, row):
    first = stage.coin(START)
    payment, rest = stage.doubt(first)
    stage.pay(rest, beside=(payment,))
    reader = opened(stage, open_ledger)
    chain = follow(reader, row(reader, first), undecided=Undecided.BRANCH)
    assert [step.hop for step in chain.steps] == [1, 2]
    joined = [end for end in chain.ends if end.reason is Reason.JOINED]
    assert [(end.step, end.detail) for end in joined] == [(0, "step 1")]


def test_equal_outputs_are_followed_by_the_first(stage, open_ledger, row):
    first = stage.coin(2 * ODD + 1_000)
    one, _ = stage.send([first], [(ODD, stage.lock())] * 2)
    reader = opened(stage, open_ledger)
    chain = follow(reader, row(reader, first), undecided=Undecided.LARGER)
    assert outputs_of(chain.steps[0].followed) == [row(reader, one)]


# Where it ends.


def test_limits_end_a_chain(stage, open_ledger, row):
    first = stage.coin(START)
    coins = [first]
    for _ in range(5):
        coins.append(stage.pay(coins[-1])[1])
    reader = opened(stage, open_ledger)
    seed = row(reader, first)

    def end_with(**limits):
        chain = follow(reader, seed, PeelLimits(**limits))
        ((reason, _, outputs),) = ends_of(chain)
        assert outputs == (row(reader, coins[chain.hops]),)
        return chain.hops, reason

    assert end_with(hops=3) == (3, Reason.HOPS)
    assert end_with(hops=0) == (0, Reason.HOPS)
    assert end_with(hops=None) == (4, Reason.UNDECIDED)
    assert end_with(min_sat=coins[2].value_sat) == (3, Reason.MINIMUM)
    assert end_with(transactions=2) == (2, Reason.BUDGET)
    assert end_with(outputs=1) == (0, Reason.MANY_OUTPUTS)
    assert not follow(reader, seed, PeelLimits(transactions=0)).complete


def test_a_service_ends_a_chain_and_is_named_among_the_payees(stage, open_ledger, row):
    first = stage.coin(START)
    payment, rest = stage.pay(first)
    stage.pay(rest)
    reader = opened(stage, open_ledger)
    scripts = sorted(reader.find_script(coin.script_pubkey) for coin in (payment, rest))
    services = services_by_script(scripts, [scripts.index(each) for each in scripts], ["Alpha", "Beta"])
    number = scripts.index(reader.find_script(rest.script_pubkey))
    chain = follow(reader, row(reader, first), services=services)
    assert ends_of(chain) == [(Reason.SERVICE, services.names[number], (row(reader, rest),))]
    assert [coin.service for coin in chain.steps[0].peels] == [1 - number]
    back = follow_back(reader, row(reader, rest), services=services_by_script([0], [0], ["miner"]))
    assert [end.reason for end in back.ends] != [Reason.SERVICE]
    held = services_by_script([reader.find_script(first.script_pubkey)], [0], ["Alpha"])
    assert ends_of(follow_back(reader, row(reader, rest), services=held))[0][:2] == (Reason.SERVICE, "Alpha")


def test_what_nobody_can_spend_ends_a_chain(stage, open_ledger):
    stage.pay(stage.coin(START))  # with a witness, so its block has a commitment
    reader = opened(stage, open_ledger)
    commitments = [
        output
        for output in range(reader.counts.output)
        if reader.unspendable_scripts(reader.column("output", "script")[output])
    ]
    for output in (0, commitments[-1]):
        assert [end.reason for end in follow(reader, output).ends] == [Reason.UNSPENDABLE]


def test_protocol_outputs_are_no_step(stage, open_ledger, row):
    seeds = [stage.coin(START) for _ in range(3)]
    stage.pay(seeds[0], paid=546)
    stage.pay(seeds[1], paid=330)
    script_sig, witness = stage.chain.locks[seeds[2].script_pubkey].unlock((b"", b""))
    spent = TransactionInput(seeds[2].outpoint, script_sig, 0xFFFFFFFF, witness)
    outputs = [TransactionOutput(value, stage.lock().script_pubkey) for value in (ROUND, ODD)]
    stage.made.append(Transaction(2, (spent,), (*outputs, TransactionOutput(0, OP_RETURN)), 0))
    reader = opened(stage, open_ledger)
    for seed in seeds:
        for undecided in Undecided:
            chain = follow(reader, row(reader, seed), undecided=undecided)
            assert [end.reason for end in chain.ends] == [Reason.PROTOCOL]


def test_a_mix_ends_a_chain(stage, open_ledger, row):
    coins = [stage.coin(START + n) for n in range(4)]
    outputs = [(ODD, stage.lock()) for _ in coins] + [(coin.value_sat - ODD - 1_000, stage.lock()) for coin in coins]
    mixed = stage.send(coins, outputs)
    reader = opened(stage, open_ledger)
    ((reason, detail, _),) = ends_of(follow(reader, row(reader, coins[0]), undecided=Undecided.LARGER))
    assert (reason, detail) == (Reason.COINJOIN, "joinmarket")
    back = follow_back(reader, row(reader, mixed[0]), undecided=Undecided.LARGER)
    assert [(end.reason, len(end.coins)) for end in back.ends] == [(Reason.COINJOIN, 4)]


def test_inputs_beside_are_noted_and_must_be_of_one_cluster(stage, open_ledger, row):
    first, other = stage.coin(START), stage.coin(START)
    _, rest = stage.pay(first, beside=(other,))
    again = stage.coin(START, stage.chain.locks[other.script_pubkey])
    _, rest = stage.pay(rest, beside=(again,))
    third, stranger = stage.coin(START), stage.coin(START)
    inputs = []
    for coin, hash_type in ((third, ALL), (stranger, ALL_ANYONE)):
        items = (SIGNATURE + hash_type, b"\x02" + b"\x07" * 32)
        script_sig, witness = stage.chain.locks[coin.script_pubkey].unlock(items)
        inputs.append(TransactionInput(coin.outpoint, script_sig, 0xFFFFFFFF, witness))
    paid = [TransactionOutput(value, stage.lock().script_pubkey) for value in (ROUND, ODD)]
    stage.made.append(Transaction(2, tuple(inputs), tuple(paid), 0))
    reader = opened(stage, open_ledger)
    chain = follow(reader, row(reader, first), undecided=Undecided.LARGER)
    assert [outputs_of(step.others) for step in chain.steps] == [[row(reader, other)], [row(reader, again)]]
    # The second joins what the first had not joined: its rest is new, so that is known from here only.
    assert [step.joined_here for step in chain.steps] == [True, True]
    for undecided in Undecided:
        merged = follow(reader, row(reader, third), undecided=undecided)
        assert ends_of(merged) == [(Reason.MERGE, "2 inputs", (row(reader, third),))]


def test_inputs_known_together_before_join_nothing(stage, open_ledger, row):
    locks = stage.lock(), stage.lock()
    stage.send([stage.coin(START, lock) for lock in locks], [(START, stage.lock())])
    first, other = (stage.coin(START, lock) for lock in locks)
    stage.pay(first, beside=(other,))
    reader = opened(stage, open_ledger)
    chain = follow(reader, row(reader, first), undecided=Undecided.LARGER)
    assert [step.joined_here for step in chain.steps] == [False]


def test_a_large_cluster_ends_a_chain(stage, open_ledger, row):
    first = stage.coin(START)
    _, rest = stage.pay(first)
    again = stage.coin(START, stage.chain.locks[rest.script_pubkey])
    stage.send([again, stage.coin(START), stage.coin(START)], [(2 * START, stage.lock())])
    stage.pay(rest)
    reader = opened(stage, open_ledger)
    ends = {
        most: ends_of(follow(reader, row(reader, first), PeelLimits(cluster=most), undecided=Undecided.LARGER))
        for most in (2, 3)
    }
    assert ends[2] == [(Reason.LARGE_CLUSTER, "3 scripts", (row(reader, rest),))]
    assert [reason for reason, *_ in ends[3]] == [Reason.UNSPENT]
    inside = ends_of(follow(reader, row(reader, rest), PeelLimits(cluster=2), undecided=Undecided.LARGER))
    assert Reason.LARGE_CLUSTER not in [reason for reason, *_ in inside]


# The way back.


def test_a_payment_leads_back_to_what_began_its_chain(stage, open_ledger, row):
    funding = stage.coin(START)
    bought, kept = stage.pay(funding, paid=3 * ROUND, payee=stage.seen())
    stage.pay(kept)
    payments, coins, txids = [], [bought], []
    for _ in range(4):
        payment, rest = stage.pay(coins[-1], paid=1_000_000)
        payments.append(payment)
        coins.append(rest)
        txids.append(stage.last.txid)
    stage.block()
    reader = opened(stage, open_ledger)
    chain = follow_back(reader, row(reader, payments[-1]))
    assert [reader.find_transactions(txid)[-1] for txid in txids[::-1]] == [step.tx_index for step in chain.steps]
    assert [step.decision for step in chain.steps] == [Decision.SEED] + [Decision.ACCEPTED] * 3
    assert [(step.hop, step.previous) for step in chain.steps] == [(0, -1), (1, 0), (2, 1), (3, 2)]
    assert (chain.hops, chain.direction) == (3, Direction.BACKWARD)
    assert outputs_of(chain.steps[0].followed) == [row(reader, payments[-1])]
    assert [outputs_of(step.came) for step in chain.steps] == [
        *([row(reader, coin)] for coin in coins[3:0:-1]),
        [],
    ]
    # What funded the first of them was paid, not change.
    assert ends_of(chain) == [(Reason.NOT_CHANGE, "", (row(reader, bought),))]
    assert chain.ends[0].tx_index == chain.steps[-1].tx_index
    assert chain.steps[-1].waited_seconds is None
    found = statistics(chain)
    assert (found.length, found.peeled_sat) == (3, 3_000_000)
    for hops in range(3):
        cut = follow_back(reader, row(reader, payments[-1]), PeelLimits(hops=hops))
        assert (cut.hops, ends_of(cut)) == (hops, [(Reason.HOPS, "", (row(reader, coins[3 - hops]),))])


def test_new_money_has_nothing_behind(stage, open_ledger):
    reader = opened(stage, open_ledger)
    coinbase = reader.outputs_of(5)[0]
    chain = follow_back(reader, coinbase)
    assert [(end.reason, end.coins) for end in chain.ends] == [(Reason.COINBASE, ())]
    assert [step.decision for step in chain.steps] == [Decision.SEED]


def test_several_remainders_are_no_one_chain(stage, open_ledger, row):
    big, small = stage.coin(2 * START), stage.coin(START)
    # Two inputs each: no run, so that its end is no sign against it; and less is left than each brought.
    one = stage.pay(big, beside=(stage.coin(2 * START),), paid=120_000_000)[1]
    two = stage.pay(small, beside=(stage.coin(START),), paid=60_000_000)[1]
    payment, _ = stage.pay(two, beside=(one,))
    reader = opened(stage, open_ledger)
    seed = row(reader, payment)
    assert ends_of(follow_back(reader, seed)) == [
        (Reason.SEVERAL, "2 of 2 inputs", (row(reader, two), row(reader, one)))
    ]
    larger = follow_back(reader, seed, undecided=Undecided.LARGER)
    assert outputs_of(larger.steps[0].came) == [row(reader, one)]
    assert outputs_of(larger.steps[0].others) == [row(reader, two)]
    tree = follow_back(reader, seed, undecided=Undecided.BRANCH)
    assert set(outputs_of(tree.steps[0].came)) == {row(reader, one), row(reader, two)}
    assert [step.previous for step in tree.steps[:3]] == [-1, 0, 0]


def test_one_remainder_among_payments_leads_back(stage, open_ledger, row):
    _, rest = stage.pay(stage.coin(START), beside=(stage.coin(START),), paid=60_000_000)
    given = stage.coin(START)
    payment, _ = stage.pay(given, beside=(rest,))
    reader = opened(stage, open_ledger)
    chain = follow_back(reader, row(reader, payment))
    assert outputs_of(chain.steps[0].came) == [row(reader, rest)]
    assert outputs_of(chain.steps[0].others) == [row(reader, given)]


# As of when, and what is refused.


def test_a_step_is_unknown_before_its_rest_is_spent(stage, open_ledger, row):
    first = stage.coin(START)
    stage.block()
    coin, heights = first, []
    for _ in range(4):
        coin = stage.pay(coin)[1]
        stage.block()
        heights.append(stage.chain.height_of(stage.chain.tip))
    reader = open_ledger(stage.chain)
    for known, height in enumerate(heights):
        with Reader(reader.folder, height) as then:
            chain = follow(then, row(then, first))
            assert chain.hops == known
            assert [end.reason for end in chain.ends] == [Reason.UNDECIDED]
            assert chain.ends[0].detail.startswith("the output is not spent")


def test_questions_that_make_no_sense_are_refused(stage, open_ledger):
    reader = opened(stage, open_ledger)
    for output in (-1, reader.counts.output):
        for walk in (follow, follow_back):
            with pytest.raises(NotFound, match="is not in this snapshot"):
                walk(reader, output)
    for name in ("hops", "min_sat", "outputs", "cluster", "transactions"):
        with pytest.raises(UsageError, match=f"{name} = -1"):
            PeelLimits(**{name: -1})
