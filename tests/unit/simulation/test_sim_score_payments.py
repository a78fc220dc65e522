"""The scorer on criteria 3 and 4: perfect answers pass, and each planted error makes the right rows fail."""

from decimal import ROUND_HALF_UP, Decimal

import perfect_answers
import pytest
from perfect_answers import GAP
from result_files import by_id, failed, link, read, write

from cointrail.errors import InputRefused
from cointrail.simulation.score.backward_rows import backward_rows
from cointrail.simulation.score.scorer import score
from cointrail.simulation.score.source_rows import source_rows
from cointrail.simulation.score.tables import Tables


def failing(rows, criterion):
    """Names of the parts that fail; the criterion itself must fail with one that counts."""
    found = {row.id: row.status for row in rows}
    assert "not_built" not in found.values()
    return {name.removeprefix(f"criterion.{criterion}.") for name, status in found.items() if status == "fail"}


def named(rows):
    return {row.id: row for row in rows}


def first(where, column, how):
    """A change of one cell: of the first row for which `where` holds."""

    def change(table):
        row = next(row for row in table if where(row))
        row[column] = how(row[column]) if callable(how) else how
        return table

    return change


def without(where):
    def change(table):
        table.remove(next(row for row in table if where(row)))
        return table

    return change


def again(where):
    return lambda table: [*table, next(row for row in table if where(row))]


def anything(row):
    return True


def one_more(text):
    return str(int(text) + 1)


def of(**cells):
    return lambda row: all(row[name] == value for name, value in cells.items())


# Perfect answers.


def test_perfect_answers_pass_and_absent_ones_are_not_built(bazaar, traced, ideal):
    found = score(traced, bazaar.world)
    assert failed(found) == set()
    built = {row.id for row in found.rows if row.status != "not_built"}
    absent = {row.id for row in score(ideal, bazaar.world).rows if row.status == "not_built"}
    ours = {name for name in by_id(found) if name.split(".")[1] in ("3", "4", "5", "8") and name[0] == "c"
            and name.startswith("criterion.")}  # fmt: skip
    assert len(ours) == 7 + 9 + 12 + 10
    assert ours <= built
    assert ours <= absent


def test_what_is_asked_for_is_what_the_truth_says(bazaar, traced):
    """The checks, counted in the truth's tables as they lie in the file."""
    payments = read(bazaar.world / "truth" / "payments.csv")
    members = {row["script_hash"] for row in read(traced / "cluster.csv") if row["level"] == "L1"}
    script = {(row["txid"], row["vout"]): row["script_hash"] for row in read(bazaar.world / "truth" / "outputs.csv")}
    reached = [row["route"] for row in payments if script[row["txid"], row["vout"]] in members]
    routes = [row["route"] for row in payments]
    with Tables(traced, bazaar.world) as tables:
        found = {row.id: row.n for row in (*source_rows(tables), *backward_rows(tables))}
    assert found["criterion.3.recall"] == found["criterion.3.request"] == reached.count("direct") > 250
    assert found["criterion.3.recall_all"] == routes.count("direct") > reached.count("direct")
    assert found["criterion.4.one_hop"] == reached.count("one_hop") > 80
    assert found["criterion.4.peel"] == reached.count("peel") > 40
    assert found["criterion.4.mixer"] == reached.count("mixer") > 20
    assert found["criterion.4.none"] == reached.count("mixer") + reached.count("unhosted") > 40
    assert found["criterion.4.reached"] == len(routes) - routes.count("direct")


# Criterion 3.


def known(row):
    return bool(row["fiat_minor"])


def gap(row):
    return not row["fiat_minor"]


