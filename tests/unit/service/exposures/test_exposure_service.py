"""Exposure in names people use: a town whose every satoshi is worked out by hand."""

import csv

import pytest
from exposure_town import FEE, ExposureTown
from finder_cases import BTC

from cointrail.bitcoin.hashes import display
from cointrail.errors import InputRefused, NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import LIMITS
from cointrail.service.exposures.exposure import Wanted, exposure
from cointrail.service.exposures.list_file import COLUMNS, write_ways


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return ExposureTown(tmp_path_factory.mktemp("exposure"))


@pytest.fixture
def reader(town):
    with Reader(town.ledger) as opened:
        yield opened


@pytest.fixture
def answer(town, reader):
    return exposure(reader, town.address["market"], services=town.tags())


def outpoint(coin):
    return f"{display(coin.txid)}:{coin.vout}"


def entities(side):
    return {each.attributed.service: each for category in side.categories for each in category.entities}


def test_what_was_received(town, answer):
    side = answer.received
    assert (side.gross_sat, side.change_sat, side.seed_sat) == (9 * BTC, 3 * BTC, 12 * BTC)
    assert [(each.category, each.total.value_sat) for each in side.categories] == [
        ("sanction", 6 * BTC),
        ("exchange", 3 * BTC),
    ]
    assert side.rest_sat == {}
    evil = entities(side)["Evil"]
    assert (evil.direct.value_sat, evil.indirect.value_sat) == (2 * BTC, 4 * BTC)
    assert (evil.direct_whole_sat, evil.total.share_ppm) == (2 * BTC, 666_666)
    assert (evil.total.hops_min, evil.total.hops_median, evil.indirect.hops_min) == (1, 2, 2)
    txids = [display(town.through[0].txid), display(town.late[0].txid)]
    assert [(way.sat, list(way.txids)) for way in evil.ways] == [
        (4 * BTC, txids),
        (2 * BTC, [display(town.early[0].txid)]),
    ]
    assert [(each.output, each.sat) for each in evil.contributions] == [
        (outpoint(town.through[0]), 4 * BTC),
        (outpoint(town.early[0]), 2 * BTC),
    ]
    assert evil.attributed.statement == "attributed to Evil by tags.csv"


def test_what_was_sent(town, answer):
    side = answer.sent
    assert (side.gross_sat, side.change_sat, side.seed_sat) == (2 * BTC, 3 * BTC, 5 * BTC)
    evil, beta = entities(side)["Evil"], entities(side)["Beta"]
    assert (evil.direct.value_sat, evil.indirect.value_sat) == (1 * BTC, 0)
    assert (beta.direct.value_sat, beta.indirect.value_sat, beta.total.hops_min) == (0, 1 * BTC - FEE, 2)
    assert side.rest_sat == {"fee": FEE}
    assert sum(each.total.value_sat for each in side.categories) + FEE == side.gross_sat
    assert {way.service_output for way in beta.ways} == {outpoint(town.cashed[0])}
    assert sum(each.sat for each in beta.contributions) == 1 * BTC - FEE
    assert {each.output for each in beta.contributions} == {outpoint(town.from_alpha[0]), outpoint(town.early[0])}


def test_bounds_say_that_no_convention_is_needed(answer):
    """Every satoshi of evil's direct payment to the market is evil's, whatever the convention."""
    found = {each.category: each.bounds for each in answer.received.categories}
    assert all(each.computed for each in found.values())
    assert (found["sanction"].lower_sat, found["sanction"].upper_sat) == (6 * BTC, 6 * BTC)
    assert (found["exchange"].lower_sat, found["exchange"].of_sat) == (3 * BTC, 3 * BTC)


def test_before_and_after_the_listing(town, answer):
    received, sent = answer.sanctions
    assert (received.side, received.listing.since_utc) == ("received", town.listed_utc)
    assert (received.listing.before_sat, received.listing.after_sat) == (2 * BTC, 4 * BTC)
    assert received.listing.own_after_sat == 4 * BTC
    assert (sent.listing.before_sat, sent.listing.after_sat, sent.direct_sat) == (0, 1 * BTC, 1 * BTC)
    assert received.statement == (
        f"sanctioned since {town.listed_utc}, as tags.csv says: {2 * BTC:,} satoshis before, {4 * BTC:,} satoshis after"
    )
    assert "no hit is no clearance" in answer.statement


def test_an_unknown_date_is_said(town, reader):
    found = exposure(reader, town.address["market"], services=town.tags("undated.csv", since=False))
    for each in found.sanctions:
        assert (each.listing.since_utc, each.listing.before_sat, each.listing.after_sat) == (None, None, None)
        assert "no tag says since when" in each.statement


def pack(town, name, confidence, *tags):
    """A TagPack: of each tag what is tagged, whose it is, the category, and further lines."""
    lines = [f"title: {name}", "creator: somebody", f"source: https://{name}.invalid", f"confidence: {confidence}"]
    lines += ["currency: BTC", "tags:"]
    for key, actor, category, *more in tags:
        lines += [f"- address: {town.address[key]}", f"  label: {actor}", f"  actor: {actor}"]
        lines += [f"  category: {category}", *(f"  {line}" for line in more)]
    path = town.folder / f"{name}.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


