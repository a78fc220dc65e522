"""`cointrail tags`: files in, answers out, what was known when; texts of strangers are shown, never obeyed."""

import csv
import json
import os

import pytest
import yaml
from vectors import shared_data

ONE = "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo"
OTHER = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"
PACK = """title: Some
creator: test
source: https://example.org
currency: BTC
network: BTC
confidence: service_data
tags:
"""


def pack(path, *tags):
    path.write_text(PACK + "".join(f"- address: {address}\n  label: {json.dumps(label)}\n" for address, label in tags))
    return str(path)


def listed(cli, *arguments):
    answer = cli("tags", "list", *arguments, "--json").json
    assert answer["basis"] == "assertion"
    return [(each["subject"], each["label"]) for each in answer["tags"]]


def test_a_list_and_its_next_version(cli, tmp_path):
    first = cli("tags", "import", pack(tmp_path / "a.yaml", (ONE, "One"), (OTHER, "Two")), "--by", "A", "--json").json
    (done,) = first["imports"]
    assert (done["version"]["added"], done["version"]["withdrawn"], done["unchanged"]) == (2, 0, False)
    assert done["version"]["imported_by"] == "A"
    again = cli("tags", "import", str(tmp_path / "a.yaml"), "--json").json
    assert again["imports"][0]["unchanged"]
    assert again["tag_set"] == first["tag_set"]
    text = cli("tags", "import", pack(tmp_path / "a.yaml", (ONE, "One")))
    assert "withdrawn   1" in text.out
    assert listed(cli) == [(ONE, "One")]
    events = cli("tags", "history", OTHER, "--json").json["events"]
    assert [each["what"] for each in events] == ["imported", "withdrawn"]
    versions = cli("tags", "history", "a.yaml", "--json").json["versions"]
    assert [each["tags"] for each in versions] == [2, 1]


def test_what_was_known_before_anything_was(cli, tmp_path):
    cli("tags", "import", pack(tmp_path / "a.yaml", (ONE, "One")))
    assert listed(cli, "--known-at", "2009-01-03") == []
    assert listed(cli, "--known-at", "9999-12-31") == [(ONE, "One")]
    assert cli("tags", "collections", "--known-at", "2009-01-03", "--json").json["collections"] == []


def test_a_tag_is_taken_back_and_that_too(cli, tmp_path):
    cli("tags", "import", pack(tmp_path / "a.yaml", (ONE, "One"), (OTHER, "Two")))
    before = cli("tags", "collections", "--json").json["tag_set"]
    taken = cli("tags", "retract", ONE, "--reason", "typing error", "--by", "A", "--json").json
    assert (taken["what"], taken["tags"], taken["by"]) == ("retracted", 1, "A")
    assert taken["tag_set"] != before
    assert listed(cli) == [(OTHER, "Two")]
    assert "typing error" in cli("tags", "history", ONE).out
    assert cli("tags", "retract", ONE, "--undo", "--json").json["tag_set"] == before
    assert listed(cli, ONE) == [(ONE, "One")]
    assert cli("tags", "retract", "--reason", "x").code == 2
    assert cli("tags", "retract", ONE).code == 2
    assert cli("tags", "retract", ONE, "--undo", "--reason", "x").code == 2
    assert cli("tags", "retract", "nothing", "--reason", "x").code == 3


def test_an_import_says_what_stays_retracted(cli, tmp_path):
    cli("tags", "import", pack(tmp_path / "a.yaml", (ONE, "One"), (OTHER, "Two")))
    cli("tags", "retract", ONE, "--reason", "typing error\x1b[2K", "--by", "A")
    path = tmp_path / "a.yaml"
    path.write_text(path.read_text().replace("currency:", "lastmod: 2024-05-02\ncurrency:"))
    answer = cli("tags", "import", str(path))
    assert "1 tag(s) of this version stay retracted here, the first since 20" in answer.err
    assert "by A: typing error\\x1b[2K" in answer.err
    assert listed(cli) == [(OTHER, "Two")]
    (done,) = cli("tags", "import", str(path), "--json").json["imports"]
    assert (done["unchanged"], done["retracted"], done["first_retraction"]["retracted_by"]) == (True, 1, "A")