SOURCE_DAMAGES = {
    "a payment missing": (without(anything), {"recall", "request"}),
    "another exchange": (first(of(exchange="Alpha"), "exchange", "Beta"), {"recall", "wrong", "request"}),
    "an exchange in another spelling": (first(of(exchange="Alpha"), "exchange", "alpha"), set()),
    "no exchange": (first(anything, "exchange", ""), {"recall", "wrong", "fields", "request"}),
    "reported twice": (again(anything), {"wrong"}),
    "no such payment": (lambda table: [*table, table[0] | {"payment_txid": "f" * 64}], {"wrong", "request"}),
    "another output": (first(anything, "vout", "999"), {"recall", "wrong", "request"}),
    "a wrong height": (first(anything, "height", one_more), {"fields", "request"}),
    "a wrong time": (first(anything, "time_utc", "2024-01-01T00:00:00Z"), {"fields", "request"}),
    "a value wrong by a satoshi": (first(anything, "value_sat", one_more), {"fields", "request"}),
    "no currency": (first(known, "currency", ""), {"fields", "fiat"}),
    "an unknown currency": (first(known, "currency", "XXX"), {"fields", "fiat"}),
    "another currency at this price": (first(known, "currency", "EUR"), {"fiat"}),
    "no source of the price": (first(known, "price_source", ""), {"fields"}),
    "another source of the price": (first(known, "price_source", "hearsay"), {"fields"}),
    "a source with its day": (first(known, "price_source", lambda text: f"{text}, 2024-02-03"), set()),
    "a value wrong by a cent": (first(known, "fiat_minor", one_more), {"fiat"}),
    "a value with a fraction": (first(known, "fiat_minor", lambda text: f"{text}.0"), {"fiat"}),
    "no value on a day with a price": (first(known, "fiat_minor", ""), {"fields"}),
    "no value at all": (lambda table: [row | {"fiat_minor": ""} for row in table], {"fields", "fiat"}),
    "a value on a gap day": (first(gap, "fiat_minor", "84000"), {"fiat"}),
    "a gap that is not told": (first(gap, "price_source", ""), {"fields"}),
    "a gap under a source's name": (first(gap, "price_source", "Meridian daily close (invented)"), {"fields"}),
}


@pytest.mark.parametrize("damage", SOURCE_DAMAGES)
def test_damage_to_direct_payments(altered, damage):
    change, expected = SOURCE_DAMAGES[damage]
    with altered("sources", change) as tables:
        rows = source_rows(tables)
    whole = expected - {"request"}
    assert failing(rows, 3) == expected | ({"criterion.3"} if whole else set())
    assert rows[0].errors == len(whole)
    if damage != "no value at all":
        assert {row.errors for row in rows[1:] if row.status == "fail"} <= {1, 2}  # a request lacks it and has another


def test_a_payment_over_a_hop_is_not_direct(altered, bazaar):
    truth = read(bazaar.world / "truth" / "payments.csv")
    one = next(row for row in truth if row["route"] == "one_hop" and row["time_utc"] > "2024-02")
    (origin, *_) = [row for row in read(bazaar.world / "truth" / "payment_sources.csv")
                    if row["payment_id"] == one["payment_id"]]  # fmt: skip
    row = perfect_answers.direct(one, [origin], read(bazaar.world / "inputs" / "prices.csv"))
    with altered("sources", lambda table: [*table, row]) as tables:
        rows = source_rows(tables)
    assert failing(rows, 3) == {"criterion.3", "wrong", "request"}


def test_without_any_row_nothing_passes(bazaar, traced_alone, tmp_path):
    results = link(traced_alone, tmp_path)
    head = (results / "sources.csv").read_text().splitlines()[0]
    (results / "sources.csv").unlink()
    (results / "sources.csv").write_text(f"{head}\n")
    with Tables(results, bazaar.world) as tables:
        assert failing(source_rows(tables), 3) == {"criterion.3", "recall", "wrong", "fields", "fiat", "request"}


def test_a_missing_column_is_named(bazaar, traced_alone, tmp_path):
    results = link(traced_alone, tmp_path)
    write(results / "sources.csv", [{"payment_txid": "ff" * 32, "vout": 0}])
    with pytest.raises(InputRefused, match=r"sources\.csv lacks the column height"):
        Tables(results, bazaar.world)


