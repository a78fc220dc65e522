"""Any file of tags: its form is recognised, what is no file of tags is refused, and no name hides anything."""

import json
import os
import socket
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ofac_list import Sanctioned, advanced, basic
from vectors import shared_data

from cointrail.attribution.formats.read import READERS, read_pack, recognise
from cointrail.attribution.formats.table import Mapping
from cointrail.errors import CointrailError, InputRefused, Unavailable, UsageError

ADDRESS = "1" + "a" * 33
PARTY = Sanctioned(1, ("A",), [("XBT", ADDRESS)])
TAGPACK = f"title: t\ncreator: c\ntags:\n- address: {ADDRESS}\n  label: A\n  source: s\n  currency: BTC\n"
ACTORPACK = (
    "title: t\ncreator: c\nactors:\n- id: a\n  uri: u\n  label: A\n  lastmod: 2024-01-01\n  categories: [exchange]\n"
)
LABEL = json.dumps({"type": "addr", "ref": ADDRESS, "label": "A"}) + "\n"


def written(folder, name, text):
    path = folder / name
    path.write_text(text, "utf-8")
    return path


FORMS = [
    ("pack.yaml", TAGPACK, "tagpack"),
    ("pack.yml", TAGPACK.replace("tags:", "'tags':"), "tagpack"),
    ("big.yaml", TAGPACK.replace("title", "description: " + "x" * 100_000 + "\ntitle"), "tagpack"),
    ("actors.yaml", ACTORPACK, "actorpack"),
    ("sdn_advanced.xml", "".join(advanced([PARTY])), "ofac-xml"),
    ("anything.bin", "".join(basic([PARTY])), "ofac-xml"),
    ("sdnlist.txt", f"Digital Currency Address - XBT {ADDRESS};", "ofac-text"),
    ("remarks.txt", f"Digital Currency Address - XBT {ADDRESS};", "ofac-text"),
    ("sanctioned_addresses_XBT.json", json.dumps([ADDRESS]), "ofac-text"),
    ("ofac.txt", ADDRESS + "\n", "ofac-text"),
    ("pools-v2.json", json.dumps([{"name": "A", "addresses": [ADDRESS], "tags": []}]), "pools"),
    ("pools.json", json.dumps({"coinbase_tags": {"/a/": {"name": "A", "link": ""}}}), "pools"),
    ("labels.jsonl", LABEL, "bip329"),
    ("wallet.txt", "\ufeff\n" + LABEL, "bip329"),
    ("tags.csv", f"address,actor\n{ADDRESS},A\n", "table"),
    ("tags.txt", f"\ufeffaddress,label,comment\n{ADDRESS},A,\n", "table"),
    ("ofac.csv", f"address,actor\n{ADDRESS},A\n", "table"),
]


@pytest.mark.parametrize(("name", "text", "form"), FORMS, ids=[name for name, _, _ in FORMS])
def test_the_form_is_recognised(tmp_path, name, text, form):
    path = written(tmp_path, name, text)
    assert recognise(path) == form
    pack = read_pack(path)
    tags = list(pack.tags)
    assert (pack.format, len(tags) + len(pack.actors)) == (form, 1)


def test_every_form_has_a_case():
    assert {form for _, _, form in FORMS} == set(READERS)


def test_the_shared_files_are_recognised():
    folder = shared_data() / "tags"
    counts = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yaml", ".json", ".txt"):
            pack = read_pack(path)
            counts[pack.format] = counts.get(pack.format, 0) + sum(1 for _ in pack.tags)
    assert counts.keys() == {"tagpack", "pools", "ofac-text"}
    assert all(counts.values())


def test_a_bare_list_is_not_taken_for_sanctions(tmp_path):
    path = written(tmp_path, "addresses.txt", f"{ADDRESS}\n")
    with pytest.raises(InputRefused, match="not recognised") as refused:
        read_pack(path)
    assert "ofac-text" in refused.value.hint
    assert len(list(read_pack(path, "ofac-text").tags)) == 1


