"""Where the program that made a transaction went on: next and previous steps by fingerprint."""

import pytest
from change_cases import Shape, Stage, signature
from regtest import Form

from cointrail.cluster.fingerprint import SMALLEST_PEEL_SAT, continuation, origin

MINE, OTHERS = Shape(version=1, sequence=0xFFFFFFFE), Shape(version=2)


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def steps(stage, open_ledger):
    """A function from a txid to the vout that leads on, the place of the input that leads back, and the reasons."""
    opened = []

    def ask(txid):
        reader = opened[0] if opened else opened.append(open_ledger(stage.mine())) or opened[0]
        (tx_index,) = reader.find_transactions(txid)
        forth, back = continuation(reader, tx_index), origin(reader, tx_index)
        inputs = reader.inputs_of(tx_index)
        spent = reader.column("input", "output")[inputs.start : inputs.stop].tolist()
        vout = None if forth.output == -1 else forth.output - reader.outputs_of(tx_index).start
        return vout, None if back.output == -1 else spent.index(back.output), forth.reason, back.reason

    return ask


def test_a_peel_chain_is_followed_in_both_directions(stage, steps):
    outputs = stage.spend(stage.coin(3_000_000), MINE)
    chain = [stage.made[-1].txid]
    for _ in range(4):
        peel, rest = outputs
        stage.spend(peel, OTHERS)
        outputs = stage.spend(rest, MINE)
        chain.append(stage.made[-1].txid)
    assert [steps(txid)[0] for txid in chain] == [1, 1, 1, 1, None]
    assert [steps(txid)[1] for txid in chain[1:]] == [0, 0, 0, 0]
    assert "no output is spent" in steps(chain[-1])[2]


@pytest.mark.parametrize(
    ("spenders", "vout"),
    [
        ((MINE, OTHERS), 0),
        ((MINE, None), 0),
        ((MINE, MINE), None),
        ((OTHERS, OTHERS), None),
        ((Shape(version=1, sequence=0xFFFFFFFE, lock_time=3), MINE), 1),
        ((Shape(version=1, sequence=0xFFFFFFFD), MINE), 1),
    ],
)
def test_exactly_one_spender_of_the_same_form(stage, steps, spenders, vout):
    txid = stage.payment(MINE, *spenders)
    assert steps(txid)[0] == vout


def test_what_signatures_do_not_show_contradicts_nothing(stage, steps):
    high = Shape(items=(signature(low_r=False), b""))
    low = Shape(items=(signature(), b""), others=(50_000, 60_000))
    assert steps(stage.payment(high, low, Shape()))[0] == 1


def test_the_output_must_be_of_a_type_that_the_transaction_spends(stage, steps):
    coin = stage.coin(100_000)
    outputs = stage.send([coin], [(40_000, stage.lock(Form.P2TR)), (30_000, stage.lock())])
    txid = stage.made[-1].txid
    stage.spend(outputs[0], Shape())
    stage.spend(outputs[1], Shape())
    assert steps(txid)[0] == 1


@pytest.mark.parametrize(("value", "vout"), [(SMALLEST_PEEL_SAT, 1), (SMALLEST_PEEL_SAT - 1, None)])
def test_dust_is_no_peel(stage, steps, value, vout):
    outputs = stage.send([stage.coin(100_000)], [(value, stage.lock()), (90_000, stage.lock())])
    txid = stage.made[-1].txid
    stage.spend(outputs[1], Shape())
    assert steps(txid)[0] == vout


def test_a_coinbase_has_no_origin(stage, steps, open_ledger):
    stage.coin(1_000)
    reader = open_ledger(stage.mine())
    assert origin(reader, 1).output == -1
    assert "coinbase" in origin(reader, 1).reason