def test_half_a_cent_is_rounded_to_even(bazaar, traced_alone, tmp_path):
    """0.02 BTC at 42,000.25 are 840.005, and at 42,000.75 they are 840.015."""
    world, results = link(bazaar.world, tmp_path / "world"), link(traced_alone, tmp_path / "results")
    days = read(world / "inputs" / "prices.csv")
    write(world / "inputs" / "prices.csv",
          [row | {"close_minor": 4_200_025 if int(row["date"][-2:]) % 2 else 4_200_075} for row in days])  # fmt: skip
    truth = {(row["txid"], row["vout"]): row for row in read(world / "truth" / "payments.csv")}
    prices = read(world / "inputs" / "prices.csv")
    even = [
        perfect_answers.direct(truth[row["payment_txid"], row["vout"]], [{"exchange": row["exchange"]}], prices)
        for row in read(results / "sources.csv")
    ]
    assert {"84000", "84002"} <= {row["fiat_minor"] for row in even if row["value_sat"] == "2000000"}
    write(results / "sources.csv", even)
    with Tables(results, world) as tables:
        assert failing(source_rows(tables), 3) == set()
    close = {(row["date"], row["currency"]): Decimal(row["close_minor"]) for row in prices}
    up = [row | {"fiat_minor": str((Decimal(row["value_sat"]) * close[row["time_utc"][:10], "USD"] / 10**8)
                                   .quantize(Decimal(1), ROUND_HALF_UP))}
          for row in even if row["fiat_minor"]]  # fmt: skip
    write(results / "sources.csv", [*up, *(row for row in even if not row["fiat_minor"])])
    with Tables(results, world) as tables:
        rows = named(source_rows(tables))
    assert rows["criterion.3.fiat"].status == "fail"
    assert rows["criterion.3.fiat"].errors == sum(a != b for a, b in zip(
        [row["fiat_minor"] for row in up], [row["fiat_minor"] for row in even if row["fiat_minor"]], strict=True
    ))  # fmt: skip


def test_gap_days_lie_among_the_payments(traced):
    told = [row["price_source"] for row in read(traced / "sources.csv")]
    assert 0 < told.count(GAP) < len(told) / 10


# Requests.


REQUEST_DAMAGES = {
    "a payment not asked for": without(anything),
    "asked for twice": again(anything),
    "a value wrong by a satoshi": first(anything, "value_sat", one_more),
    "another time": first(anything, "time_utc", "2024-01-01T00:00:00Z"),
    "asked of another exchange": first(anything, "exchange", "Beta"),
    "a payment that was not reported": lambda table: [*table, table[0] | {"txid": "ff" * 32}],
}


@pytest.mark.parametrize("damage", REQUEST_DAMAGES)
def test_damage_to_a_request(altered, damage):
    with altered("requests/Alpha", REQUEST_DAMAGES[damage]) as tables:
        assert failing(source_rows(tables), 3) == {"request"}


def test_two_requests_to_one_exchange(bazaar, traced_alone, tmp_path):
    results = link(traced_alone, tmp_path)
    table = read(results / "requests" / "Alpha.csv")
    write(results / "requests" / "Alpha.csv", table[::2])
    write(results / "requests" / "Alpha again.csv", table[1::2])
    with Tables(results, bazaar.world) as tables:
        request = source_rows(tables)[-1]
    assert (request.status, request.errors) == ("fail", len(table))


def test_without_requests_that_row_is_not_built(bazaar, traced_alone, tmp_path):
    results = link(traced_alone, tmp_path)
    for path in (results / "requests").iterdir():
        path.unlink()
    with Tables(results, bazaar.world) as tables:
        rows = source_rows(tables)
    assert {row.id for row in rows if row.status != "pass"} == {"criterion.3.request"}
    assert rows[-1].status == "not_built"


# Criterion 4.


@pytest.fixture
def route_of(bazaar):
    """The route of a row of `backward.csv`."""
    routes = {(row["txid"], row["vout"]): row["route"] for row in read(bazaar.world / "truth" / "payments.csv")}
    return lambda row: routes[row["payment_txid"], row["vout"]]


def count_of(table, row):
    return sum((each["payment_txid"], each["vout"]) == (row["payment_txid"], row["vout"]) for each in table)


def on_route(route, cells, *, few=False, both=False):
    """Change the answers of a route: all of them, few enough for 95 %, or one row of each payment with two."""

    def change(table, route_of):
        rows = [row for row in table if route_of(row) == route and (not both or count_of(table, row) == 2)]
        for row in rows[: 2 if few else None : 2 if both else 1]:
            row.update(cells)
        return table

    return change


