"""Saved traces that are not what they seem: refused, or followed without harm, never a crash."""

import json

import numpy as np
import pytest
from trace_cases import BTC, created, pays

from cointrail.errors import InputRefused, SnapshotGone, UsageError
from cointrail.trace.flow import Direction
from cointrail.trace.limits import Limits
from cointrail.trace.policy import FIFO, HAIRCUT
from cointrail.trace.saved import height_of, load, save
from cointrail.trace.seeds import Seeds
from cointrail.trace.walk import Walk, asked


@pytest.fixture
def kept(chain, coinbases, open_ledger, output_of, tmp_path):
    """A reader, and the file of a trace that has one transaction behind it."""
    tx = chain.spend(chain.spendable()[:1], pays(20 * BTC, 30 * BTC))
    onward = [chain.spend([created(tx, vout)], pays(tx.outputs[vout].value_sat)) for vout in (0, 1)]
    chain.mine([tx, *onward])
    reader = open_ledger(chain)
    seeds = Seeds.of([output_of(reader, coinbases[0], 0)])
    walks = [
        Walk(reader, seeds, asked(policy, Direction.FORWARD, Limits(transactions=1))) for policy in (FIFO, HAIRCUT)
    ]
    for walk in walks:
        assert not walk.run()
    path = tmp_path / "kept.npz"
    save(path, walks, {"why": "test"})
    return reader, path


def rewrite(path, **changes):
    with path.open("rb") as opened, np.load(opened) as file:
        arrays = {name: file[name] for name in file.files}
    arrays |= changes
    with path.open("wb") as file:
        np.savez(file, **arrays)


def header_with(path, **changes):
    with path.open("rb") as opened, np.load(opened) as file:
        header = json.loads(bytes(file["header"])) | changes
    return np.frombuffer(json.dumps(header).encode(), np.uint8)


def test_it_knows_its_height_and_its_note(kept):
    reader, path = kept
    assert height_of(path) == reader.height
    walks, note = load(path, reader, Limits())
    assert note == {"why": "test"}
    assert [walk.asked.policy for walk in walks] == [FIFO, HAIRCUT]
    assert all(walk.run() and walk.finish().conserved for walk in walks)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"network": "bitcoin"}, SnapshotGone),
        ({"digest": "00"}, SnapshotGone),
        ({"clusters": []}, SnapshotGone),
        ({"format": "cointrail trace 1"}, InputRefused),
        ({"policies": ["fifo", "nonsense"]}, UsageError),
        ({"direction": "sideways"}, InputRefused),
    ],
    ids=str,
)
def test_another_ledger_or_another_program_is_told(kept, changes, error):
    reader, path = kept
    rewrite(path, header=header_with(path, **changes))
    with pytest.raises(error):
        load(path, reader, Limits())


@pytest.mark.parametrize("name", ["output", "sat", "next_step", "first_piece", "label", "offset", "length", "tx"])
@pytest.mark.parametrize("value", [-1, 1 << 31, "short"])
def test_rows_that_lead_elsewhere_do_no_harm(kept, name, value):
    """Either they are refused, or what comes out still ends."""
    reader, path = kept
    with path.open("rb") as opened, np.load(opened) as file:
        cells = file[f"0.{name}"].copy()
    if value == "short":
        cells = cells[:-1]
    else:
        with np.errstate(over="ignore"):
            cells[-1] = np.array(value).astype(cells.dtype)
    rewrite(path, **{f"0.{name}": cells})
    try:
        walks, _ = load(path, reader, Limits())
    except InputRefused:
        return
    for walk in walks:
        assert walk.run()
        walk.finish()


def test_what_is_no_file_is_refused(kept, tmp_path):
    reader, _ = kept
    (tmp_path / "text").write_text("nothing")
    for each in (tmp_path, tmp_path / "text", tmp_path / "absent"):
        with pytest.raises(InputRefused, match="is no saved trace"):
            load(each, reader, Limits())
        with pytest.raises(InputRefused, match="is no saved trace"):
            height_of(each)
