"""Levels above L1 through the Python API: ways, what is held, models as leads, and model files from anybody."""

import contextlib
import io
import json
import os
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from level_cases import by_amount, economy_ledger, joined, voted_pairs

import cointrail
from cointrail.cluster.change.rules import BY_ID
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.learned import model as models
from cointrail.cluster.learned.edges import model_edges
from cointrail.cluster.learned.model import load
from cointrail.cluster.level.view import build
from cointrail.errors import InputRefused, Unavailable, UsageError
from cointrail.service import proofs
from cointrail.service.names import name_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return economy_ledger(tmp_path_factory.mktemp("levels"))


@pytest.fixture
def ledger(folder):
    with cointrail.open(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return by_amount().save(tmp_path_factory.mktemp("models"))


def apart(ledger, count):
    """Names of voted pairs that are not together at L1."""
    forest = Forest(ledger.reader)
    pairs = [(a, b) for a, b in voted_pairs(ledger.reader) if forest.root(a) != forest.root(b)]
    return [(name_of(ledger.reader, a), name_of(ledger.reader, b)) for a, b in pairs[:: max(1, len(pairs) // count)]]


def test_a_named_change_is_a_step_with_all_that_names_it(ledger):
    for one, two in apart(ledger, 15):
        assert not ledger.explain(one, two).linked
        answer = ledger.explain(one, two, level="L2", raw=True, check=True)
        assert (answer.linked, answer.level, answer.basis, answer.model) == (True, "L2", "inference", None)
        assert answer.guards == ledger.held().guards
        assert {("change_vote", 1), ("collapse_guard", 1)} <= {(rule.id, rule.version) for rule in answer.rules}
        named = [step for step in answer.steps if step.change]
        assert named
        for step in named:
            assert (step.rule, step.version, step.basis) == ("change_vote", 1, "inference")
            assert len(step.change.votes) >= 2
            assert all(BY_ID[rule].family == each.family for each in step.change.votes for rule in each.rules)
            assert (step.change.probability, step.change.model) == (None, None)
            assert step.height <= step.change.decided_at.height <= answer.snapshot.height
            about = ledger.transaction(step.txid)
            assert step.change.decided_by in {each.spender.txid for each in about.outputs if each.spender}
        assert answer.check.valid
        assert (answer.check.inferences, answer.check.steps) == (len(named), len(answer.steps) - len(named))
        assert all(any(step.txid in each for each in answer.check.not_checked) for step in named)
        json.dumps(asdict(answer))


def test_level_one_knows_nothing_of_it(ledger):
    one, two = apart(ledger, 1)[0]
    answer = ledger.explain(one, two)
    assert (answer.guards, answer.model, answer.held) == ({}, None, ())
    assert not {"change_vote", "collapse_guard"} & {rule.id for rule in answer.rules}


def test_without_a_model_the_third_level_is_the_second_and_says_so(ledger):
    one, two = apart(ledger, 1)[0]
    second, third = (ledger.explain(one, two, level=level) for level in ("L2", "L3"))
    assert replace(third, level="L2", note=second.note) == second
    assert third.note == "no change model was given, so L3 shows what L2 shows"
    assert ledger.cluster(one, level="L3").members == ledger.cluster(one, level="L2").members
    assert ledger.cluster(one, level="L3").note == ledger.held(level="L3").note == third.note
    assert ledger.cluster(one, level="L2").note == ledger.cluster(one).note == ""


def test_a_model_gives_leads_under_its_name(ledger, model):
    reader = ledger.reader
    forest = Forest(reader)
    leads = model_edges(reader, forest, load(model))
    assert len(leads) > 50
    seen = 0
    for script in leads.script_b[::10].tolist():
        name = name_of(reader, script)
        answer = ledger.cluster(name, level="L3", model=model)
        assert (answer.model.sha256, answer.model.tau) == (model.stem, 0.8)
        assert set(ledger.cluster(name, level="L2").members) <= set(answer.members)
        assert ("change_model", 1) in {(rule.id, rule.version) for rule in answer.rules}
        assert "leads" in answer.note
        for other in answer.members[:: max(1, len(answer.members) // 5)]:
            found = ledger.explain(name, other, level="L3", model=model, raw=True, check=True)
            assert found.linked
            assert found.model == answer.model
            assert found.check.valid, found.check.faults
            for step in found.steps:
                if step.rule == "change_model":
                    assert (step.change.model, step.change.votes) == (model.stem, ())
                    assert 0.8 <= step.change.probability <= 0.9
                    seen += 1
    assert seen


def test_members_and_only_they_are_explained_with_a_model(ledger, model):
    """Against plain sets over L1 and everything that is not held."""
    reader = ledger.reader
    forest = Forest(reader)
    leads = model_edges(reader, forest, load(model))
    held = {(each.txid, each.rule) for each in ledger.held(level="L3", model=model).held}
    names = [bytes(each)[::-1].hex() for each in reader.column("transaction", "txid")]
    pairs = voted_pairs(reader)
    rows = zip(leads.tx_index.tolist(), leads.script_a.tolist(), leads.script_b.tolist(), strict=True)
    pairs += [(a, b) for tx_index, a, b in rows if (names[tx_index], "change_model") not in held]
    assert not {each for each in held if each[1] == "change_vote"}
    cluster = joined(forest, pairs)
    random = np.random.default_rng(5)
    for one, two in random.integers(0, len(cluster), (60, 2)).tolist():
        answer = ledger.explain(name_of(reader, one), name_of(reader, two), level="L3", model=model)
        assert answer.linked == (cluster[one] == cluster[two])


def test_what_is_held_between_two_is_said(ledger, model):
    """A payee's guard: pairs of held leads whose sides nothing else joined."""
    rows = [each for each in ledger.held(level="L3", model=model).held if not each.joined_otherwise]
    assert rows
    for row in rows[:10]:
        answer = ledger.explain(row.cluster_a, row.cluster_b, level="L3", model=model, check=True)
        assert (answer.linked, answer.document, answer.check) == (False, None, None)
        (held,) = answer.held
        assert (held.rule, held.reason) == (row.rule, row.reason)
        assert "would be linked if guards did not hold 1 inference(s)" in answer.note
        assert "that is no proof that others control them" in answer.note
        alone = ledger.explain(row.cluster_a, row.cluster_b, level="L2")
        assert (alone.linked, alone.held) == (False, ())


def test_the_past_takes_no_lead_from_later(folder, tmp_path, model):
    cut = economy_ledger(tmp_path, 420)
    with cointrail.open(folder, 420) as now, cointrail.open(cut) as then:
        views = [
            build(forest, "L3", model_edges(each.reader, forest, load(model)))
            for each in (now, then)
            for forest in [Forest(each.reader)]
        ]
        assert views[0].partition().tolist() == views[1].partition().tolist()
        for one, two in apart(then, 6):
            mine, theirs = (each.explain(one, two, level="L3", model=model) for each in (now, then))
            assert (mine.steps, mine.held, mine.note) == (theirs.steps, theirs.held, theirs.note)


def test_a_model_belongs_to_the_third_level(ledger, model):
    one, two = apart(ledger, 1)[0]
    for ask in (
        lambda level: ledger.explain(one, two, level=level, model=model),
        lambda level: ledger.cluster(one, level=level, model=model),
    ):
        for level in ("L1", "L2"):
            with pytest.raises(UsageError, match="takes no model"):
                ask(level)
    with pytest.raises(UsageError, match="takes no model"):
        ledger.held(level="L2", model=model)
    with pytest.raises(UsageError, match="no level L4"):
        proofs.explain(ledger.reader, one, two, level="L4")


# Files from anybody.


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def saved(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


def test_a_sound_model_is_read(model):
    assert load(model).digest == model.stem


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("leaf", np.array([0.5, np.nan, 0.9]), "between 0 and 1"),
        ("leaf", np.array([0.5, 0.1, 9.0]), "between 0 and 1"),
        ("probability", np.array([-1.0, 0.5]), "between 0 and 1"),
        ("score", np.array([0.1, np.inf]), "between 0 and 1"),
        ("threshold", np.array([np.nan, 0, 0]), "no numbers"),
        ("roots", np.zeros((1, 1), np.int32), "no plain columns"),
        ("roots", np.zeros(models.MOST_TREES + 1, np.int32), "trees"),
        ("roots", np.array(["a"]), "invalid literal"),
        ("head", np.frombuffer(b"[" * 100_000, np.uint8), "is no change model"),
        ("head", np.frombuffer(b'{"tau": "x"}', np.uint8), "is no change model"),
        ("head", np.frombuffer(b"5", np.uint8), "is no change model"),
    ],
)
def test_models_that_make_no_sense_are_refused(model, tmp_path, name, value, words):
    with pytest.raises(InputRefused, match=words):
        load(saved(tmp_path / "bad.npz", arrays_of(model) | {name: value}))


@pytest.mark.parametrize("tau", [0.0, -1.0, float("nan"), float("inf")])
def test_a_threshold_that_names_everything_is_refused(tmp_path, tau):
    with pytest.raises(InputRefused, match="thresholds"):
        load(replace(by_amount(), tau=tau).save(tmp_path))


def test_trees_without_end_are_refused(tmp_path):
    nodes = np.arange(200, dtype=np.int32)
    onward = np.minimum(nodes + 1, 199).astype(np.int32)
    deep = replace(
        by_amount(),
        split=np.zeros(200, np.int16),
        threshold=np.zeros(200),
        left=onward,
        right=onward,
        leaf=np.full(200, 0.5),
    )
    with pytest.raises(InputRefused, match="more than 64 steps deep"):
        load(deep.save(tmp_path))


def test_what_would_fill_the_memory_is_refused(model, tmp_path, monkeypatch):
    claimed = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)}
    np.lib.format.write_array_header_1_0(claimed, header)
    with zipfile.ZipFile(tmp_path / "claim.npz", "w") as packed:
        for name, array in arrays_of(model).items():
            memory = io.BytesIO()
            np.save(memory, array)
            packed.writestr(f"{name}.npy", claimed.getvalue() if name == "leaf" else memory.getvalue())
    with pytest.raises(InputRefused, match="is no change model"):
        load(tmp_path / "claim.npz")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("head.npy", bytes(models.MOST_UNPACKED + 1))
    with pytest.raises(InputRefused, match="its arrays have more than"):
        load(tmp_path / "bomb.npz")
    monkeypatch.setattr(models, "MOST_BYTES", 100)
    with pytest.raises(InputRefused, match="more than 100 bytes"):
        load(model)


def test_any_damaged_byte_is_refused_in_words(model, tmp_path):
    """Under its own name a file must have its digest; under another it is sound or refused, never a crash."""
    whole, random, path = model.read_bytes(), np.random.default_rng(3), tmp_path / "other.npz"
    for _ in range(300):
        raw = bytearray(whole)
        raw[int(random.integers(len(raw)))] ^= 1 << int(random.integers(8))
        path.write_bytes(raw[: int(random.integers(len(raw)))] if random.random() < 0.2 else raw)
        with contextlib.suppress(InputRefused):
            load(path)


def test_no_file_a_folder_a_device_and_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(Unavailable, match="no such file"):
        load(tmp_path / "nothing.npz")
    for path in (tmp_path, Path("/dev/zero"), tmp_path / "pipe.npz"):
        with pytest.raises(InputRefused, match="is no regular file"):
            load(path)
