"""What a statement says and rests on: the words of its source, and one source told twice is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.attribution.claims import Stated, is_its_file
from cointrail.attribution.tag import Statement


def stated(source, collection="pack.yaml", **more):
    return Stated(Statement("Binance", source, "authority_data"), collection, **more)


@pytest.mark.parametrize(
    "source",
    [
        "https://a.org/list",
        "https://a.org./list",
        "HTTPS://WWW.A.org",
        "http://a.org:8080/x",
        "https://somebody@a.org/y",
        "https://a.org?page=2",
        "https://a.org#top",
        " https://a.org/ ",
        "a.org",
    ],
)
def test_a_host_is_one_however_it_is_written(source):
    assert stated(source).basis == "a.org"


@pytest.mark.parametrize("source", ["https://b.org", "https://a.org.b.org", "https://a.org@b.org/", "a.org, page 2"])
def test_what_only_resembles_a_host_is_another(source):
    assert stated(source).basis != "a.org"


@given(st.text().filter(str.strip), st.sampled_from(["", "https://", "https://[", "://", "https://@:/"]))
def test_every_source_is_a_basis(text, begin):
    """Some of these are no address that can be read, and all are a source."""
    basis = stated(begin + text).basis
    assert basis
    assert basis == stated(f" {begin}{text} ").basis


def test_a_list_is_one_basis_under_any_name():
    content, other = "0" * 64, "1" * 64
    copies = {stated("", name, content=content).basis for name in ("a.csv", "b.csv")}
    assert len(copies) == 1
    assert stated("", "a.csv", content=other).basis not in copies


@pytest.mark.parametrize(
    ("source", "expected"),
    [("", True), ("a.csv", True), ("mining pool list a.csv", True), ("https://x.org/a.csv", False), ("court", False)],
)
def test_a_file_that_names_itself_names_no_source(source, expected):
    assert is_its_file(source, "a.csv") is expected


def test_nobody_else_puts_words_into_a_sources_mouth():
    """A pack may call Binance what it likes; the police said Binance."""
    plain = stated("police")
    assert (plain.name, plain.sentence, plain.aliased) == ("Binance", "attributed to Binance by police", "")
    called = stated("police", alias_of="evil-market", alias_by="actors.yaml")
    assert (called.name, called.sentence) == ("evil-market", plain.sentence)
    assert called.aliased == "Binance is called evil-market by actors.yaml"
