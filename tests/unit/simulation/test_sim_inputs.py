"""The investigator's tables, tag packs and exchange returns: read back by other means and held against the chain."""

import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import toy_case
from hypothesis import given
from hypothesis import strategies as st
from strict_readers import regtest_script
from toy_case import address

from cointrail.simulation.chain import START_TIME
from cointrail.simulation.inputs.contradictions import Habits, Transfer, plant
from cointrail.simulation.inputs.formats.archives import deflate, gzip, zip_file, zlib_stream
from cointrail.simulation.inputs.formats.xlsx import workbook
from cointrail.simulation.stream import Stream

DAY = 86_400
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TYPES = {"wrong_amount", "one_hour_shift", "foreign_txid", "wrong_unit", "duplicate_row", "absent_transfer"}


@pytest.fixture(scope="module", params=["toy", "small"])
def case(request, tmp_path_factory):
    made = toy_case.toy_case() if request.param == "toy" else toy_case.whole_case()
    return made.write(tmp_path_factory.mktemp(request.param) / "inputs")


@pytest.fixture(scope="module")
def folder(case):
    return case.folder


def read_csv(path, encoding="utf-8", delimiter=","):
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def read_sheet(content, name):
    """Rows of a sheet as lists of text, by way of the workbook's relations."""
    book = zipfile.ZipFile(io.BytesIO(content))
    assert book.testzip() is None
    relations = {each.get("Id"): each.get("Target") for each in xml(book, "xl/_rels/workbook.xml.rels")}
    sheets = {
        each.get("name"): list(each.attrib.values())[-1] for each in xml(book, "xl/workbook.xml").iter(f"{SHEET}sheet")
    }
    rows = []
    for number, row in enumerate(xml(book, f"xl/{relations[sheets[name]]}").iter(f"{SHEET}row"), start=1):
        assert row.get("r") == str(number)
        cells = [cell.findtext(f"{SHEET}v") or "".join(cell.itertext()) for cell in row]
        rows.append(cells)
    return rows


def xml(book, name):
    return ElementTree.fromstring(book.read(name))


def at(truth, txid, vout):
    """(address, value, owner's account) of an output on the chain, or None."""
    if txid not in truth.numbers:
        return None
    output = truth.output_number(txid + vout.to_bytes(4, "little"))
    return address(truth.script_pubkey(output)), truth.values[output]


# Test purchases, prices, tags.


def test_purchases_are_outputs_of_the_chain(case, folder):
    rows = read_csv(folder / "undercover.csv")
    assert list(rows[0]) == ["purchase_no", "market_user", "txid", "vout", "value_sat", "time_utc", "funding", "note"]
    assert [row["purchase_no"] for row in rows] == ["1", "2", "3"]
    for row, purchase in zip(rows, case.plot.purchases, strict=True):
        txid = bytes.fromhex(row["txid"])[::-1]
        assert at(case.truth, txid, int(row["vout"]))[1] == int(row["value_sat"])
        assert datetime.fromisoformat(row["time_utc"]).timestamp() == purchase.time
        assert (row["market_user"], row["funding"], row["note"]) == (
            purchase.market_user,
            purchase.funding,
            purchase.note,
        )


