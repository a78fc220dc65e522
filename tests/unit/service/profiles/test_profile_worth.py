"""Money in profiles and rankings is what raw blocks say, each amount by the close of its own block's day."""

import csv
from random import Random

import pytest
from plain_profile import moved
from plain_worth import PlainWorth, told
from profile_questions import filters, wallets

import cointrail
from cointrail.errors import NotFound
from cointrail.ledger.reader import Reader
from cointrail.service.names import name_of
from cointrail.service.prices.beside import beside
from cointrail.service.prices.imports import import_prices
from cointrail.service.profiles.asked import Asked
from cointrail.service.profiles.counterparties import Counterparties, counterparties_of
from cointrail.service.profiles.list_files import (
    BALANCE_COLUMNS,
    COUNTERPARTY_COLUMNS,
    UNSPENT_COLUMNS,
    write_balance,
    write_counterparties,
    write_unspent,
)
from cointrail.service.profiles.profile import Profile, profile
from cointrail.service.worth import FiatChoice

ONE_AMOUNT = ["fiat_minor", "currency", "price_source", "price_rule", "price_gap"]


@pytest.fixture(scope="module", params=["simulated", "one"])
def valued(request, cases, tmp_path_factory):
    """(case, plain walk, plain worth, choice): prices with gaps, imported."""
    case, folder = cases(request.param), tmp_path_factory.mktemp("worth")
    plain = case.plain(len(case.raw) - 1)
    worth = PlainWorth(plain.times, lack=5 if request.param == "simulated" else 10**6)
    where = str(folder / "prices.sqlite")
    import_prices(where, worth.write(folder / "p.csv"), currency="USD", source="S", step=86_400)
    return case, plain, worth, FiatChoice("USD", where)


def test_profiles_in_money(valued):
    case, plain, worth, choice = valued
    random, gaps, known = Random(f"{case.name} worth"), 0, 0
    with Reader(case.ledger) as reader, beside(reader, choice) as opened:
        for text, scripts in wallets(reader, random, 14):
            for asked, first, last in filters(random, plain):
                answer = profile(reader, text, asked=asked, steps=10**9, limit=None, worth=opened)
                kept = list(plain.kept(scripts, first, last, asked.min_sat, asked.max_sat))
                made = {coin.outpoint: tx.height for tx in kept for coin in tx.outputs if coin.script in scripts}
                received = [(c.value, tx.height) for tx in kept for c in tx.outputs if c.script in scripts]
                spent = [(c.value, tx.height) for tx in kept for c in tx.inputs if c.script in scripts]
                returned = [(min(moved(tx, scripts)), tx.height) for tx in kept]
                assert told(answer.received_fiat) == worth.total(received)
                assert told(answer.spent_fiat) == worth.total(spent)
                assert told(answer.returned_fiat) == worth.total(returned)
                assert told(answer.unspent_fiat) == worth.total(
                    (each.value_sat, each.height) for each in answer.unspent
                )
                for each in answer.unspent:
                    txid, vout = each.outpoint.split("@")[0].split(":")
                    assert each.height == made[bytes.fromhex(txid)[::-1], int(vout)]
                    assert each.fiat.minor == worth.cents(each.value_sat, each.height)
                for step in answer.balance.steps:
                    assert step.fiat.minor == worth.cents(step.balance_sat, step.height)
                assert answer.balance_fiat == answer.balance.closing_fiat
                assert answer.balance_fiat.minor == worth.cents(answer.balance_sat, last)
                gaps += answer.received_fiat.missing
                known += answer.received_fiat.amounts - answer.received_fiat.missing
    assert known > 100
    assert (gaps > 100) == (case.name == "simulated")


def test_counterparties_in_money(valued):
    case, plain, worth, choice = valued
    random, rows_with_gaps, mixes = Random(f"{case.name} partners' worth"), 0, 0
    with Reader(case.ledger) as reader, beside(reader, choice) as opened:
        of = {reader.script_pubkey(each): name_of(reader, each) for each in range(reader.counts.script)}
        for text, scripts in (*wallets(reader, random, 12), *mixers(reader)):
            for asked, first, last in filters(random, plain):
                answer = counterparties_of(reader, text, asked=asked, limit=None, worth=opened)
                rows, _ = plain.counterparties(scripts, first, last, asked.min_sat, asked.max_sat, of.__getitem__)
                for each in answer.counterparties:
                    payments = rows[each.name][5]
                    assert told(each.received_fiat) == worth.total((sat, height) for height, sat, _ in payments)
                    assert told(each.sent_fiat) == worth.total((sat, height) for height, _, sat in payments)
                    rows_with_gaps += 0 < each.received_fiat.missing < each.received_fiat.amounts
                every = [payment for row in rows.values() for payment in row[5]]
                totals = answer.totals
                assert told(totals.received_from_others_fiat) == worth.total((sat, height) for height, sat, _ in every)
                assert told(totals.sent_fiat) == worth.total((sat, height) for height, _, sat in every)
                whole = profile(reader, text, asked=asked, worth=opened)
                assert (totals.received_fiat, totals.spent_fiat) == (whole.received_fiat, whole.spent_fiat)
                if totals.mixed_transactions <= len(answer.mixed):
                    mixed = [(each.received_sat, each.height) for each in answer.mixed]
                    assert told(totals.mixed_received_fiat) == worth.total(mixed)
                for each in answer.mixed:
                    assert each.received_fiat.minor == worth.cents(each.received_sat, each.height)
                    assert each.spent_fiat.minor == worth.cents(each.spent_sat, each.height)
                mixes += len(answer.mixed)
    if case.name == "simulated":
        assert rows_with_gaps
        assert mixes