def unanswered(route, *, one=False):
    def change(table, route_of):
        gone = [row for row in table if route_of(row) == route][: 1 if one else None]
        return [row for row in table if row not in gone]

    return change


def added(cells, route):
    def change(table, route_of):
        row = next(row for row in table if route_of(row) == route)
        return [*table, row | cells]

    return change


OTHER = {"exchange": "Delta"}
BACKWARD_DAMAGES = {
    "hops from a wrong exchange": (on_route("one_hop", OTHER), {"one_hop", "withdrawal"}),
    "two hops from a wrong exchange": (on_route("one_hop", OTHER, few=True), set()),
    "peels from a wrong exchange": (on_route("peel", OTHER), {"peel"}),
    "peels from no exchange": (on_route("peel", {"verdict": "no_exchange_found", "exchange": ""}), {"peel"}),
    "one of two exchanges wrong": (on_route("one_hop", OTHER, both=True), {"one_hop"}),
    "peels not traced": (unanswered("peel"), {"peel"}),
    "another withdrawal": (on_route("peel", {"stop_txid": "ff" * 32}), set()),
    "a mixed payment not answered": (unanswered("mixer", one=True), {"mixer", "none"}),
    "an unhosted payment not answered": (unanswered("unhosted", one=True), {"none"}),
    "another stop": (on_route("mixer", {"stop_txid": "ff" * 32}, few=True), {"mixer"}),
    "a second stop": (added({"stop_txid": "ff" * 32}, "mixer"), {"mixer"}),
    "another verdict at the stop": (on_route("mixer", {"verdict": "no_exchange_found"}, few=True), {"mixer"}),
    "another reason": (on_route("mixer", {"stop_reason": "depth"}, few=True), set()),
    "an exchange behind a mixer": (on_route("mixer", {"exchange": "Alpha"}, few=True), {"none"}),
    "an exchange behind a second row": (added({"verdict": "exchange", "exchange": "Beta"}, "mixer"), {"mixer", "none"}),
    "an exchange for the unhosted": (on_route("unhosted", {"exchange": "Alpha"}, few=True), {"none"}),
    "that verdict for the unhosted": (on_route("unhosted", {"verdict": "exchange"}, few=True), {"none"}),
    "another verdict for the unhosted": (on_route("unhosted", {"verdict": "not_traceable_beyond"}, few=True), set()),
    "an exchange for no payment": (added({"payment_txid": "ff" * 32}, "peel"), {"none"}),
    "nothing about no payment": (added({"payment_txid": "ff" * 32}, "unhosted"), set()),
    "an exchange in another spelling": (on_route("peel", {"exchange": "ALPHA"}, few=True), set()),
}


@pytest.mark.parametrize("damage", BACKWARD_DAMAGES)
def test_damage_to_the_other_routes(altered, route_of, damage):
    change, expected = BACKWARD_DAMAGES[damage]
    with altered("backward", lambda table: change(table, route_of)) as tables:
        rows = backward_rows(tables)
    counting = expected - {"withdrawal"}
    got = failing(rows, 4) - {"withdrawal"}
    assert got == counting | ({"criterion.4"} if counting else set())
    assert rows[0].errors == len(counting)


def test_what_is_reported_only(altered, route_of):
    def change(table):
        for row in table:
            if route_of(row) == "mixer":
                row["stop_reason"] = "depth"
            elif route_of(row) == "peel":
                row["stop_txid"] = row["payment_txid"]
            elif route_of(row) == "unhosted":
                row["verdict"] = "not_traceable_beyond"
        return table

    with altered("backward", change) as tables:
        rows = named(backward_rows(tables))
    assert {row.status for row in rows.values()} == {"pass"}
    assert rows["criterion.4.reason"].value == rows["criterion.4.unhosted"].value == 0
    peels, hops = rows["criterion.4.peel"].n, rows["criterion.4.one_hop"].n
    assert rows["criterion.4.withdrawal"].value == pytest.approx(hops / (hops + peels))
