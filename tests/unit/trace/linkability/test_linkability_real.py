"""Real transactions: mixes whose figures METHODS.md 6.4 gives, and a block against the definition itself."""

import plain_linkability as plain
import pytest
from real_mixes import emulated, explored, listed, mainnet_block_300025

from cointrail.trace.linkability.links import links_of

EQUAL = {5: 1_496, 6: 22_482, 7: 426_833, 8: 9_934_563}  # METHODS.md 6.4 and the reference program's vectors


def linked(tx, **options):
    return links_of([value for value, _ in tx.inputs], [value for value, _ in tx.outputs], **options)


def test_every_whirlpool_mix_has_the_number_of_equal_amounts():
    """Inputs differ by what they bring for the miner; that changes nothing: each pays one output, and only one."""
    transactions = listed("whirlpool-2024-03-first700.txt")
    assert len(transactions) == 700
    for tx in transactions:
        found = linked(tx)
        assert found.interpretations == EQUAL[len(tx.inputs)]
        assert found.certain == ()


def test_the_whirlpool_mix_of_an_explorer():
    found = linked(explored("whirlpool-coinjoin"))
    assert (found.interpretations, found.ways) == (1_496, ((512,), (512,)))
    assert found.entropy_bits == pytest.approx(10.55, abs=0.01)


def test_a_joinmarket_round_needs_the_fees_between_its_participants():
    """The maker earns some satoshis: without them only one reading is left, and it links everything."""
    tx = explored("joinmarket-coinjoin")
    assert linked(tx).interpretations == 1
    spent, paid = [value for value, _ in tx.inputs], [value for value, _ in tx.outputs]
    found = linked(tx, max_cj_fee_sat=2_000)
    assert found.interpretations == plain.count(spent, paid, 2_000).interpretations == 3
    # Each change hangs on one input; the two equal outputs do not.
    named = {(found.spent.values[i], found.paid.values[o]) for i, o in found.certain}
    assert named == {(1_448_113, 1_347_800), (148_798, 46_981)}


def test_large_rounds_are_not_counted_and_answered_at_once():
    rounds = [tx for tx in emulated() if len(tx.owners) > 1]
    for tx in (explored("wabisabi-coinjoin"), *rounds):
        found = linked(tx)
        assert not found.complete
        assert "different sets" in found.reason


def test_small_transactions_of_a_block_by_the_definition():
    compared, ambiguous = 0, 0
    for tx in mainnet_block_300025():
        spent, paid = [value for value, _ in tx.inputs], [value for value, _ in tx.outputs]
        if len(spent) > 6 or len(paid) > 4:
            continue
        truth = plain.count(spent, paid)
        found = linked(tx)
        assert found.interpretations == truth.interpretations, tx.txid
        compared += 1
        ambiguous += truth.interpretations > 1
    assert compared > 300
    assert ambiguous > 30
