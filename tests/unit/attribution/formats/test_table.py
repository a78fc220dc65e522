"""Tables of tags: any columns, every fault with its line, and no more memory for a longer table."""

import csv
import hashlib
import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.attribution.confidence import CONFIDENCE, NO_CONFIDENCE
from cointrail.attribution.formats.table import FIELDS, LONGEST_FIELD, Mapping, read_table
from cointrail.attribution.tag import Statement, Subject, SubjectKind, Tag
from cointrail.errors import InputRefused, UsageError

HERE = Mapping(source_is_file=True)


def written(folder, text, name="tags.csv", encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding, newline="")
    return path


def tags(folder, text, mapping=HERE):
    return list(read_table(written(folder, text), mapping).tags)


def test_all_columns_by_their_names(tmp_path):
    text = (
        "address,actor,category,source,confidence,is_cluster_definer,lastmod,comment\n"
        "1abc,Shop,exchange,https://x.invalid,service_data,yes,2024-01-15,ignored\n"
        "\n"
        "1abd, Raft ,,https://x.invalid,,,,\n"
    )
    path = written(tmp_path, text)
    pack = read_table(path)
    first = Statement(
        "Shop", "https://x.invalid", "service_data", "Shop", "exchange", is_cluster_definer=True, lastmod="2024-01-15"
    )
    second = Statement("Raft", "https://x.invalid", "unknown", "Raft")
    assert list(pack.tags) == [
        Tag(Subject(SubjectKind.ADDRESS, "1abc"), first, 2),
        Tag(Subject(SubjectKind.ADDRESS, "1abd"), second, 4, graded=False),
    ]
    assert pack.skipped == {NO_CONFIDENCE: 1}
    assert (pack.name, pack.format) == ("tags.csv", "table")
    assert pack.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_mapping_names_other_columns_and_what_holds_for_all(tmp_path):
    mapping = Mapping(
        columns={"address": "Wallet", "label": "Who", "valid_from": "Since"},
        constants={"source": "case 7", "confidence": "forensic", "category": "shop", "concepts": "a; b"},
        delimiter=";",
    )
    (tag,) = tags(tmp_path, 'Who;Wallet;Since\n"A; B";1abc;2024-01-31\n', mapping)
    assert tag == Tag(
        Subject(SubjectKind.ADDRESS, "1abc"),
        Statement("A; B", "case 7", "forensic", category="shop", concepts=("a", "b"), valid_from="2024-01-31"),
        2,
    )


def test_a_cell_goes_before_a_constant(tmp_path):
    mapping = Mapping(constants={"category": "shop", "source": "s"})
    found = tags(tmp_path, "address,label,category\n1abc,A,exchange\n1abd,A,\n", mapping)
    assert [tag.statement.category for tag in found] == ["exchange", "shop"]


def test_rows_may_be_about_other_things(tmp_path):
    text = f"address,tx_hash,output,actor\n1abc,,,A\n,{'aa' * 32},,A\n,,{'aa' * 32}:1,A\n"
    kinds = [tag.subject.kind for tag in tags(tmp_path, text)]
    assert kinds == [SubjectKind.ADDRESS, SubjectKind.TRANSACTION, SubjectKind.OUTPUT]


def test_dates_have_one_spelling(tmp_path):
    (tag,) = tags(
        tmp_path, "address,actor,lastmod,valid_from,valid_to\n1abc,A,2024-1-5,20120601,2012-06-01T00:00:00+02:00\n"
    )
    said = tag.statement
    assert (said.lastmod, said.valid_from, said.valid_to) == ("2024-01-05", "2012-06-01", "2012-05-31T22:00:00Z")


def test_the_source_must_be_said(tmp_path):
    with pytest.raises(InputRefused, match=r"line 3 of .*lacks a source"):
        tags(tmp_path, "address,actor,source\n1abc,A,here\n1abd,A,\n", Mapping())
    assert tags(tmp_path, "address,actor\n1abc,A\n")[0].statement.source == "tags.csv"


