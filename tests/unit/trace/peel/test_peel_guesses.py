"""One batch is enough: what a chain passes was guessed from where it began."""

import pytest
from level_cases import economy_ledger
from peel_cases import straight

from cointrail.ledger.reader import Reader
from cointrail.trace.peel.back import follow_back
from cointrail.trace.peel.follow import follow
from cointrail.trace.peel.look import Lookout
from cointrail.trace.peel.question import NOBODY, PeelLimits, Undecided

FEW = 20
FAR = PeelLimits(hops=FEW, min_sat=0, outputs=None, cluster=None)


@pytest.fixture(scope="module")
def economy(tmp_path_factory):
    with Reader(economy_ledger(tmp_path_factory.mktemp("guesses"))) as reader:
        yield reader


@pytest.mark.parametrize("undecided", [Undecided.STOP, Undecided.LARGER])
@pytest.mark.parametrize("ahead", [True, False])
def test_the_first_batch_holds_what_a_chain_passes(economy, undecided, ahead):
    larger = undecided is Undecided.LARGER
    spent = economy.spenders(range(economy.counts.output)) >= 0
    longest = 0
    for seed in range(1, economy.counts.output, 3):
        if ahead and not spent[seed]:
            continue
        lookout = Lookout(economy, NOBODY, most_outputs=None, to_larger=larger, ahead=ahead)
        lookout.look_from([seed], [FEW + 1])
        chain = (follow if ahead else follow_back)(economy, seed, FAR, undecided=undecided)
        assert all(step.tx_index in lookout for step in chain.steps)
        longest = max(longest, len(chain.steps))
    assert longest >= 4


def test_several_starts_share_a_batch(economy):
    spent = [output for output in range(1, 1_200) if economy.spenders([output])[0] >= 0][:6]
    lookout = Lookout(economy, NOBODY, most_outputs=None, to_larger=False, ahead=True)
    lookout.look_from(spent, [1] * len(spent))
    assert all(coin.spender in lookout for coin in lookout.coins(spent))


def test_a_transaction_of_many_outputs_is_not_guessed_through(open_ledger, row):
    stage, first = straight(3)
    reader = open_ledger(stage.chain)
    spenders = {}
    for most in (1, 2):
        lookout = Lookout(reader, NOBODY, most_outputs=most, to_larger=True, ahead=True)
        lookout.look_from([row(reader, first)], [9])
        chain = follow(reader, row(reader, first), undecided=Undecided.LARGER)
        spenders[most] = [step.tx_index in lookout for step in chain.steps]
    assert spenders == {1: [True, False, False, False], 2: [True] * 4}
