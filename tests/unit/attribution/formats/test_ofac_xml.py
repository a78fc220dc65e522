"""OFAC's lists in XML: every Bitcoin address with its party, in bounded memory, and no attack gets in."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ofac_list import Sanctioned, advanced, basic

from cointrail.attribution.formats.ofac_xml import read_ofac_xml
from cointrail.errors import InputRefused

FIRST, SECOND, THIRD = "1" + "a" * 33, "1" + "b" * 33, "bc1q" + "c" * 38
PARTIES = (
    Sanctioned(100, ("NOBODY", "Nemo"), [("XBT", FIRST), ("ETH", "0x1"), ("XBT", SECOND)], ("CYBER2", "SDGT")),
    Sanctioned(101, ("SHIP & CO",), ()),
    Sanctioned(102, ("SHOP <LTD>",), [("USDT", "T1"), ("XBT", THIRD), ("XBT", THIRD)], ("DPRK3",), (2020, 3, 2)),
)


def written(folder, pieces, name="sdn_advanced.xml"):
    path = folder / name
    path.write_text("".join(pieces), "utf-8")
    return path


def line_of(path, text):
    return next(number for number, line in enumerate(path.read_text().split("\n"), 1) if text in line)


@pytest.mark.parametrize(
    ("name_space", "prefix"),
    [("http://www.un.org/sanctions/1.0", ""), ("https://other.invalid/ADVANCED_XML", ""), ("urn:x", "o:")],
)
def test_every_bitcoin_address_comes_with_its_party(tmp_path, name_space, prefix):
    path = written(tmp_path, advanced(PARTIES, name_space=name_space, prefix=prefix))
    pack = read_ofac_xml(path)
    tags = list(pack.tags)
    assert [tag.subject.text for tag in tags] == [FIRST, SECOND, THIRD]
    assert [tag.line for tag in tags] == [line_of(path, text) for text in (FIRST, SECOND, THIRD)]
    assert [tag.statement.label for tag in tags] == ["NOBODY, Nemo"] * 2 + ["SHOP <LTD>"]
    assert [tag.statement.actor for tag in tags] == ["ofac-100"] * 2 + ["ofac-102"]
    assert [tag.statement.valid_from for tag in tags] == ["2018-11-28"] * 2 + ["2020-03-02"]
    assert json.loads(tags[0].statement.context) == {"party": "100", "programmes": ["CYBER2", "SDGT"]}
    assert {tag.statement.confidence for tag in tags} == {"authority_data"}
    assert {(tag.statement.category, tag.statement.concepts) for tag in tags} == {("sanction", ("sanction",))}
    assert pack.skipped == {"address in ETH": 1, "address in USDT": 1}


def test_no_day_of_listing_is_made_up_for_a_party_without_one(tmp_path):
    """The list's day is that of the statement; a day of listing would date what was paid before it."""
    parties = [Sanctioned(7, ("A",), [("XBT", FIRST)], listed=None), Sanctioned(8, ("B",), [("XBT", SECOND)])]
    without, dated = read_ofac_xml(written(tmp_path, advanced(parties, issued=(2021, 2, 3)))).tags
    assert (without.statement.valid_from, without.statement.lastmod) == ("", "2021-02-03")
    assert (dated.statement.valid_from, dated.statement.lastmod) == ("2018-11-28", "2018-11-28")


def test_the_shorter_list_names_the_same_parties_and_no_day(tmp_path):
    pack = read_ofac_xml(written(tmp_path, basic(PARTIES), "SDN.XML"))
    tags = list(pack.tags)
    assert [tag.subject.text for tag in tags] == [FIRST, SECOND, THIRD]
    assert [tag.statement.label for tag in tags] == ["NOBODY, Nemo"] * 2 + ["SHOP <LTD>"]
    assert [tag.statement.actor for tag in tags] == ["ofac-100"] * 2 + ["ofac-102"]
    assert {tag.statement.valid_from for tag in tags} == {""}
    assert json.loads(tags[0].statement.context)["programmes"] == ["CYBER2", "SDGT"]
    assert pack.skipped == {"address in ETH": 1, "address in USDT": 1}


ADDRESSES = st.lists(
    st.tuples(st.sampled_from(["XBT", "ETH", "XMR"]), st.text("13abcDEF", min_size=20, max_size=35)), max_size=4
)
LISTS = st.lists(
    st.tuples(
        st.lists(st.text("abc <>&\u00e9", min_size=1, max_size=8).filter(str.strip), min_size=1, max_size=2), ADDRESSES
    ),
    max_size=6,
)