def test_filters(cli, tmp_path):
    cli("tags", "import", pack(tmp_path / "a.yaml", (ONE, "Binance"), (OTHER, "Kraken")))
    cli("tags", "import", pack(tmp_path / "b.yaml", (ONE, "Bitfinex")))
    assert listed(cli, ONE) == [(ONE, "Binance"), (ONE, "Bitfinex")]
    assert listed(cli, ONE, "--collection", "b.yaml") == [(ONE, "Bitfinex")]
    assert listed(cli, "bi") == [(ONE, "Binance"), (ONE, "Bitfinex")]
    assert listed(cli, "--confidence", "ownership") == []
    assert len(listed(cli, "--limit", "2")) == 2
    assert cli("tags", "list", "--confidence", "sure").code == 2
    assert cli("tags", "list", "--known-at", "yesterday").code == 2
    assert cli("tags", "list", "--valid-on", "2024-02-30").code == 2


def test_public_packs_come_out_as_they_went_in(cli, tmp_path):
    packs = sorted((shared_data() / "tags").glob("*.yaml"))
    assert packs
    cli("tags", "import", str(packs[0].parent), "--by", "x")
    for path in packs:
        copy = tmp_path / path.name
        assert cli("tags", "export", path.name, "-o", str(copy)).code == 0
        assert expanded(copy) == expanded(path)


def test_public_packs_lose_nothing_for_graphsense(cli, tmp_path):
    """They have no field that its validator refuses, so the option changes no byte and says nothing."""
    packs = sorted((shared_data() / "tags").glob("*.yaml"))
    assert len(packs) == 10
    cli("tags", "import", str(packs[0].parent), "--by", "x")
    for path in packs:
        for name, option in (("plain", ()), ("theirs", ("--for-graphsense",))):
            done = cli("tags", "export", path.name, "-o", str(tmp_path / name), "--overwrite", *option)
            assert (done.code, done.err) == (0, "")
        assert (tmp_path / "theirs").read_bytes() == (tmp_path / "plain").read_bytes()


def test_what_is_left_out_for_graphsense_is_said(cli, tmp_path):
    dated = f"- address: {ONE}\n  label: a\n  valid_from: 2020-01-01\n  colour: red\n"
    plain = f"- address: {OTHER}\n  label: b\n"
    (tmp_path / "a.yaml").write_text(PACK.replace("tags:", "author: somebody\ntags:") + dated + plain)
    cli("tags", "import", str(tmp_path / "a.yaml"))
    whole, theirs = tmp_path / "whole.yaml", tmp_path / "theirs.yaml"
    assert cli("tags", "export", "a.yaml", "-o", str(whole)).err == ""
    done = cli("tags", "export", "a.yaml", "-o", str(theirs), "--for-graphsense", "--json")
    lost = {"header's author": 1, "tags' author": 2, "tags' colour": 1, "tags' valid_from": 1}
    assert done.json["left_out"] == {f"{name}, which GraphSense does not know": count for name, count in lost.items()}
    for name, count in lost.items():
        assert f"left out: {count} {name}, which GraphSense does not know\n" in done.err
    before, after = expanded(whole), expanded(theirs)
    ours = {"author", "valid_from", "colour"}
    assert after == (without(before[0], ours), [without(each, ours) for each in before[1]])
    for other in ("csv", "bip329"):
        refused = cli("tags", "export", "a.yaml", "-o", str(tmp_path / "x"), "--format", other, "--for-graphsense")
        assert (refused.code, (tmp_path / "x").exists()) == (2, False)


def without(fields, names):
    return {name: value for name, value in fields.items() if name not in names}