@pytest.mark.parametrize("name", list(CONFIDENCE))
def test_every_confidence_is_read(tmp_path, name):
    assert tags(tmp_path, f"address,actor,confidence\n1abc,A,{name}\n")[0].statement.confidence == name


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path):
    assert [tag.line for tag in tags(tmp_path, "\ufeffaddress,actor\r\n1abc,A\r\n1abd,A")] == [2, 3]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("address,actor\n1abc,\n", "line 2 of .*lacks an address or an actor"),
        ("address,actor\n1abc,A\n,A\n", "line 3 of .*lacks an address or an actor"),
        ("address,actor\n1abc\n", "line 2 of .*lacks an address or an actor"),
        ("address,actor\n\n\n1abc,A\x07\n", "line 4 of .*cannot be printed"),
        ("address,actor\n1abc,A\u202eB\n", "line 2 of .*cannot be printed"),
        ('address,actor\n1abc,A\n1abd,"A\nB"\n1abe,A\n', "line 3 of .*cannot be printed"),
        ("address,actor\n1abc,A\0\n", "line 2 of .*NUL"),
        ("address,actor,confidence\n1abc,A,sure\n", "line 2 of .*unknown confidence 'sure'"),
        ("address,actor,is_cluster_definer\n1abc,A,maybe\n", "line 2 of .*unknown is_cluster_definer 'maybe'"),
        ("address,actor,valid_from\n1abc,A,tomorrow\n", "line 2 of .*valid_from 'tomorrow' is no date"),
        ("address,actor,lastmod\n1abc,A,\n1abd,A,Jan 2020\n", "line 3 of .*lastmod 'Jan 2020' is no date"),
        ("address,actor,valid_from\n1abc,A,0001-01-01T00:00:00+14:00\n", "line 2 of .*valid_from '0001-.*' is no date"),
        ("address,actor,valid_to\n1abc,A,9999-12-31T23:59:59-01:00\n", "line 2 of .*valid_to '9999-.*' is no date"),
        ('address,actor\n1abc,"A\n', "of .*no CSV"),
        ('address,actor\n1abc,"A"B\n', "line 2 of .*no CSV"),
        (f"address,actor\n1abc,{'A' * (LONGEST_FIELD + 1)}\n", "line 2 of .*more than 8,192 characters"),
        (f"address,actor\n1abc,{'A' * 200_000}\n", "line 2 of .*no CSV"),
        (f"address,actor\n1abc,{'A' * 2_000_000}\n", "line 2 of .*more than 1,048,576 bytes"),
        ("", "no column address"),
        ("a,b\n1,2\n", "no column address"),
        ("address,b\n1,2\n", "no column address, or none for the actor"),
        ("\n1,2\n", "no column address"),
    ],
)
def test_a_fault_is_refused_with_its_line(tmp_path, text, says):
    with pytest.raises(InputRefused, match=says):
        tags(tmp_path, text)


def test_another_encoding_is_refused_with_its_line(tmp_path):
    path = written(tmp_path, "address,actor\n1abc,A\n1abd,\u00e9\n", encoding="latin-1")
    with pytest.raises(InputRefused, match=r"line 3 of .*not UTF-8"):
        list(read_table(path, HERE).tags)
    with pytest.raises(InputRefused, match=r"line 1 of .*not UTF-8"):
        read_table(written(tmp_path, "address,actor\n1abc,A\n", encoding="utf-16"), HERE)


def test_a_mapping_that_makes_no_sense(tmp_path):
    with pytest.raises(UsageError, match="no field 'colour'"):
        Mapping(columns={"colour": "x"})
    for delimiter in ("", ",,", '"', "\n"):
        with pytest.raises(UsageError, match="delimiter"):
            Mapping(delimiter=delimiter)
    with pytest.raises(InputRefused, match=r"line 1 of .*no column 'Who'"):
        tags(tmp_path, "address,actor\n1abc,A\n", Mapping(columns={"label": "Who"}))


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = written(tmp_path, "address,actor\n1abc,A\n1abd,A\n")
    found = iter(read_table(path, HERE).tags)
    next(found)
    with path.open("a") as file:
        file.write("1abe,A\n")
    with pytest.raises(InputRefused, match="changed while it was read"):
        list(found)


CELL = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
PLAIN = [name for name in FIELDS if name not in ("tx_hash", "output", "pubkey", "xpub", "confidence")]
PLAIN = [name for name in PLAIN if name not in ("is_cluster_definer", "lastmod", "valid_from", "valid_to", "concepts")]


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(PLAIN, CELL)), max_size=6), st.sampled_from(",;\t|"), st.randoms())
def test_what_is_written_is_read(tmp_path_factory, rows, delimiter, random):
    """A table of any cells, columns in any order, written by the standard library and read as it was meant."""
    columns = [f"{name} column" for name in PLAIN]
    random.shuffle(columns)
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows({f"{name} column": cell for name, cell in row.items()} for row in rows)
    mapping = Mapping({name: f"{name} column" for name in PLAIN}, delimiter=delimiter)
    found = tags(tmp_path_factory.mktemp("table"), file.getvalue(), mapping)
    stated = [name for name in PLAIN if name != "address"]
    assert [tag.subject.text for tag in found] == [row["address"] for row in rows]
    for tag, row in zip(found, rows, strict=True):
        assert {name: getattr(tag.statement, name) for name in stated} == {name: row[name] for name in stated}


MEASURE = """
import resource, sys
from pathlib import Path
from cointrail.attribution.formats.table import Mapping, read_table
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for _ in read_table(Path(sys.argv[1]), Mapping(source_is_file=True)).tags)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_table(tmp_path):
    """Two hundred thousand rows, all of them different statements: less than 16 MiB more (KiB, of its own process)."""
    rows = (f"1abc{number:07},actor {number},{'c' * 100}\n" for number in range(200_000))
    path = written(tmp_path, "address,actor,context\n" + "".join(rows))
    run = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    count, kib = map(int, run.stdout.split())
    assert count == 200_000
    assert kib < 16_000