def mixers(reader):
    """Scripts that were paid by the first collaborative transactions."""
    for tx_index in reader.column("collaborative", "tx_index")[:3].tolist():
        script = int(reader.column("output", "script")[reader.outputs_of(tx_index).start])
        yield name_of(reader, script), frozenset([reader.script_pubkey(script)])


def test_pages_and_directions_have_the_same_money(valued):
    case, _, _, choice = valued
    with Reader(case.ledger) as reader, beside(reader, choice) as opened:
        for text, _ in wallets(reader, Random(1), 60):
            whole = counterparties_of(reader, text, by="cluster", limit=None, worth=opened)
            if whole.total > 7:
                break
        page = counterparties_of(reader, text, by="cluster", first=3, limit=3, worth=opened)
        assert page.counterparties == whole.counterparties[3:6]
        money = {each.name: each.sent_fiat for each in whole.counterparties if each.sent_sat}
        left = counterparties_of(reader, text, by="cluster", direction="out", limit=None, worth=opened).counterparties
        assert {each.name: each.sent_fiat for each in left if each.sent_sat} == money
        assert {each.received_fiat.amounts for each in left} <= {0}


def test_lists_have_the_money_of_the_answers(valued, tmp_path):
    case, _, _, choice = valued
    with Reader(case.ledger) as reader, beside(reader, choice) as opened:
        text = max(
            (each for each, _ in wallets(reader, Random(2), 30)), key=lambda t: profile(reader, t).unspent_outputs
        )
        found = Profile(reader, text, worth=opened)
        answer = found.answer(steps=10**9, limit=None)
        write_balance(found, tmp_path / "b.csv")
        write_unspent(found, tmp_path / "u.csv")
        partners = Counterparties(reader, text, worth=opened)
        write_counterparties(partners, tmp_path / "c.csv")
        rows = partners.answer(limit=None).counterparties
    for name, columns, amounts in (
        ("b.csv", BALANCE_COLUMNS, [each.fiat for each in answer.balance.steps]),
        ("u.csv", UNSPENT_COLUMNS, [each.fiat for each in answer.unspent]),
    ):
        header, listed = read(tmp_path / name)
        assert header == [*(column.name for column in columns), *ONE_AMOUNT]
        assert [(row["fiat_minor"], row["price_gap"]) for row in listed] == [
            ("" if each.minor is None else str(each.minor), each.gap or "") for each in amounts
        ]
        assert {(row["currency"], row["price_source"], row["price_rule"]) for row in listed} == {
            ("USD", "S", "price.daily_close/1")
        }
    header, listed = read(tmp_path / "c.csv")
    assert header[len(COUNTERPARTY_COLUMNS) :] == [
        "received_fiat_minor", "sent_fiat_minor", "currency", "price_source", "price_rule",
        "received_price_gap", "sent_price_gap",
    ]  # fmt: skip
    for row, each in zip(listed, rows, strict=True):
        for side in ("received", "sent"):
            total = getattr(each, f"{side}_fiat")
            assert row[f"{side}_fiat_minor"] == ("" if total.minor is None else str(total.minor))
            assert row[f"{side}_price_gap"].startswith(f"no price is known for {total.missing:,}") == bool(
                total.missing
            )


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return list(rows.fieldnames), list(rows)


def test_the_python_api_gives_the_same(valued):
    case, _, _, choice = valued
    with cointrail.open(case.ledger) as ledger:
        text = name_of(ledger.reader, 5)
        with beside(ledger.reader, choice) as opened:
            assert ledger.profile(text, fiat=choice) == profile(ledger.reader, text, worth=opened)
            expected = counterparties_of(ledger.reader, text, limit=None, worth=opened)
        assert ledger.counterparties(text, fiat=choice) == expected
        assert expected.prices
        with pytest.raises(NotFound, match="no prices in CHF"):
            ledger.profile(text, fiat=FiatChoice("CHF", choice.database))


def test_where_no_block_lies_there_is_no_money(valued):
    case, _, _, choice = valued
    with Reader(case.ledger) as reader, beside(reader, choice) as opened:
        answer = profile(reader, name_of(reader, 5), asked=Asked(end="1999-01-01"), worth=opened)
    assert answer.balance_fiat is None
    assert told(answer.received_fiat) == (0, 0, 0, 0)


def test_without_a_choice_nothing_is_there(valued, tmp_path):
    case, _, _, _ = valued
    with Reader(case.ledger) as reader:
        text = name_of(reader, 5)
        plain, partners = profile(reader, text), counterparties_of(reader, text)
        with beside(reader, None) as nothing:
            assert profile(reader, text, worth=nothing) == plain
            assert counterparties_of(reader, text, worth=nothing) == partners
        write_unspent(Profile(reader, text), tmp_path / "u.csv")
    assert (plain.received_fiat, plain.balance_fiat, plain.prices, partners.prices) == (None, None, None, None)
    assert read(tmp_path / "u.csv")[0] == [column.name for column in UNSPENT_COLUMNS]