def expanded(path):
    """A pack with every field of its header in each of its tags."""
    document = yaml.safe_load(path.read_text("utf-8"))
    header = {name: value for name, value in document.items() if name != "tags"}
    return header, [{**header, **each} for each in document["tags"]]


def test_a_table_comes_out_as_it_went_in(cli, tmp_path):
    source = tmp_path / "a.csv"
    source.write_text(f"wallet;name;confidence\n{ONE};One;service_data\n{OTHER};Two;unknown\n")
    options = ("--source", "https://x", "--column", "address=wallet", "--column", "label=name", "--delimiter", ";")
    assert cli("tags", "import", str(source), *options).code == 0
    cli("tags", "export", "a.csv", "-o", str(tmp_path / "b.csv"), "--format", "csv")
    cli("tags", "import", str(tmp_path / "b.csv"))
    both = [
        [(each["subject"], each["label"], each["source"], each["confidence"]) for each in answer["tags"]]
        for name in ("a.csv", "b.csv")
        for answer in [cli("tags", "list", "--collection", name, "--json").json]
    ]
    assert both[0] == both[1] == [(ONE, "One", "https://x", "service_data"), (OTHER, "Two", "https://x", "unknown")]


def test_a_table_without_confidences_is_said_to_be_leads_and_may_be_given_one(cli, tmp_path):
    source = tmp_path / "a.csv"
    source.write_text(f"address,label,source,confidence\n{ONE},One,x,\n{OTHER},Two,x,web_crawl\n")
    for _ in "12":
        for option in ((), ("--json",)):
            done = cli("tags", "import", str(source), *option)
            assert done.code == 0
            assert "1 tag(s) of a.csv give no confidence, so it is unknown: they are leads" in done.err
            assert "--confidence NAME" in done.err
    given = cli("tags", "import", str(source), "--confidence", "authority_data")
    assert (given.code, given.err) == (0, "")
    tags = cli("tags", "list", "--json").json["tags"]
    assert {each["label"]: each["confidence"] for each in tags} == {"One": "authority_data", "Two": "web_crawl"}
    wrong = cli("tags", "import", str(source), "--confidence", "sure")
    assert (wrong.code, wrong.out) == (2, "")
    assert "service_data" in wrong.err


def test_no_cell_of_an_exported_table_is_a_formula(cli, tmp_path):
    cli("tags", "import", pack(tmp_path / "a.yaml", (ONE, '=HYPERLINK("x")'), (OTHER, "@x")))
    cli("tags", "export", "a.yaml", "-o", str(tmp_path / "a.csv"), "--format", "csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    assert labels == ['\'=HYPERLINK("x")', "'@x"]


def test_an_export_replaces_nothing_unasked(cli, tmp_path):
    cli("tags", "import", pack(tmp_path / "a.yaml", (ONE, "One")))
    before = (tmp_path / "a.yaml").read_bytes()
    for target in ("a.yaml", ".", "no/folder"):
        assert cli("tags", "export", "a.yaml", "-o", str(tmp_path / target)).code == 2
    assert (tmp_path / "a.yaml").read_bytes() == before
    assert cli("tags", "export", "a.yaml", "-o", str(tmp_path / "a.yaml"), "--overwrite").code == 0
    assert cli("tags", "export", "b.yaml", "-o", str(tmp_path / "b.yaml")).code == 3
    assert cli("tags", "export", "a.yaml", "-o", str(tmp_path / "c"), "--format", "xml").code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "home"]