def test_prices_are_whole_cents_and_lack_two_days_of_payments(case, folder):
    rows = read_csv(folder / "prices.csv")
    days = {}
    for row in rows:
        day = (datetime.fromisoformat(f"{row['date']}T00:00:00Z").timestamp() - START_TIME) // DAY
        days.setdefault(int(day), {})[row["currency"]] = int(row["close_minor"])
        assert row["source"]
    paid = {int(datetime.fromisoformat(each.time_utc).timestamp() - START_TIME) // DAY for each in case.truth.payments}
    last = (case.world.chain.time - case.world.chain.spacing - START_TIME) // DAY
    missing = set(range(last + 1)) - set(days)
    assert len(missing) == 2
    assert missing < paid
    assert max(missing) - min(missing) > 1
    for day, prices in days.items():
        assert prices == {currency: case.economy.prices.close_minor(day, currency) for currency in ("USD", "EUR")}


def read_pack(path):
    """A tag pack: (head, tags). Reads no more of YAML than the packs use."""
    head, tags = {}, []
    for line in path.read_text("utf-8").splitlines():
        name, _, value = line.removeprefix("- ").strip().partition(":")
        if line.startswith("- "):
            tags.append({})
        (tags[-1] if line.startswith(("- ", "  ")) else head)[name] = value.strip().strip("'")
    return head, tags


def test_tag_packs_name_a_hot_address_of_each_service_and_contradict_each_other(case, folder):
    head, tags = read_pack(folder / "tags" / "services.yaml")
    assert (head["confidence"], head["is_cluster_definer"], head["currency"]) == ("service_data", "true", "BTC")
    tagged = {entity.name: entity for entity in case.world.entities if entity.tagged}
    assert sorted(tag["label"] for tag in tags) == sorted(tagged)
    assert {"Alpha", "Beta", "Gamma", "Quill", "Fog", "Heron", "LuckyDice"} <= set(tagged)
    scripts = {case.truth.scripts.script_pubkey(number): number for number in range(len(case.truth.scripts))}
    spent = {case.truth.script_numbers[output] for output in case.truth.spent}
    for tag in tags:
        number = scripts[regtest_script(tag["address"])]
        script = case.truth.scripts[number]
        assert script.entity_id == tagged[tag["label"]].entity_id
        assert number in spent
        assert script.role == "hot" or tag["label"] not in ("Alpha", "Beta", "Gamma", "Quill")
    crawled, wrong = read_pack(folder / "tags" / "webcrawl.yaml")
    assert (crawled["confidence"], crawled["is_cluster_definer"]) == ("web_crawl", "false")
    lucky = next(tag for tag in tags if tag["label"] == "LuckyDice")
    assert [(tag["address"], tag["category"]) for tag in wrong] == [(lucky["address"], "market")]
    assert lucky["category"] == "gambling"
    assert not any("Bazaar" in tag["label"] for tag in (*tags, *wrong))


def test_tag_packs_have_the_fields_public_packs_have(folder):
    from vectors import shared_data

    public, tags = set(), set()
    for path in (shared_data() / "tags").glob("*.yaml"):
        for line in path.read_text("utf-8").splitlines():
            name = line.removeprefix("- ").strip().partition(":")[0]
            (tags if line.startswith(("- ", "  ")) else public).add(name)
    for name in ("services.yaml", "webcrawl.yaml"):
        head, own = read_pack(folder / "tags" / name)
        assert set(head) <= public
        assert {field for tag in own for field in tag} <= tags


# Returns. A statement is read to (account, time, value in sat, address, txid, vout), what a form lacks being None.


def alpha(folder):
    rows = read_csv(folder / "returns" / "alpha.csv")
    assert list(rows[0]) == [
        "account_id",
        "name",
        "country",
        "type",
        "time_utc",
        "amount_btc",
        "fee_btc",
        "address",
        "txid",
        "vout",
    ]
    return [
        (
            row["account_id"],
            int(datetime.fromisoformat(row["time_utc"]).timestamp()),
            Decimal(row["amount_btc"]) * 10**8,
            row["address"],
            bytes.fromhex(row["txid"])[::-1],
            int(row["vout"]),
            row["type"],
        )
        for row in rows
    ]


def beta(folder):
    head, *rows = read_sheet((folder / "returns" / "beta.xlsx").read_bytes(), "Transfers")
    assert head == ["Account", "Direction", "Time", "Amount (sat)", "Fee (sat)", "Address", "TXID"]
    lines = []
    for account, direction, time, amount, _, where, txid in rows:
        local = datetime.strptime(time, "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC) - timedelta(hours=9)
        kind = {"IN": "deposit", "OUT": "withdrawal"}[direction]
        value = Decimal(amount.replace(",", ""))
        lines.append((account, int(local.timestamp()), value, where, bytes.fromhex(txid)[::-1], None, kind))
    return lines


def gamma(folder):
    rows = read_csv(folder / "returns" / "gamma.csv", "cp1252", ";")
    return [
        (
            row["Kontonummer"],
            int(row["Zeit (ms)"]) // 1_000,
            Decimal(row["Betrag (mBTC)"].replace(",", ".")) * 10**5,
            row["Adresse"],
            None,
            None,
            {"Einzahlung": "deposit", "Überweisung": "withdrawal"}[row["Art"]],
        )
        for row in rows
    ]


READERS = {"Alpha": alpha, "Beta": beta, "Gamma": gamma}


class Detective:
    """Holds a statement against the chain alone: outputs with their times, by txid and by address."""

    def __init__(self, case):
        truth = case.truth
        times = {each.height: each.time for each in case.plot.movements}
        self.outputs = {}
        self.by_address = {}
        self.txids = set(truth.numbers)
        for output in range(len(truth.values)):
            txid, vout = truth.outpoint(output)
            height = truth.heights[truth.output_transactions[output]]
            script = truth.script_pubkey(output)
            if script[:1] == b"\x6a":
                continue
            entry = (address(script), truth.values[output], times.get(height))
            self.outputs[txid, vout] = entry
            self.by_address.setdefault(entry[0], []).append((txid, vout))

    def judge(self, line):
        """What is wrong with a line by itself; empty if nothing is."""
        _, time, value, where, txid, vout, _ = line
        known = self.by_address.get(where, [])
        if not known and (txid is None or txid not in self.txids):
            return "absent_transfer"
        matches = [key for key in known if (txid is None or key[0] == txid) and (vout is None or key[1] == vout)]
        problems = [self.differences(self.outputs[key], time, value) for key in matches]
        if not matches or all(len(each) > 1 for each in problems):
            return "foreign_txid"
        return next(iter(min(problems, key=len)), "")

    @staticmethod
    def differences(output, time, value):
        found = []
        if value != output[1]:
            ratio = Decimal(value) / output[1]
            found.append("wrong_unit" if ratio in (10**3, 10**5) else "wrong_amount")
        if time != output[2]:
            found.append("one_hour_shift" if time - (output[2] or 0) == 3_600 else "another time")
        return found


@pytest.fixture(scope="module")
def detective(case):
    return Detective(case)


@pytest.mark.parametrize("exchange", ["Alpha", "Beta", "Gamma"])
def test_returns_fit_the_chain_except_where_a_contradiction_is_planted(case, folder, detective, exchange):
    lines = READERS[exchange](folder)
    seen, found = set(), {}
    for number, line in enumerate(lines, start=2):
        problem = "duplicate_row" if line in seen else detective.judge(line)
        seen.add(line)
        if problem:
            found[number] = problem
    planted = {each.row: each.type for each in case.truth.contradictions if each.exchange == exchange}
    assert found == planted
    assert set(planted.values()) == TYPES
    assert len(planted) == len(TYPES)


@pytest.mark.parametrize("exchange", ["Alpha", "Beta", "Gamma"])
def test_every_movement_is_in_its_return(case, folder, exchange):
    wrong = {each.row for each in case.truth.contradictions if each.exchange == exchange}
    right = [line for number, line in enumerate(READERS[exchange](folder), start=2) if number not in wrong]
    moved = [each for each in case.plot.movements if each.exchange == exchange]
    expected = {(each.account_id, each.type, each.time, each.value_sat, address(each.script_pubkey)) for each in moved}
    told = {(line[0], line[6], line[1], int(line[2]), line[3]) for line in right}
    assert told < expected
    assert len(moved) - len(right) == len(TYPES) - 2  # a duplicate and an absent transfer hide no movement
    assert len(READERS[exchange](folder)) == len(moved) + 2


def test_the_true_value_repairs_the_row(case, folder):
    tables = {
        "alpha.csv": read_csv(folder / "returns" / "alpha.csv"),
        "gamma.csv": read_csv(folder / "returns" / "gamma.csv", "cp1252", ";"),
    }
    head, *rows = read_sheet((folder / "returns" / "beta.xlsx").read_bytes(), "Transfers")
    tables["beta.xlsx"] = [dict(zip(head, row, strict=True)) for row in rows]
    outputs = {(address(each.script_pubkey), each.value_sat, each.time) for each in case.plot.movements}
    values = {
        "alpha.csv": lambda row: (
            row["address"],
            int(Decimal(row["amount_btc"]) * 10**8),
            int(datetime.fromisoformat(row["time_utc"]).timestamp()),
        ),
        "beta.xlsx": lambda row: (
            row["Address"],
            int(row["Amount (sat)"].replace(",", "")),
            int(datetime.strptime(row["Time"] + " +0900", "%d/%m/%Y %H:%M:%S %z").timestamp()),
        ),
        "gamma.csv": lambda row: (
            row["Adresse"],
            int(Decimal(row["Betrag (mBTC)"].replace(",", ".")) * 10**5),
            int(row["Zeit (ms)"]) // 1_000,
        ),
    }
    txids = {each.txid[::-1].hex() for each in case.plot.movements}
    for each in case.truth.contradictions:
        row = dict(tables[each.file][each.row - 2])
        if each.type == "duplicate_row":
            assert tables[each.file][int(each.true_value) - 2] == row
        elif each.type == "absent_transfer":
            assert each.true_value == ""
            assert values[each.file](row) not in outputs
        else:
            assert row[each.field] != each.true_value
            row[each.field] = each.true_value
            assert values[each.file](row) in outputs
            assert row.get("txid", row.get("TXID", next(iter(txids)))) in txids


def test_customers_are_named_as_the_accounts_say(case, folder):
    people = {each.account_id: (case.plot.names[each.holder_id], each.country) for each in case.truth.accounts}
    head, *rows = read_sheet((folder / "returns" / "beta.xlsx").read_bytes(), "Customers")
    assert head == ["Account", "Name", "Country"]
    assert {account: (name, country) for account, name, country in rows} == {
        account: people[account]
        for account in {each.account_id for each in case.plot.movements if each.exchange == "Beta"}
    }
    for row in read_csv(folder / "returns" / "alpha.csv"):
        assert (row["name"], row["country"]) == people[row["account_id"]]
    for row in read_csv(folder / "returns" / "gamma.csv", "cp1252", ";"):
        assert (row["Name"], row["Land"]) == people[row["Kontonummer"]]


def test_gamma_is_windows_text(folder):
    raw = (folder / "returns" / "gamma.csv").read_bytes()
    assert b"Geb\xfchr" in raw
    assert raw.count(b"\r\n") == raw.count(b"\n")
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")


@given(seed=st.integers(0, 2**32), accounts=st.integers(2, 6), each=st.integers(4, 9))
def test_every_statement_gets_each_contradiction_once(seed, accounts, each):
    transfers = [
        Transfer(f"A{n % accounts}", "deposit", 7_200 * n, 10**6 + 1_001 * n, 0, f"address {n}", bytes((n,)) * 32, 0)
        for n in range(accounts * each)
    ]
    lines, planted = plant(transfers, Habits(1_000, by_address=False), Stream(seed, "any"))
    assert {one.type for one in planted} == TYPES
    assert len(planted) == len(TYPES)
    wrong = {one.line: one for one in planted}
    right = [line for number, line in enumerate(lines) if number not in wrong]
    repaired = {one.right for one in planted if one.right} | set(right)
    assert repaired == set(transfers)
    assert all(one.time <= other.time for one, other in pairwise(right))


# Formats.


@given(st.binary(max_size=3_000) | st.text("abc\n", max_size=3_000).map(str.encode))
def test_our_deflate_is_read_by_zlib(data):
    assert zlib.decompress(deflate(data), -15) == data
    assert zlib.decompress(gzip(data), 31) == data
    assert zlib.decompress(zlib_stream(data)) == data


@given(st.dictionaries(st.text("abcé/", min_size=1, max_size=9), st.binary(max_size=200), max_size=5))
def test_our_zip_is_read_by_zipfile(members):
    archive = zipfile.ZipFile(io.BytesIO(zip_file(list(members.items()))))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == members


def test_workbook_keeps_every_text_and_number():
    rows = [["é<&>\"'", " space ", 12, "12"], ["", "\u4e2d", 0, "x" * 500]]
    wide = [[f"c{number}" for number in range(60)]]
    content = workbook([("One & two", rows), ("Wide", wide)])
    assert read_sheet(content, "One & two") == [[str(cell) for cell in row] for row in rows]
    assert read_sheet(content, "Wide") == wide
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet2.xml").decode()
    assert 'r="Z1"' in sheet
    assert 'r="AA1"' in sheet
    assert 'r="BH1"' in sheet


# Determinism.


def test_two_processes_with_different_hash_seeds_write_the_same_bytes(tmp_path):
    case = toy_case.toy_case().write(tmp_path / "inputs")
    answers = set()
    for hash_seed in ("1", "77"):
        command = [sys.executable, toy_case.__file__, str(tmp_path / hash_seed), "1"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answers.add(done.stdout.strip())
    rows = hashlib.sha256(repr((case.truth.artefacts, case.truth.contradictions)).encode()).hexdigest()
    assert answers == {f"{toy_case.digest(case.folder)} {rows}"}
    other = toy_case.toy_case(2).write(tmp_path / "other")
    assert toy_case.digest(other.folder) != toy_case.digest(case.folder)
