"""`cointrail search`: data on stdout, words on stderr, an exit code that says what was found."""

import io

import pytest
from command_lines import run_command
from naughty_texts import NAUGHTY, SECRETS, telling_parts

from cointrail.cli import search
from cointrail.errors import CointrailError, InputRefused, NotFound, UsageError

PAYMENT = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"


@pytest.fixture
def ask(tmp_path, monkeypatch):
    for name in ("COINTRAIL_LEDGER", "COINTRAIL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COINTRAIL_HOME", str(tmp_path / "home"))
    return lambda *words: run_command(search, *words)


def test_a_found_thing_is_printed_with_what_to_do_next(ask, mainnet):
    done = ask(PAYMENT, "--ledger", mainnet)
    assert done.error is None
    assert done.out.splitlines()[0] == f"transaction: {PAYMENT}"
    assert f"  $ cointrail tx {PAYMENT}" in done.out
    assert done.err == ""
    found = ask("height", "170", "--ledger", mainnet, "--json").json
    assert (found["hits"][0]["kind"], found["snapshot"]["height"]) == ("height", 599)
    assert ask("200", "--ledger", mainnet, "--as-of", "200", "--json").json["hits"][0]["state"] == "found"


def test_what_is_absent_or_nothing_has_its_exit_code(ask, mainnet):
    assert isinstance(ask("600", "--ledger", mainnet).error, NotFound)
    assert "refused" not in ask("600", "--ledger", mainnet).out
    refused = ask("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", "--ledger", mainnet)
    assert isinstance(refused.error, InputRefused)
    assert "checksum" in refused.out
    assert isinstance(ask("the", "moon", "--ledger", mainnet).error, InputRefused)


def test_without_a_ledger_it_says_so(ask):
    done = ask(PAYMENT)
    assert done.error is None
    assert "no ledger was named" in done.err
    assert isinstance(ask(PAYMENT, "--as-of", "1").error, UsageError)


def test_a_pasted_text_is_read_from_stdin(ask, mainnet, monkeypatch):
    class Stdin:
        buffer = io.BytesIO(f"as written: {PAYMENT},\nthen block 170 \xff".encode("latin-1"))

    monkeypatch.setattr(search.sys, "stdin", Stdin)
    text = search._pasted()
    assert text.startswith("as written")
    done = ask(text, "--ledger", mainnet)
    assert "(at character 12)" in done.out
    assert "height: 170" in done.out


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_naughty_texts_have_words_and_no_secret_leaves(ask, mainnet, json):
    for text in (*NAUGHTY, *SECRETS):
        done = ask("--ledger", mainnet, *json, "--", text)
        assert done.error is None or isinstance(done.error, CointrailError), text[:40]
        assert (done.out + done.err).replace("\n", "").isprintable()
        assert len(done.out) < 3_000
        if text in SECRETS:
            for part in telling_parts(text):
                assert part not in done.out + done.err + str(done.error)
            assert done.error is None
            assert "secret" in done.out
            assert "history" in done.err