LISTING = "evil", "Evil", "Sanctions", "valid_from: 2011-01-01"


def test_a_stronger_tag_hides_no_sanction(town, reader):
    """An authority's word, and somebody surer of another thing, of the same actor and of one by another name."""
    authority = pack(town, "authority", "authority_data", LISTING)
    before = exposure(reader, town.address["market"], services=[authority])
    for actor in ("Evil", "Other"):
        surer = pack(town, "surer", "forensic_investigation", ("evil", actor, "exchange", "valid_from: 2009-01-01"))
        found = exposure(reader, town.address["market"], services=[authority, surer])
        assert [each.side for each in found.sanctions] == ["received", "sent"]
        assert [each.value_sat for each in found.sanctions] == [each.value_sat for each in before.sanctions]
        for each, alone in zip(found.sanctions, before.sanctions, strict=True):
            assert each.listing.since_utc == "2011-01-01T00:00:00Z"
            assert "authority.invalid" in each.listing.by
            assert each.listing == alone.listing


def test_a_listing_that_ended_is_told_apart(town, reader):
    over = pack(town, "over", "authority_data", (*LISTING, "valid_to: 2011-01-15"))
    received, _ = exposure(reader, town.address["market"], services=[over]).sanctions
    assert (received.listing.after_sat, received.listing.ended_sat) == (0, 6 * BTC)
    assert received.listing.until_utc == "2011-01-15T00:00:00Z"
    again = pack(town, "again", "authority_data", LISTING)
    received, _ = exposure(reader, town.address["market"], services=[over, again]).sanctions
    assert (received.listing.until_utc, received.listing.after_sat) == (None, 6 * BTC)


def test_a_date_beyond_all_dates_is_refused(town, reader):
    odd = pack(town, "odd", "authority_data", ("evil", "Evil", "sanction", "valid_from: '0001-01-01T00:00:00+14:00'"))
    with pytest.raises(InputRefused, match="valid_from"):
        exposure(reader, town.address["market"], services=[odd])


def test_as_of_an_earlier_height_and_within_fewer_hops(town):
    with Reader(town.ledger, town.before) as reader:
        found = exposure(reader, town.address["market"], services=town.tags())
        assert found.received.gross_sat == 5 * BTC
        assert entities(found.received)["Evil"].total.value_sat == 2 * BTC
        assert (found.sent.gross_sat, found.sent.categories, found.sent.outputs) == (0, (), 0)
    with Reader(town.ledger) as reader:
        from dataclasses import replace

        near = exposure(reader, town.address["market"], services=town.tags(), limits=replace(LIMITS, hops=1))
        assert entities(near.received)["Evil"].total.value_sat == 2 * BTC
        assert near.received.rest_sat == {"hop limit": 4 * BTC}


def test_without_tags_nobody_is_named(town, reader):
    found = exposure(reader, town.address["market"])
    assert found.tags is None
    assert found.received.categories == found.sent.categories == ()
    assert sum(found.sent.rest_sat.values()) == found.sent.gross_sat
    assert found.received.rest_sat == {"coinbase": 9 * BTC}


def test_the_wallet_itself_is_not_its_exposure(town, reader):
    found = exposure(reader, town.address["evil"], services=town.tags())
    assert {*entities(found.received), *entities(found.sent)} == {"=Alpha", "Beta"}


def test_ways_are_pages(town, reader):
    whole = exposure(reader, town.address["market"], services=town.tags())
    evil = entities(whole.received)["Evil"]
    pages = [
        exposure(reader, town.address["market"], services=town.tags(), wanted=Wanted(at, 1, bounds=False))
        for at in range(3)
    ]
    listed = [way for page in pages for way in entities(page.received)["Evil"].ways]
    assert tuple(listed) == evil.ways
    assert {entities(page.received)["Evil"].ways_total for page in pages} == {2}


def test_the_file_sums_to_the_gross(town, answer, tmp_path):
    path = tmp_path / "ways.csv"
    write_ways(answer, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [column.name for column in COLUMNS]
    for side in (answer.received, answer.sent):
        assert sum(int(row["sat"]) for row in rows if row["side"] == side.side) == side.gross_sat
    assert "'=Alpha" in {row["entity"] for row in rows}, "shielded from spreadsheets"
    assert {row["basis"] for row in rows if row["kind"] == "way"} == {
        f"inference resting on an assertion: attributed to {name} by tags.csv" for name in ("=Alpha", "Beta", "Evil")
    }
    with pytest.raises(UsageError, match="exists"):
        write_ways(answer, path)


def test_what_is_refused(town, reader, tmp_path):
    with pytest.raises(InputRefused):
        exposure(reader, "nobody")
    with pytest.raises(NotFound):
        exposure(reader, "script:51ff")
    with pytest.raises(UsageError, match="overlay"):
        exposure(reader, town.address["market"], overlay=tmp_path / "none.json")