def test_a_mapping_makes_a_table(tmp_path):
    path = written(tmp_path, "list.dat", f"Wallet;Who\n{ADDRESS};A\n")
    mapping = Mapping({"address": "Wallet", "label": "Who"}, {"source": "s"}, ";")
    (tag,) = read_pack(path, mapping=mapping).tags
    assert (tag.subject.text, tag.statement.label, tag.statement.source) == (ADDRESS, "A", "s")
    with pytest.raises(UsageError, match="for tables, not for pools"):
        read_pack(path, "pools", mapping)
    with pytest.raises(UsageError, match="unknown format 'xls'"):
        read_pack(path, "xls")


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{short}/s.csv")  # such a path may have a hundred characters at most
        for path in (tmp_path, tmp_path / "pipe.csv", Path("/dev/zero"), Path("/dev/null"), Path(short) / "s.csv"):
            for form in (None, *READERS):
                with pytest.raises(InputRefused, match="no regular file"):
                    list(read_pack(path, form).tags)
    assert time.monotonic() - started < 10


def test_what_is_not_there_cannot_be_read(tmp_path):
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    for path in (tmp_path / "no.csv", tmp_path / "loop.csv", tmp_path / "a\0b.csv", tmp_path / ("x" * 300 + ".csv")):
        with pytest.raises(Unavailable, match="cannot read"):
            read_pack(path)


def test_a_huge_file_is_refused_unread(tmp_path):
    for name, size in (("a.json", 17 << 20), ("b.xml", 2 << 30), ("ofac.txt", 65 << 20), ("d.csv", 65 << 30)):
        path = written(tmp_path, name, '[{"name"' if name == "a.json" else "<" if name == "b.xml" else "x")
        if name != "b.xml":
            os.truncate(path, size)
            form = {"a.json": "pools", "ofac.txt": "ofac-text", "d.csv": "table"}[name]
            with pytest.raises(InputRefused, match="is larger than"):
                read_pack(path, form)


HIDDEN = ["Bin\u200bance", "\u202eecnaniB", "Bin\xadance", "Bin\u2066ance", "Binance\u3164", "\ufeffBinance"]


@pytest.mark.parametrize("name", HIDDEN)
def test_a_name_that_hides_something_is_refused_with_its_line(tmp_path, name):
    files = {
        "pools.json": json.dumps([{"name": name, "tags": ["/a/"]}], ensure_ascii=False, indent=1),
        "tags.csv": f"address,actor\n{ADDRESS},{name}\n",
        "pack.yaml": TAGPACK.replace("label: A", f'label: "{name}"'),
        "actors.yaml": ACTORPACK.replace("label: A", f'label: "{name}"'),
        "sdn.xml": "".join(advanced([Sanctioned(1, (name + "x",), [("XBT", ADDRESS)])])),
    }
    for file, text in files.items():
        with pytest.raises(InputRefused, match=r"line [1-9]\d*") as refused:
            list(read_pack(written(tmp_path, file, text)).tags)
        assert str(refused.value).isprintable(), file
        assert refused.value.hint


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\u202eb", "a\nb"])
def test_a_subject_that_cannot_be_printed_is_refused(tmp_path, text):
    content = json.dumps([{"name": "A", "tags": ["/a/"], "addresses": ["1a", text]}], ensure_ascii=False, indent=1)
    with pytest.raises(InputRefused, match=r"nothing a tag can be about|no JSON") as refused:
        list(read_pack(written(tmp_path, "pools.json", content)).tags)
    assert str(refused.value).isprintable()


def test_a_subject_is_not_longer_than_any(tmp_path):
    with pytest.raises(InputRefused, match=r"line 2 of .*nothing a tag can be about"):
        list(read_pack(written(tmp_path, "t.csv", f"address,actor\n{'1' * 301},A\n")).tags)


PIECES = [text.encode() for _, text, _ in FORMS if len(text) < 10_000]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_are_read_or_refused(tmp_path, data):
    """Cut, spliced and noisy files of every form: tags or an error for people, nothing else."""
    raw = bytearray(data.draw(st.sampled_from(PIECES)))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(raw)))
        raw[place : place + data.draw(st.integers(0, 8))] = data.draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from([b"\0", b'"', b"\n", b"{", b"[", b"<", b"&a;", b"\xff\xfe", b"- "]),
            )
        )
    path = tmp_path / data.draw(st.sampled_from(["a.yaml", "a.csv", "a.json", "a.xml", "ofac.txt", "a"]))
    path.write_bytes(raw)
    for form in (None, *READERS):
        try:
            list(read_pack(path, form).tags)
        except CointrailError:
            continue
