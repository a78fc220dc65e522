"""Criterion 1 as it is played: from one receipt to the market's cluster, with the investigator's inputs alone."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from cointrail.attribution.claims import Stated
from cointrail.attribution.tag import Statement
from cointrail.bitcoin.hashes import display
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.service.acceptance.market import follow_purchases, packs, write_market, wrong_merge
from cointrail.service.acceptance.purchases import read_purchases
from cointrail.service.clustering.tagged import Tags
from cointrail.service.clusters import cluster
from cointrail.service.names import find_script
from cointrail.service.tracing.services import services_from


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def reader(bazaar):
    with Reader(bazaar.ledger) as opened:
        yield opened


@pytest.fixture
def inputs(bazaar, tmp_path):
    """A world of inputs and nothing else, so that no truth can be read."""
    folder = tmp_path / "inputs"
    (folder / "tags").mkdir(parents=True)
    for name in ("undercover.csv", "tags/services.yaml", "tags/webcrawl.yaml"):
        (folder / name).write_bytes((bazaar.world / "inputs" / name).read_bytes())
    return folder


def played(reader, inputs, folder):
    folder.mkdir()
    write_market(reader, follow_purchases(reader, inputs, packs(reader, inputs)), folder)
    return read(folder / "merges.csv"), read(folder / "cluster.csv")


def test_the_inputs_alone_give_the_same_files(bazaar, reader, inputs, tmp_path):
    played(reader, inputs, tmp_path / "results")
    for name in ("merges.csv", "cluster.csv"):
        assert (tmp_path / "results" / name).read_bytes() == (bazaar.results / name).read_bytes()


def test_receipts_name_what_was_paid(bazaar, reader, inputs):
    """Compared with the truth: the market's script and not the agency's change."""
    truth = {(row["txid"], row["vout"]): row
             for row in read(bazaar.world / "truth" / "payments.csv")}  # fmt: skip
    for purchase, row in zip(read_purchases(reader, inputs / "undercover.csv"), read(inputs / "undercover.csv"),
                             strict=True):  # fmt: skip
        internal = display(bytes.fromhex(row["txid"]))
        assert truth[internal, row["vout"]]["value_sat"] == row["value_sat"]
        assert purchase.number == int(row["purchase_no"])


def test_the_pack_of_those_who_know_is_taken(reader, inputs):
    """The crawler's second name for LuckyDice is read, and decides nothing."""
    tags = packs(reader, inputs)
    heard = Tags.of(reader, tags)
    assert heard.actors == (
        "alpha", "beta", "evenodds", "fog", "gamma", "heron", "luckydice", "quill", "redblack",
    )  # fmt: skip
    (decoy,) = heard.script_id[heard.actor == heard.actors.index("luckydice")].tolist()
    assert sorted(each.name for _, each in tags.on(np.array([decoy]))) == ["LuckyDice Market", "luckydice"]


def test_two_sure_names_for_one_address_are_both_heard(reader, inputs):
    pack = inputs / "tags" / "services.yaml"
    (inputs / "tags" / "webcrawl.yaml").write_text(pack.read_text().replace("actor: alpha", "actor: omega"))
    services, used = services_from(reader, packs(reader, inputs))
    assert "alpha or omega" in services.names
    assert used.mixed == 1


def test_a_case_without_packs_is_refused(reader, inputs):
    for path in (inputs / "tags").glob("*.yaml"):
        path.unlink()
    with pytest.raises(InputRefused, match="no tag pack"):
        packs(reader, inputs)


def test_without_tags_of_the_merchant_nothing_is_excluded(reader, inputs, tmp_path):
    """The exclusion rests on the tags: take the one away and the wrong merge stays in the cluster."""
    pack = inputs / "tags" / "services.yaml"
    before, tags = pack.read_text().split("tags:\n")
    kept = [tag for tag in tags.split("- address")[1:] if "heron" not in tag]
    pack.write_text(before + "tags:\n" + "".join(f"- address{tag}" for tag in kept))
    _, whole = played(reader, inputs, tmp_path / "whole")
    assert {row["excluded"] for row in read(tmp_path / "whole" / "merges.csv")} == {"false"}
    for purchase in read_purchases(reader, inputs / "undercover.csv"):
        for level in ("L1", "L2"):
            size = cluster(reader, purchase.paid, level=level).size
            found = [row for row in whole if (row["purchase_no"], row["level"]) == (str(purchase.number), level)]
            assert len(found) == size


def test_each_purchase_is_followed_by_itself(bazaar, reader, inputs, tmp_path):
    """One receipt gives the rows that it gives among three."""
    path = inputs / "undercover.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[2])
    merges, members = played(reader, inputs, tmp_path / "one")
    for rows, name in ((merges, "merges.csv"), (members, "cluster.csv")):
        assert rows == [row for row in read(bazaar.results / name) if row["purchase_no"] == "2"]


def test_a_payment_that_the_ledger_lacks_is_left_out(bazaar, inputs):
    heights = [int(row["height"]) for row in read(bazaar.world / "truth" / "transactions.csv")
               if row["label"].startswith("undercover-")]  # fmt: skip
    with Reader(bazaar.ledger, sorted(heights)[1]) as early:
        assert [each.number for each in read_purchases(early, inputs / "undercover.csv")] == [1, 2]


@pytest.fixture
def ranking(reader, inputs):
    purchase = read_purchases(reader, inputs / "undercover.csv")[0]
    paid = Stated(Statement("market", "a receipt", "manual_transaction"), "receipts")
    known = packs(reader, inputs).with_tag(find_script(reader, purchase.paid), paid)
    return cluster(reader, purchase.paid, show=("suspicious",), limit=20, tagged=known).suspicious


@pytest.mark.parametrize(
    ("actors", "taken"),
    [
        ((("market",), ("heron",)), True),
        (((), ("heron",), ("market",)), True),
        ((("market",), ()), False),
        ((("market", "heron"), ()), False),
        ((("market", "heron"), ("fog",)), False),
        ((("market",), ("market", "heron")), False),
        ((("heron",), ("fog",)), False),
        ((), False),
    ],
)
def test_a_merge_is_wrong_only_if_it_parts_the_market_from_somebody(ranking, actors, taken):
    shown = replace(ranking[0], actors=actors)
    assert wrong_merge([shown], "market") == (shown if taken else None)
    assert wrong_merge([replace(shown, txid=None)], "market") is None


def test_the_first_of_them_is_taken(ranking):
    parts = (("market",), ("heron",))
    rows = [replace(ranking[0], rank=rank, actors=parts if rank > 1 else ()) for rank in (1, 2, 3)]
    assert wrong_merge(rows, "market") is rows[1]
