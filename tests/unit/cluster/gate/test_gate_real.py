"""The gate on real transactions: the shared lists, the Wasabi 2 emulation, explorers' single transactions.

The figures are those of METHODS.md 3.3 where it has a row for the list; others are what the text of 3.1 demands.
"""

import mixing_gate
import pytest
from real_mixes import emulated, explored, listed, mainnet_block_300025

from cointrail.cluster.gate.kinds import VETO, Kind, Sign, kind_of
from cointrail.cluster.gate.reference import Coin, signs_of_shape


def signs_of(transactions):
    return [
        signs_of_shape([Coin(*each) for each in tx.inputs], [Coin(*each) for each in tx.outputs]) for tx in transactions
    ]


def percent(signs, sign):
    return round(100 * sum(sign in each for each in signs) / len(signs), 1)


def test_all_wasabi_1_rounds_of_2021():
    """METHODS.md 3.3, first table: shares flagged in per cent."""
    signs = signs_of(listed("wasabi1-2021.txt"))
    assert len(signs) == 196
    assert all(each & VETO for each in signs)
    shares = {
        Sign.BLOCKSCI_FLAG: 13.8,
        Sign.WASABI1_0: 3.6,
        Sign.WASABI1_1: 3.6,
        Sign.WASABI2_GRAPHSENSE: 93.9,
        Sign.WASABI2_DUMPLINGS: 0,
        Sign.WHIRLPOOL: 0,
        Sign.JOINMARKET: 34.7,
    }
    assert {sign: percent(signs, sign) for sign in shares} == shares


def test_any_rule_of_a_protocol_finds_all_of_2021():
    named = Sign.WASABI2_GRAPHSENSE | Sign.WASABI1_0 | Sign.WASABI1_1 | Sign.JOINMARKET
    assert all(each & named for each in signs_of(listed("wasabi1-2021.txt")))


def test_all_whirlpool_mixes():
    signs = signs_of(listed("whirlpool-2024-03-first700.txt"))
    assert {kind_of(each) for each in signs} == {Kind.WHIRLPOOL}
    others = (Sign.BLOCKSCI_FLAG, Sign.WASABI1_0, Sign.WASABI1_1, Sign.WASABI2_GRAPHSENSE, Sign.JOINMARKET)
    assert (len(signs), [percent(signs, sign) for sign in others]) == (700, [0, 0, 0, 0, 0])


def test_tx0_shapes_do_not_overrule_the_gate():
    """METHODS.md 3.2: of the multi-script transactions that meet the Tx0 rule the gate suppresses 26."""
    transactions = listed("whirlpool-tx0-2024-03-first450.txt")
    several = [tx for tx in transactions if len({script for _, script in tx.inputs}) > 1]
    signs = [each for each in signs_of(several) if Sign.TX0 in each]
    assert sum(bool(each & VETO) for each in signs) == 26


def test_the_list_of_tx0_holds_mixes_too():
    """Neither by our rule nor by the simulator's are they anything else; none of them looks like a Tx0."""
    transactions = listed("whirlpool-tx0-2024-03-first450.txt")
    signs = signs_of(transactions)
    mixes = [tx for tx, each in zip(transactions, signs, strict=True) if Sign.WHIRLPOOL in each]
    assert mixes
    assert all(len(tx.inputs) == len(tx.outputs) for tx in mixes)
    assert mixes == [tx for tx in transactions if mixing_gate.whirlpool(tx.inputs, tx.outputs)]
    assert not any(Sign.TX0 in each for each in signs if Sign.WHIRLPOOL in each)


def test_every_round_of_the_emulation_and_nothing_else():
    """Exact truth: a transaction that spends outputs of several wallets is a round."""
    transactions = emulated()
    rounds = [tx for tx in transactions if len(tx.owners) > 1]
    others = [tx for tx in transactions if len(tx.owners) == 1]
    assert len(rounds) + len(others) == len(transactions)
    assert len(rounds) >= 6
    assert len(others) >= 5
    assert {kind_of(each) for each in signs_of(rounds)} == {Kind.WASABI2}
    assert {kind_of(each) for each in signs_of(others)} == {Kind.NONE}


def test_only_the_relaxed_rule_finds_the_smallest_round():
    """METHODS.md 3.3: rounds of 13 and 14 inputs are missed by graphsense's rule and by Dumplings'."""
    smallest = min((tx for tx in emulated() if len(tx.owners) > 1), key=lambda tx: len(tx.inputs))
    assert len(smallest.inputs) == 14
    assert signs_of([smallest]) == [Sign.WASABI2_RELAXED]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("whirlpool-coinjoin", Kind.WHIRLPOOL),
        ("wabisabi-coinjoin", Kind.WASABI2),
        # A maker and a taker: two equal outputs of four. JoinMarket's rule wants three, the BlockSci flag does not.
        ("joinmarket-coinjoin", Kind.EQUAL_OUTPUT),
        ("batch-withdrawal-143", Kind.NONE),
        ("dust-attack-555", Kind.NONE),
        ("bare-multisig", Kind.NONE),
        ("simple-legacy-p2pkh", Kind.NONE),
        ("taproot-op-return", Kind.NONE),
        ("taproot-script-path", Kind.NONE),
    ],
)
def test_single_transactions(name, kind):
    (signs,) = signs_of([explored(name)])
    assert kind_of(signs) is kind


def test_two_party_joinmarket_is_found_by_two_rules():
    (signs,) = signs_of([explored("joinmarket-coinjoin")])
    assert signs & VETO == Sign.BLOCKSCI_FLAG | Sign.STONEWALL


def test_few_transactions_of_an_ordinary_block_are_suppressed():
    """May 2014, years before the protocols that have a detector: what is suppressed is equal amounts of all kinds."""
    several = [tx for tx in mainnet_block_300025() if len({script for _, script in tx.inputs}) > 1]
    suppressed = sum(bool(each & VETO) for each in signs_of(several))
    assert len(several) == 158
    assert 0 < suppressed < 0.05 * len(several)


def test_the_payjoin_suspicion_is_common_where_there_is_no_payjoin():
    """That is why it is no veto: METHODS.md 3.1 quotes some 30 % of all transactions."""
    transactions = mainnet_block_300025()
    found = sum(Sign.UNNECESSARY_INPUT in each for each in signs_of(transactions))
    assert 0.2 < found / len(transactions) < 0.4
