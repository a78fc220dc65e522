"""Money beside amounts, in a simulated world: against its own tables and headers, worked out with `decimal`.

The world's prices lack two days on which the market was paid, and begin after its first blocks.
"""

import csv
from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from cointrail.errors import InputRefused, NotFound, Unavailable
from cointrail.ledger.reader import Reader
from cointrail.service.addresses import history
from cointrail.service.maintenance import ingest
from cointrail.service.prices.beside import Beside, beside
from cointrail.service.prices.imports import import_prices, list_prices
from cointrail.service.prices.series import choose
from cointrail.service.tracing.cash_out import cash_out
from cointrail.service.tracing.funding import funding
from cointrail.service.tracing.requests import write_arrivals, write_funding
from cointrail.service.transactions import transaction
from cointrail.service.worth import FiatChoice
from cointrail.simulation.generate import simulate
from cointrail.simulation.scale import SMALL

EXACT = Context(prec=60)


def rows(path: Path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def displayed(path: Path):
    """A table of the truth with txids as a node displays them; there they stand in the order of their bytes."""
    found = rows(path)
    for row in found:
        for name in {"txid", "previous_txid"} & row.keys():
            row[name] = bytes.fromhex(row[name])[::-1].hex()
    return found


class World:
    """A world's tables, and what an amount was worth by them. Nothing of the program is used."""

    def __init__(self, folder: Path) -> None:
        truth = folder / "truth"
        self.values = {
            (each["txid"], int(each["vout"])): int(each["value_sat"]) for each in displayed(truth / "outputs.csv")
        }
        self.outputs, self.inputs = defaultdict(list), defaultdict(list)
        for each in displayed(truth / "outputs.csv"):
            self.outputs[each["txid"]].append(each)
        for each in displayed(truth / "inputs.csv"):
            self.inputs[each["txid"]].append((each["previous_txid"], int(each["previous_vout"])))
        self.transactions = {each["txid"]: each for each in displayed(truth / "transactions.csv")}
        self.scripts = {each["script_hash"]: each["script_pubkey"] for each in displayed(truth / "scripts.csv")}
        headers = (folder / "chain" / "headers.bin").read_bytes()
        self.times = [int.from_bytes(headers[at + 68 : at + 72], "little") for at in range(0, len(headers), 80)]
        self.closes = {
            (each["date"], each["currency"]): each["close_minor"] for each in rows(folder / "inputs/prices.csv")
        }

    def day(self, height: int) -> str:
        return datetime.fromtimestamp(self.times[height], UTC).date().isoformat()

    def height(self, txid: str) -> int:
        return int(self.transactions[txid]["height"])

    def cents(self, sat: int, height: int, currency: str = "USD") -> int | None:
        close = self.closes.get((self.day(height), currency))
        if close is None:
            return None
        exact = EXACT.divide(EXACT.multiply(Decimal(sat), Decimal(close)), Decimal(10**8))
        return int(exact.to_integral_value(ROUND_HALF_EVEN))

    def missing_days(self) -> list[str]:
        """The two days inside of the table that it lacks."""
        known = {day for day, _ in self.closes}
        all_days = {self.day(height) for height in range(len(self.times))}
        return sorted(day for day in all_days - known if min(known) < day < max(known))


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    simulate(folder / "world", SMALL, 1)
    assert ingest(folder / "world" / "chain" / "xor", folder / "ledger").complete
    where = str(folder / "prices.sqlite")
    import_prices(where, folder / "world" / "inputs" / "prices.csv")
    world = World(folder / "world")
    assert len(world.missing_days()) == 2
    with Reader(folder / "ledger") as reader:
        pack = folder / "world" / "inputs" / "tags" / "services.yaml"
        yield SimpleNamespace(folder=folder, world=world, reader=reader, where=where, pack=pack)


@pytest.fixture
def dollars(case):
    with beside(case.reader, FiatChoice("USD", case.where)) as worth:
        yield worth


def check(fiat, minor, world, height):
    """A value is the one expected, and says how it came about."""
    assert fiat.minor == minor
    assert (fiat.currency, fiat.exponent, fiat.rule) == ("USD", 2, "price.daily_close/1")
    assert (fiat.source, fiat.basis) == ("Meridian daily close (invented)", "assertion")
    if minor is None:
        assert fiat.price_time_utc is None
        assert fiat.gap == f"no price is known for the UTC day {world.day(height)}"
    else:
        assert (fiat.price_time_utc, fiat.gap) == (f"{world.day(height)}T00:00:00Z", None)


def check_total(total, parts):
    """A total is the sum of the known parts and counts the others; parts are (sat, minor)."""
    parts = [(sat, minor) for sat, minor in parts if sat]
    known = [minor for _, minor in parts if minor is not None]
    assert total.minor == (sum(known) if known or not parts else None)
    assert (total.amounts, total.missing) == (len(parts), len(parts) - len(known))
    assert total.missing_sat == sum(sat for sat, minor in parts if minor is None)


def test_transactions(case, dollars):
    world = case.world
    gap_days = world.missing_days()
    on_gaps = [txid for txid in world.transactions if world.day(world.height(txid)) in gap_days]
    assert len(on_gaps) > 20
    digest = list_prices(case.where, currency="USD").series[0].digest
    assert dollars.prices.digest == digest
    random = Random(1)
    for txid in [*random.sample(sorted(world.transactions), 200), *random.sample(on_gaps, 21)]:
        height = world.height(txid)
        answer = transaction(case.reader, txid, worth=dollars)
        for each in answer.outputs:
            if (txid, each.vout) in world.values:
                check(each.fiat, world.cents(world.values[txid, each.vout], height), world, height)
        assert answer.coinbase == (not world.inputs[txid])
        for each, spent in zip(answer.inputs, world.inputs[txid] or [None], strict=True):
            if spent is None:
                assert (each.fiat, answer.fee_fiat) == (None, None)
            else:
                check(each.fiat, world.cents(world.values[spent], height), world, height)
        if world.inputs[txid]:
            check(answer.fee_fiat, world.cents(int(world.transactions[txid]["fee_sat"]), height), world, height)
        assert (answer.prices, answer.basis) == (dollars.prices, "fact")
        assert {each.fiat.series for each in answer.outputs} == {digest}


def test_histories(case, dollars):
    world = case.world
    received, spent = defaultdict(Counter), defaultdict(Counter)
    script_of = {}
    for txid, outputs in world.outputs.items():
        for each in outputs:
            script_of[txid, int(each["vout"])] = each["script_hash"]
            received[each["script_hash"]][txid] += int(each["value_sat"])
    for txid, inputs in world.inputs.items():
        for outpoint in inputs:
            spent[script_of[outpoint]][txid] += world.values[outpoint]
    busy = sorted((name for name in received if name in world.scripts), key=lambda name: -len(received[name]))
    seen = set()
    for name in [*busy[:5], *Random(2).sample(busy, 60)]:
        page = history(case.reader, f"script:{world.scripts[name]}", worth=dollars)
        assert page.prices == dollars.prices
        entries = list(page)
        assert {each.txid for each in entries} == received[name].keys() | spent[name].keys()
        for each in entries:
            assert (each.received_sat, each.spent_sat) == (received[name][each.txid], spent[name][each.txid])
            check(each.received_fiat, world.cents(each.received_sat, each.height), world, each.height)
            check(each.spent_fiat, world.cents(each.spent_sat, each.height), world, each.height)
            seen.add(each.received_fiat.minor is None)
    assert seen == {True, False}


@pytest.fixture(scope="module")
def market(case):
    """The cluster that the first test purchase paid."""
    purchase = rows(case.folder / "world" / "inputs" / "undercover.csv")[0]
    return "cluster:" + transaction(case.reader, purchase["txid"]).outputs[int(purchase["vout"])].address


def test_funding_and_its_list(case, dollars, market, tmp_path):
    world = case.world
    answer = funding(case.reader, market, services=case.pack, worth=dollars)
    paid, by_service, joined, unknown, listed = [], defaultdict(list), [], [], Counter()
    for each in answer.payments:
        txid, vout = each.payment.outpoint.split(":")
        height, sat = world.height(txid), world.values[txid, int(vout)]
        check(each.payment.fiat, world.cents(sat, height), world, height)
        paid.append((sat, world.cents(sat, height)))
        for source in each.sources:
            left, number = source.withdrawal.outpoint.split(":")
            whole = world.cents(world.values[left, int(number)], world.height(left))
            check(source.withdrawal.fiat, whole, world, world.height(left))
            check(source.fiat, world.cents(source.sat, height), world, height)
            by_service[source.attributed].append((source.sat, source.fiat.minor))
            listed[left, number, txid, vout, source.fiat.minor] += 1
        for into, stops in ((joined, each.coinjoins), (unknown, each.received)):
            for stop in stops:
                check(stop.fiat, world.cents(stop.sat, height), world, height)
                into.append((stop.sat, stop.fiat.minor))
    assert set(world.missing_days()) <= {world.day(each.payment.height) for each in answer.payments}
    check_total(answer.fiat, paid)
    assert answer.fiat.missing > 2
    check_total(answer.coinjoin_fiat, joined)
    check_total(answer.received_fiat, unknown)
    for each in answer.services:
        check_total(each.fiat, by_service[each.attributed])
    write_funding(answer, tmp_path / "f.csv")
    table = rows(tmp_path / "f.csv")
    assert listed == Counter(
        (row["withdrawal_txid"], row["withdrawal_vout"], row["payment_txid"], row["payment_vout"],
         int(row["fiat_minor"]) if row["fiat_minor"] else None) for row in table
    )  # fmt: skip
    for row in table:
        assert (row["currency"], row["price_rule"]) == ("USD", "price.daily_close/1")
        day = row["payment_time_utc"][:10]
        assert row["price_gap"] == ("" if row["fiat_minor"] else f"no price is known for the UTC day {day}")


def test_cash_outs_and_their_list(case, dollars, market, tmp_path):
    world = case.world
    answer = cash_out(case.reader, [market], services=case.pack, worth=dollars)
    parts, listed = [], Counter()
    for service in answer.destinations:
        for each in service.arrivals:
            height = world.height(each.output.outpoint.split(":")[0])
            check(each.output.fiat, world.cents(each.output.value_sat, height), world, height)
            check(each.fiat, world.cents(each.haircut_sat, height), world, height)
            check(each.fifo_fiat, world.cents(each.fifo_sat, height), world, height)
            listed[each.output.outpoint, each.fiat.minor] += 1
        check_total(service.fiat, [(each.haircut_sat, each.fiat.minor) for each in service.arrivals])
        check_total(service.fifo_fiat, [(each.fifo_sat, each.fifo_fiat.minor) for each in service.arrivals])
        parts += [(each.haircut_sat, each.fiat.minor) for each in service.arrivals]
    assert len(parts) > 20
    check_total(answer.fiat, parts)
    assert answer.candidate_sets
    for found in answer.candidate_sets:
        height = world.height(found.transaction.outpoint)
        check(found.fiat, world.cents(found.came_sat, height), world, height)
        for each in found.candidates:
            height = world.height(each.output.outpoint.split(":")[0])
            check(each.fiat, world.cents(each.expected_sat, height), world, height)
            listed[each.output.outpoint, each.fiat.minor] += 1
    write_arrivals(answer, tmp_path / "c.csv")
    assert listed == Counter(
        (f"{row['txid']}:{row['vout']}", int(row["fiat_minor"]) if row["fiat_minor"] else None)
        for row in rows(tmp_path / "c.csv")
    )


def test_without_a_choice_nothing_is_there(case, market, tmp_path):
    plain = funding(case.reader, market, services=case.pack)
    with beside(case.reader, None) as nothing:
        assert funding(case.reader, market, services=case.pack, worth=nothing) == plain
    assert (plain.fiat, plain.prices, plain.payments[0].payment.fiat) == (None, None, None)
    write_funding(plain, tmp_path / "f.csv")
    assert not {"fiat_minor", "currency", "price_source"} & set(rows(tmp_path / "f.csv")[0])


def test_another_currency_of_the_same_table(case):
    height = next(height for height in range(400, 1_400) if case.world.cents(1, height) is not None)
    with beside(case.reader, FiatChoice("EUR", case.where, "Meridian daily close (invented)")) as worth:
        value = worth.at(123_456_789, height)
        assert (value.minor, value.currency) == (case.world.cents(123_456_789, height, "EUR"), "EUR")
        assert worth.prices.chosen == "named"
        assert worth.at(None, height) is None


def test_prices_looked_up_once_a_step_are_those_looked_up_each_time(case, tmp_path):
    """Three imports of one source: the newest fills little, the older ones the rest."""
    where = str(tmp_path / "p.sqlite")
    for name, first, last, close in (("a", 330, 1_300, 7), ("b", 500, 900, 11), ("c", 700, 710, 13)):
        days = dict.fromkeys(case.world.day(height) for height in range(first, last))
        lines = ["date,close", *(f"{day},{close}.{number:03d}" for number, day in enumerate(days) if number % 5)]
        (tmp_path / name).write_text("\n".join(lines))
        import_prices(where, tmp_path / name, currency="USD", source="S")
    random = Random(3)
    with beside(case.reader, FiatChoice("USD", where)) as worth:
        assert len(worth.prices.imports) == 3
        series = set()
        for _ in range(1_500):
            sat, height = random.randrange(10**12), random.randrange(len(case.world.times))
            value = worth.at(sat, height)
            slow = choose(worth._table.database, "USD").at(sat, case.world.times[height])
            assert (value.minor, value.series, value.gap) == (slow.minor, slow.series, slow.gap)
            series.add(value.series if value.minor is not None else None)
        assert len(series) == 4


def test_a_total_is_never_silently_partial(dollars):
    def total(*parts):
        return dollars.total((sat, None if minor is ... else known(minor)) for sat, minor in parts)

    def known(minor):
        return SimpleNamespace(minor=minor)

    assert (total().minor, total().amounts) == (0, 0)
    some = total((5, 2), (7, None), (0, None), (9, 3))
    assert (some.minor, some.amounts, some.missing, some.missing_sat) == (5, 3, 1, 7)
    none = total((7, None), (1, None))
    assert (none.minor, none.missing, none.missing_sat) == (None, 2, 8)
    assert Beside(None).total([(1, None)]) is None


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "USD ", "\0", "U\x1b[2J", "ÜSD", "'; --", "X" * 9_999])
def test_what_is_no_currency_is_refused(case, currency):
    with pytest.raises(InputRefused) as refused, beside(case.reader, FiatChoice(currency, case.where)):
        pass
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 200


def test_prices_that_are_not_there(case, tmp_path):
    nowhere = str(tmp_path / "none.sqlite")
    with (
        pytest.raises(Unavailable, match="no prices were imported") as refused,
        beside(case.reader, FiatChoice("USD", nowhere)),
    ):
        pass
    assert "cointrail prices import FILE --currency USD" in refused.value.hint
    assert not Path(nowhere).exists()
    (tmp_path / "p.csv").write_text("date,close\n2024-01-01,x\n")
    with pytest.raises(InputRefused):
        import_prices(nowhere, tmp_path / "p.csv", currency="USD", source="S")
    from cointrail.database import Database

    Database(nowhere, create=True).close()
    with pytest.raises(Unavailable, match="no prices were imported"), beside(case.reader, FiatChoice("USD", nowhere)):
        pass
    for choice in (FiatChoice("CHF", case.where), FiatChoice("USD", case.where, "somebody else")):
        with pytest.raises(NotFound, match="there are no prices in"), beside(case.reader, choice):
            pass
    (tmp_path / "no.sqlite").write_text("no database " * 100)
    with pytest.raises(Unavailable), beside(case.reader, FiatChoice("USD", str(tmp_path / "no.sqlite"))):
        pass