def test_two_files_of_one_name_are_not_taken_for_versions(cli, tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        pack(tmp_path / folder / "list.yaml", (ONE, folder))
    answer = cli("tags", "import", str(tmp_path / "a"), str(tmp_path / "b"))
    assert (answer.code, answer.out) == (2, "")
    assert "--collection" in answer.err
    assert cli("tags", "import", str(tmp_path / "a"), str(tmp_path / "b"), "--collection", "x").code == 2
    (tmp_path / "empty").mkdir()
    assert cli("tags", "import", str(tmp_path / "empty")).code == 2


def test_a_fault_in_a_file_leaves_the_database_as_it_was(cli, tmp_path):
    cli("tags", "import", pack(tmp_path / "a.yaml", (ONE, "One")))
    before = cli("tags", "collections", "--json").json["tag_set"]
    broken = tmp_path / "b.yaml"
    pack(broken, (OTHER, "Two"))
    broken.write_text(broken.read_text() + "- address: x\n")
    answer = cli("tags", "import", str(broken))
    assert answer.code == 4
    assert "line 10" in answer.err or ":10" in answer.err
    assert cli("tags", "collections", "--json").json["tag_set"] == before


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: None])
def test_what_is_no_file_is_refused(cli, tmp_path, make):
    make(tmp_path / "a.yaml")
    answer = cli("tags", "import", str(tmp_path / "a.yaml"))
    assert answer.code in (4, 6)
    assert answer.err.startswith("error: ")


def test_nothing_is_made_by_a_question(cli, tmp_path):
    for words in (
        ["list"],
        ["collections"],
        ["history", "x"],
        ["retract", "x", "--reason", "y"],
        ["export", "x", "-o", "y"],
    ):
        answer = cli("tags", *words)
        assert answer.code == 6
        assert "tags import" in answer.err
    assert not (tmp_path / "home").exists()


def test_names_cannot_write_on_the_terminal(cli, tmp_path):
    evil = tmp_path / "a.csv"
    evil.write_text(f'address,label,source\n{ONE},"<script>alert(1)</script>",https://x\n')
    assert cli("tags", "import", str(evil)).code == 0
    shown = cli("tags", "list")
    assert "<script>" in shown.out  # plain text here, escaped where it would be markup
    for hidden in ("\x1b[31m", "\u202e", "\u200b"):
        evil.write_text(f"address,label,source\n{ONE},A{hidden}B,https://x\n")
        answer = cli("tags", "import", str(evil))
        assert answer.out.replace("\n", "").isprintable()
        assert answer.err.replace("\n", "").isprintable()
        assert cli("tags", "list").out.replace("\n", "").isprintable()


TEXTS = ("", " ", "\0", "a\0b", "\udcff", "x" * 100_000, "' OR 1=1 --", "%", "\x1b[31m", "\u202egnp", "--", "-1")


@pytest.mark.parametrize(
    "words",
    [
        ("list", "T"), ("list", "--actor", "T"), ("list", "--known-at", "T"), ("list", "--collection", "T"),
        ("history", "T"), ("retract", "T", "--reason", "T"), ("retract", ONE, "--reason", "T"),
        ("export", "T", "-o", "T"), ("import", "T"), ("import", "a.yaml", "--collection", "T"),
        ("import", "a.yaml", "--by", "T"), ("import", "a.yaml", "--column", "T"), ("import", "a.yaml", "--format", "T"),
        ("collections", "--database", "T"), ("import", "a.csv", "--delimiter", "T"),
    ],
)  # fmt: skip
def test_hostile_words_never_end_in_a_traceback(cli, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    cli("tags", "import", pack(tmp_path / "first.yaml", (ONE, "One")))
    pack(tmp_path / "a.yaml", (ONE, "One"))
    (tmp_path / "a.csv").write_text(f"address,label,source\n{ONE},x,y\n")
    for text in TEXTS:
        code, out, err = cli("tags", *(text if word == "T" else word for word in words))
        shown = f"{words} {text[:40]!a}: {code} {err[:300]!a}"
        assert code in (0, 2, 3, 4, 6), shown
        assert "Traceback" not in err, shown
        assert "fault" not in err, shown
        assert (out + err).replace("\n", "").isprintable(), shown
        assert len(err) < 2_000, shown