@given(LISTS)
def test_both_shapes_give_what_was_put_in(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("ofac")
    parties = [Sanctioned(number, tuple(name), addresses) for number, (name, addresses) in enumerate(made, 1)]
    expected = [
        (f"ofac-{party.number}", ", ".join(part.strip() for part in party.name), address)
        for party in parties
        for address in dict.fromkeys(text for currency, text in party.addresses if currency == "XBT")
    ]
    for shape in (advanced, basic) if parties else (advanced,):
        tags = read_ofac_xml(written(folder, shape(parties), f"{shape.__name__}.xml")).tags
        assert [(tag.statement.actor, tag.statement.label, tag.subject.text) for tag in tags] == expected


ENTITIES = '[<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]'
BOMB = f'<?xml version="1.0"?>\n<!DOCTYPE S {ENTITIES}>\n<Sanctions>&b;</Sanctions>'
OUTSIDE = '<?xml version="1.0"?>\n<!DOCTYPE S SYSTEM "file:///etc/passwd">\n<Sanctions/>'
CANARY = '<?xml version="1.0"?>\n<!DOCTYPE S [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<Sanctions>&x;</Sanctions>'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (CANARY, "document type"),
        ("<html></html>", r"line 1 of .*its root is 'html'"),
        ("<Sanctions>\n\n<a></b></Sanctions>", r"line 3 of .*no XML"),
        ("<Sanctions><DistinctParties>", "no XML"),
        ("", "it is empty"),
        ("<Sanctions/>", "no feature type Digital Currency Address - XBT"),
        ("<sdnList/>", "no entry"),
        ("<Sanctions>" + "<a>" * 100 + "</a>" * 100 + "</Sanctions>", "nested more than 64 deep"),
        ("<Sanctions><FeatureType>" + "a" * 5_000 + "</FeatureType></Sanctions>", "more than 4,096 characters"),
        ('<?xml version="1.0" encoding="nobody-knows"?><Sanctions/>', "no XML"),
        ("<Sanctions>" + '<FeatureType ID="{0}">Digital Currency Address - {0}</FeatureType>', "no XML"),
        ("<Sanctions>\ud800</Sanctions>", "no XML"),
        ("<Sanctions><!--" + "x" * (9 << 20) + "--></Sanctions>", "an element or comment has more than"),
        ('<Sanctions a="' + "x" * (9 << 20) + '"></Sanctions>', "an element or comment has more than"),
    ],
)
def test_a_hostile_file_is_refused(tmp_path, content, says):
    path = tmp_path / "list.xml"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputRefused, match=says):
        list(read_ofac_xml(path).tags)


@pytest.mark.parametrize(
    "element",
    [
        '<FeatureType ID="{}">Digital Currency Address - A</FeatureType>',
        '<NamePartGroup ID="{}" />',
        '<Profile ID="{}" />',
        '<SanctionsType ID="{}">Program</SanctionsType>',
        '<Alias Primary="true" /><NamePartValue>{}</NamePartValue>',
    ],
)
def test_a_list_without_end_is_refused(tmp_path, element):
    path = written(tmp_path, ["<Sanctions>", *(element.format(number) for number in range(12_000)), "</Sanctions>"])
    with pytest.raises(InputRefused, match="no end"):
        list(read_ofac_xml(path).tags)


def test_a_cut_list_gives_no_tag_at_all(tmp_path):
    """A download that broke off must not pass for the list."""
    text = "".join(advanced(PARTIES))
    path = written(tmp_path, [text[: text.index("<SanctionsEntries>")]])
    with pytest.raises(InputRefused, match="no XML"):
        next(iter(read_ofac_xml(path).tags))


MEASURE = """
import resource, sys
from pathlib import Path
from cointrail.attribution.formats.ofac_xml import read_ofac_xml
small = len(list(read_ofac_xml(Path(sys.argv[1])).tags))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
large = len(list(read_ofac_xml(Path(sys.argv[2])).tags))
print(small, large, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    """40 MB of parties without an address, and one with: a process of its own says how much more it took (KiB)."""
    small = written(tmp_path, advanced(PARTIES), "small.xml")
    plain = Sanctioned(5, ("X" * 400,), aliases=["Y" * 400] * 4)
    large = written(tmp_path, advanced([*[plain] * 12_000, PARTIES[0]]), "large.xml")
    assert large.stat().st_size > 40_000_000
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(large)], capture_output=True, text=True, check=True
    )
    tags, more_tags, kib = map(int, run.stdout.split())
    assert (tags, more_tags) == (3, 2)
    assert kib < 16_000
