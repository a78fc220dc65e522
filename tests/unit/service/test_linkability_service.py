"""`service.tracing.linkability` over an ingested ledger: exact numbers, cut lists, candidates, and what it refuses."""

import json
from dataclasses import asdict
from fractions import Fraction

import plain_linkability as plain
import pytest
from minisigner import Minisigner
from mixed_chain import MixedChain

from cointrail.errors import InputRefused, NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import Rule
from cointrail.service.lists import add_list
from cointrail.service.names import txid_of
from cointrail.service.tracing.linkability import exact, linkability

WHIRLPOOL = ([5_010_000, 5_000_000, 5_010_000, 5_000_000, 5_007_000], [5_000_000] * 5)
JOINMARKET = ([61_000_000, 40_000_000, 33_000_000], [30_000_000] * 3 + [30_980_000, 10_001_000, 3_001_000])
ORDINARY = ([50_000, 20_000], [19_000, 49_500])
EQUAL = ([1_000_000] * 25, [999_000] * 25)
LARGE = ([10**6 + 17**2 * place for place in range(22)], [10**6 - 13 * place for place in range(21)])


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A reader, and the txid of each."""
    chain = MixedChain()
    txids = {
        "whirlpool": chain.add(*WHIRLPOOL),
        "joinmarket": chain.add(*JOINMARKET),
        "ordinary": chain.add(*ORDINARY, note=True),
        "equal": chain.add(*EQUAL),
        "large": chain.add(*LARGE),
    }
    with Reader(chain.write(tmp_path_factory.mktemp("mixed"))) as reader:
        yield reader, txids


def test_a_whirlpool_mix(case):
    reader, txids = case
    answer = linkability(reader, txids["whirlpool"])
    assert (answer.txid, answer.collaborative, answer.basis) == (txids["whirlpool"], "whirlpool", "inference")
    assert (answer.interpretations, answer.entropy_bits, answer.complete) == (1_496, 10.546894, True)
    assert (answer.reason, answer.deterministic, answer.deterministic_total) == ("", (), 0)
    assert [each.value_sat for each in answer.inputs] == WHIRLPOOL[0]
    assert [each.value_sat for each in answer.outputs] == WHIRLPOOL[1]
    assert answer.fee_sat == 27_000
    assert {(each.vin, each.vout) for each in answer.links} == {(i, o) for i in range(5) for o in range(5)}
    assert {Fraction(each.numerator, each.denominator) for each in answer.links} == {Fraction(512, 1_496)}
    assert [(each.value_sat, each.outputs, each.named_at_most) for each in answer.tiers] == [(5_000_000, 5, 0.2)]
    assert [(each.vin, each.reading, each.named_vout) for each in answer.candidates] == [
        (vin, "denomination", None) for vin in range(5)
    ]
    assert {(c.numerator, c.denominator) for each in answer.candidates for c in each.candidates} == {(1, 5)}
    assert [(rule.id, rule.version) for rule in answer.rules][:2] == [("linkability", 1), ("coinjoin.whirlpool", 1)]
    assert answer.snapshot.height == reader.height


def test_a_joinmarket_round(case):
    reader, txids = case
    answer = linkability(reader, txids["joinmarket"], max_cj_fee_sat=1_000)
    assert answer.interpretations == plain.count(*JOINMARKET, 1_000).interpretations
    assert {(each.vin, each.vout) for each in answer.deterministic} == {(0, 3), (1, 4), (2, 5)}
    assert answer.deterministic_complete
    change = {each.vin: each.named_vout for each in answer.candidates if each.reading == "change"}
    assert change == {0: 3, 1: 4, 2: 5}
    assert all(each.named_vout is None for each in answer.candidates if each.reading == "denomination")
    assert sum(each.sat for each in answer.candidates) == sum(JOINMARKET[0])
    one = linkability(reader, txids["joinmarket"], vins=[2])
    assert {each.vin for each in one.candidates} == {2}
    never = linkability(reader, txids["joinmarket"], link_p=1.0)
    assert {each.named_vout for each in never.candidates if each.reading == "change"} == {3, 4, 5}


def test_an_ordinary_transaction_has_links_and_no_candidates(case):
    reader, txids = case
    answer = linkability(reader, txids["ordinary"])
    truth = plain.count(*ORDINARY)
    assert answer.collaborative == "none"
    assert answer.interpretations == truth.interpretations == 2
    assert (answer.candidates, answer.tiers, answer.candidates_complete) == ((), (), True)
    assert len(answer.outputs) == 3  # the note is shown and linked with nothing
    for each in answer.links:
        assert Fraction(each.numerator, each.denominator) == Fraction(truth.ways[each.vin][each.vout], 2)
    assert [each.probability for each in answer.links] == sorted((e.probability for e in answer.links), reverse=True)


def test_numbers_beyond_two_to_the_53_are_text(case):
    reader, txids = case
    answer = linkability(reader, txids["equal"])
    assert isinstance(answer.interpretations, str)
    told = json.loads(json.dumps(asdict(answer)))
    assert int(told["interpretations"]) > 10**30
    share = Fraction(int(told["links"][0]["numerator"]), int(told["links"][0]["denominator"]))
    # By symmetry an input's expected part of 25 equal outputs is as large as an output's of 25 inputs.
    assert 1 / 25 < share < 1
    assert told["links"][0]["probability"] == pytest.approx(float(share))
    assert [exact(each) for each in (2**53, 2**53 + 1)] == [2**53, str(2**53 + 1)]


def test_lists_are_cut_and_say_so(case):
    reader, txids = case
    answer = linkability(reader, txids["equal"], most=7)
    assert (len(answer.links), answer.links_total) == (7, 625)
    assert len({each.vin for each in answer.candidates}) == 1
    assert not answer.candidates_complete
    joinmarket = linkability(reader, txids["joinmarket"], max_cj_fee_sat=1_000, most=2)
    assert (len(joinmarket.deterministic), joinmarket.deterministic_total) == (2, 3)


def test_what_is_not_computed_says_why(case):
    reader, txids = case
    answer = linkability(reader, txids["large"])
    assert (answer.interpretations, answer.entropy_bits, answer.links, answer.links_total) == (None, None, (), 0)
    assert answer.reason.startswith("not computed: 22 inputs of 22 values")
    assert not answer.deterministic_complete
    few = linkability(reader, txids["joinmarket"], max_cj_fee_sat=1_000, most_steps=3)
    assert few.reason == "not computed: more than 3 steps"
    assert {(each.vin, each.vout) for each in few.deterministic} <= {(0, 3), (1, 4), (2, 5)}


def test_every_transaction_of_the_ledger_has_an_answer(case):
    reader, _ = case
    kinds = set()
    for tx_index in range(reader.counts.transaction):
        answer = linkability(reader, txid_of(reader, tx_index))
        kinds.add(answer.collaborative)
        if reader.is_coinbase(tx_index):
            assert (answer.inputs, answer.interpretations, answer.links) == ((), 1, ())
        assert answer.complete == (answer.reason == "") == (answer.interpretations is not None)
    assert {"none", "whirlpool", "joinmarket"} <= kinds


def test_a_list_makes_a_transaction_collaborative_and_the_shape_says_how_to_read_it(tmp_path):
    chain = MixedChain()
    ordinary, whirlpool = chain.add([50_000, 20_000], [19_000, 49_500]), chain.add(*WHIRLPOOL)
    ledger = chain.write(tmp_path)
    file, signer = tmp_path / "mixes.txt", Minisigner()
    file.write_text(f"{ordinary}\n{whirlpool}\n")
    (tmp_path / "mixes.txt.minisig").write_text(signer.sign(file.read_bytes()))
    add_list(ledger, file, signer.public_key)
    with Reader(ledger) as reader:
        answers = [linkability(reader, txid) for txid in (ordinary, whirlpool)]
    assert {answer.collaborative for answer in answers} == {"listed"}
    assert [answer.candidates[0].reading for answer in answers] == ["capacity", "denomination"]
    assert all(Rule("coinjoin.listed", 1) in answer.rules for answer in answers)


def test_bad_questions_are_refused(case):
    reader, txids = case
    with pytest.raises(InputRefused):
        linkability(reader, "abc")
    with pytest.raises(NotFound):
        linkability(reader, "00" * 32)
    for options in (
        {"most": 0}, {"max_cj_fee_sat": -1}, {"vins": [5]}, {"vins": [-1]}, {"link_p": 0}, {"most_steps": -1},
    ):  # fmt: skip
        with pytest.raises(UsageError):
            linkability(reader, txids["whirlpool"], **options)
