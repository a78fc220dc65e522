"""Clusters and traces through the service: they conserve, name their rules, and are bound to their snapshot."""

from random import Random

import pytest
from regtest import extend_randomly, forked_chain, write_block_files

import cointrail
from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import Outpoint
from cointrail.cluster.forest.extend import bring_up
from cointrail.errors import InputRefused, NotFound, SnapshotGone, UsageError
from cointrail.ingest.pipeline import ingest
from cointrail.trace.limits import Limits


@pytest.mark.parametrize("policy", ["fifo", "haircut"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_traces_conserve_and_end_where_the_walk_says(world, policy, direction):
    walk = world.walk(len(world.blocks) - 1)
    payments = [txid for txid, (_, tx) in walk.transactions.items() if not tx.is_coinbase]
    with cointrail.open(world.ledger) as ledger:
        for txid in world.random.sample(payments, 12):
            seed = display(txid)
            answer = ledger.trace(seed, direction=direction, policies=[policy], limits=Limits(through_coinjoins=True))
            (said,) = answer.policies
            assert said.conserved
            assert answer.complete
            assert answer.traced_sat == sum(o.value_sat for o in walk.outputs.values() if o.outpoint.txid == txid)
            assert answer.traced_sat == sum(e.traced_sat[policy] for e in answer.endpoints) + said.fees_sat
            for end in answer.endpoints:
                found = walk.outputs[Outpoint.parse(end.outpoint)]
                assert end.value_sat == found.value_sat >= end.traced_sat[policy]
                reason = end.reasons[policy]
                assert end.address == address_of(found.script_pubkey, REGTEST)
                if reason in ("unspent", "unspendable"):
                    assert found.spender is None
                    assert found.spendable is (reason == "unspent")
                elif reason == "coinbase":
                    assert walk.transactions[found.outpoint.txid][1].is_coinbase
            heights = [step.height for step in answer.steps]
            assert heights == sorted(heights, reverse=direction == "backward")


def test_seeds_that_are_none(world):
    with cointrail.open(world.ledger) as ledger:
        txid = display(world.chain.branch()[-1].txids[0])
        for seed in ("", "x", ":", f"{txid}:", f"{txid}:x", f"{txid}:-1", txid[:-1], "bcrt1qqqq", f"{txid}:4294967296"):
            with pytest.raises(InputRefused):
                ledger.trace(seed)
        for seed in (f"{txid}:4000000000", "0" * 64, f"{'0' * 64}:0"):
            with pytest.raises(NotFound):
                ledger.trace(seed)
        with pytest.raises(UsageError, match="there is no policy"):
            ledger.trace(txid, policies=["first"])
        with pytest.raises(UsageError, match="cannot be negative"):
            ledger.trace(txid, limits=Limits(hops=-1))


def test_clusters_are_partitions_with_exact_sums(world):
    walk = world.walk(len(world.blocks) - 1)
    with cointrail.open(world.ledger) as ledger:
        seen = {}
        for script in list(walk.by_script)[::12]:
            if not 0 < len(script) <= 10_000:
                continue
            answer = ledger.cluster(f"script:{script.hex()}")
            name = address_of(script, REGTEST) or f"script:{script.hex()}"
            assert name in answer.members
            assert answer.size == len(answer.members) == len(set(answer.members))
            assert (answer.level, answer.basis) == ("L1", "inference")
            seen.setdefault(answer.cluster_id, answer.members)
            assert seen[answer.cluster_id] == answer.members
            members = {address_of(each, REGTEST) or f"script:{each.hex()}": each for each in walk.by_script}
            outputs = [o for member in answer.members for o in walk.by_script[members[member]]]
            assert answer.received_sat == sum(o.value_sat for o in outputs)
            assert answer.spent_sat == sum(o.value_sat for o in outputs if o.spender)
            assert answer.balance_sat == sum(o.value_sat for o in outputs if o.spender is None and o.spendable)
        assert len(seen) > 5
        groups = [set(members) for members in seen.values()]
        assert sum(map(len, groups)) == len(set().union(*groups))


def test_members_come_in_pages(world):
    walk = world.walk(len(world.blocks) - 1)
    with cointrail.open(world.ledger) as ledger:
        sizes = {
            script: ledger.cluster(f"script:{script.hex()}").size for script in list(walk.by_script)[5:200:9] if script
        }
        script = max(sizes, key=sizes.__getitem__)
        text = f"script:{script.hex()}"
        everything = ledger.cluster(text)
        page = ledger.cluster(text, first=1, limit=2)
        assert page.members == everything.members[1:3]
        assert (page.size, page.received_sat) == (everything.size, everything.received_sat)


def test_an_answer_from_a_withdrawn_branch_is_never_given(tmp_path):
    chain, left, right = forked_chain(Random(5), 6, 2, 4, 3)
    source, ledger = tmp_path / "blocks", tmp_path / "ledger"
    write_block_files(source, chain.serialized(left), REGTEST.magic)
    ingest(source, ledger, cluster=bring_up)
    fork = chain.height_of(left) - 2
    address = next(
        address
        for node in reversed(chain.branch(left)[:fork])
        for tx in node.block.transactions
        for output in tx.outputs
        if (address := address_of(output.script_pubkey, REGTEST))
    )
    with cointrail.open(ledger) as at_tip, cointrail.open(ledger, as_of=fork) as below:
        before = below.address(address)
        status = below.status()
        extend_randomly(chain, Random(6), 2, 3, parent=right)
        write_block_files(source, [*chain.serialized(left), *chain.serialized()], REGTEST.magic)
        assert ingest(source, ledger, cluster=bring_up).rewound == 2
        for ask in (
            at_tip.status,
            lambda: at_tip.block(fork + 1),
            lambda: at_tip.address(address),
            lambda: at_tip.history(address),
            lambda: at_tip.transaction(display(chain.branch(left)[1].txids[0])),
            lambda: at_tip.cluster(address),
            lambda: at_tip.trace(display(chain.branch(left)[1].txids[0])),
        ):
            with pytest.raises(SnapshotGone):
                ask()
        assert below.address(address) == before
        assert below.status() == status
    with cointrail.open(ledger) as now:
        assert now.status().height == chain.height_of(chain.tip)
