"""Bad and hostile arguments: a code, a sentence on stderr, nothing on stdout, no traceback, no secret repeated."""

import re

import pytest

from cointrail.cli.main import run

PAYMENT = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"  # published in the Bitcoin wiki
WIF_COMPRESSED = "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617"
MISTYPED = WIF[:-1] + "K"
XPRV = (  # BIP32, test vector 1
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
)
BIP38 = "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg"  # BIP38, test vector
MINI = "S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy"  # published in the Bitcoin wiki
SEED_WORDS = " ".join(["abandon"] * 11 + ["about"])  # BIP39, test vector
SECRETS = (WIF, WIF_COMPRESSED, MISTYPED, XPRV, BIP38, MINI, SEED_WORDS)

TEXTS = (
    "", " ", "nan", "NaN", "inf", "-inf", "1e9", "0x10", "٣", "²", "1_000", "-1", "9" * 30, "\0", "a\0b", "😀" * 10,
    "x" * 1_000_000, "1" * 1_000_000, "0" * 63, "0" * 65, "g" * 64, "\udcff", "-", "--", "../../etc/passwd", "script:",
    "script:zz", "script:6a", "script:" + "00" * 500_000, "%s%n", "' OR 1=1", "\n\r\t", "\x1b[31mred", "\x9b31m",
    f"{PAYMENT}:99999999999", f"{PAYMENT}:7", f"{PAYMENT}:-1", f"{PAYMENT}:", ":", "::", "bc1qqqq", "bcrt1qqqqqq",
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2x", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "‮gnp", *SECRETS,
)  # fmt: skip
"""Emoji, NUL, controls, wrong checksums and networks, numbers of other scripts, secrets, a megabyte."""

PLACES = {
    "block": ("block", "TEXT"),
    "tx": ("tx", "TEXT"),
    "address": ("address", "TEXT"),
    "history": ("address", "TEXT", "--history", "--json"),
    "cluster": ("cluster", "TEXT", "--json"),
    "seed": ("trace", "TEXT", "--json"),
    "change": ("change", "TEXT", "--json"),
    "explain": ("explain", "TEXT", "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"),
    "proof": ("explain", "--check-file", "TEXT"),
    "overlay": ("overlay", "apply", "TEXT"),
    "list": ("lists", "add", "SOURCE/TEXT", "--key", "TEXT"),
    "list name": ("lists", "remove", "TEXT"),
    "ingest": ("ingest", "TEXT"),
    "command": ("TEXT",),
    "extra": ("status", "TEXT"),
    "policy": ("trace", PAYMENT, "--policy", "TEXT"),
    "as-of": ("status", "--as-of=TEXT",),
    "network": ("ingest", "SOURCE", "--network", "TEXT"),
}  # fmt: skip

GOOD = {("as-of", "0" * 63), ("as-of", "0" * 65)}  # height 0, at length


@pytest.mark.parametrize("place", PLACES)
def test_hostile_texts_are_refused_with_words(cli, mainnet, tmp_path, place):
    (tmp_path / "empty").mkdir()
    ledger = str(mainnet) if place not in ("ingest", "network") else str(tmp_path / "ledger")
    for text in (each for each in TEXTS if (place, each) not in GOOD):
        words = [word.replace("TEXT", text).replace("SOURCE", str(tmp_path / "empty")) for word in PLACES[place]]
        code, out, err = cli(*words, "--ledger", ledger)
        shown = f"{place} {text[:60]!a}: {code} {err[:300]!r}"
        if place == "extra" and text == "--":
            assert code == 2, shown
            continue
        assert code in (2, 3, 4, 6), shown
        assert out == "", shown
        assert err.startswith("error: "), shown
        assert len(err) < 1_000, shown
        assert "Traceback" not in err, shown
        assert err.replace("\n", "").isprintable(), shown
        for secret in SECRETS:
            assert secret not in err, shown
            assert secret not in out, shown


NUMBERS = {
    "as-of": ("status", "--as-of=N"),
    "first": ("block", "9", "--first=N"),
    "limit": ("block", "9", "--limit=N"),
    "hops": ("trace", PAYMENT, "--hops=N"),
    "min-sat": ("trace", PAYMENT, "--min-sat=N"),
    "transactions": ("trace", PAYMENT, "--transactions=N"),
    "until": ("ingest", "SOURCE", "--until=N"),
}


@pytest.mark.parametrize("option", NUMBERS)
def test_what_is_no_number_is_usage(cli, mainnet, tmp_path, option):
    for text in ("nan", "inf", "-1", "1.5", "1e3", "", "0x1", "²", "1" * 10_000, "None", "true"):
        words = [word.replace("=N", f"={text}").replace("SOURCE", str(tmp_path)) for word in NUMBERS[option]]
        code, out, err = cli(*words, "--ledger", str(mainnet))
        assert code == 2, (text[:20], err[:200])
        assert out == ""
        assert f"--{option}" in err
        assert len(err) < 1_000


@pytest.mark.parametrize("option", ["first", "limit", "hops", "min-sat", "transactions"])
@pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**63, 2**64, 10**30])
def test_huge_numbers_are_only_large(cli, mainnet, option, number):
    words = [word.replace("=N", f"={number}") for word in NUMBERS[option]]
    code, out, err = cli(*words, "--ledger", str(mainnet), "--json")
    assert code == 0, err
    assert out.startswith("{")


def test_huge_page_of_a_history_and_a_cluster(cli, regtest):
    address = regtest.addresses[0]
    huge = str(10**30)
    for command in (("address", address, "--history"), ("cluster", address)):
        answer = cli(*command, "--first", huge, "--limit", huge, "--ledger", str(regtest.ledger), "--json")
        assert answer.code == 0, answer.err


def test_height_beyond_the_tip_is_not_found(cli, mainnet):
    for words in (("status", "--as-of", "600"), ("block", "600"), ("status", "--as-of", str(10**30))):
        code, out, err = cli(*words, "--ledger", str(mainnet))
        assert (code, out) == (3, "")
        assert "599" in err


def test_unknown_names_are_not_found(cli, mainnet):
    for words in (("tx", "0" * 64), ("block", "f" * 64), ("trace", "1" * 64), ("trace", f"{PAYMENT}:2")):
        code, out, err = cli(*words, "--ledger", str(mainnet))
        assert (code, out) == (3, ""), err


def test_an_address_of_another_network_is_named(cli, mainnet, regtest):
    address = next(each for each in regtest.addresses if each.startswith("bcrt1"))
    answer = cli("address", address, "--ledger", str(mainnet))
    assert answer.code == 4
    assert "regtest" in answer.err
    assert "mainnet" in answer.err


def test_both_directions_exclude_each_other(cli, mainnet):
    answer = cli("trace", PAYMENT, "--forward", "--backward", "--ledger", str(mainnet))
    assert (answer.code, answer.out) == (2, "")


@pytest.mark.parametrize("secret", SECRETS)
def test_verbose_does_not_repeat_a_secret_either(cli, mainnet, secret):
    for words in (("block", secret), ("tx", secret), ("trace", secret), ("ingest", secret)):
        code, out, err = cli("--verbose", *words, "--ledger", str(mainnet))
        assert code in (2, 3, 4, 6)
        assert "Traceback" in err
        assert secret not in out + err, words


def test_seed_words_as_single_arguments(cli):
    answer = cli("address", *SEED_WORDS.split())
    assert answer.code == 2
    assert "abandon" not in answer.err


def test_a_fault_of_ours_is_one_sentence(cli, mainnet, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError(f"with {WIF}")

    monkeypatch.setattr("cointrail.service.blocks.status", fail)
    code, out, err = cli("status", "--ledger", str(mainnet))
    assert (code, out) == (1, "")
    assert err.startswith("error: a fault of cointrail: ZeroDivisionError")
    assert "Traceback" not in err
    assert WIF not in err
    code, _, err = cli("--verbose", "status", "--ledger", str(mainnet))
    assert code == 1
    assert "Traceback" in err
    assert WIF not in err


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (MemoryError(), 6), (PermissionError(13, "Denied", "f"), 6)]
)
def test_what_python_raises_has_a_code(cli, mainnet, monkeypatch, error, code):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("cointrail.service.blocks.status", fail)
    answer = cli("status", "--ledger", str(mainnet))
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.strip()
    assert "Traceback" not in answer.err


# The ledger's folder.


def test_no_ledger_named(cli):
    for command in (("status",), ("tx", "0" * 64), ("verify",), ("ingest", ".")):
        code, out, err = cli(*command)
        assert (code, out) == (2, "")
        assert "COINTRAIL_LEDGER" in err


def test_ledger_that_is_a_file_or_missing(cli, regtest, tmp_path):
    file = tmp_path / "file"
    file.write_text("hello")
    for place in (file, file / "below", tmp_path / "nothing", tmp_path):
        for command in (("status",), ("verify",), ("block", "0")):
            code, out, err = cli(*command, "--ledger", str(place))
            assert (code, out) == (6, ""), (place, err)
    code, out, err = cli("ingest", str(regtest.source), "--ledger", str(file))
    assert (code, out) == (6, "")
    assert file.read_text() == "hello"
    assert str(file) in err


def test_ledger_of_another_format_says_why(cli, regtest, tmp_path):
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    text = (regtest.ledger / "MANIFEST.json").read_text()
    (ledger / "MANIFEST.json").write_text(re.sub(r'"format": \d+', '"format": 999', text))
    code, out, err = cli("status", "--ledger", str(ledger))
    assert (code, out) == (6, "")
    assert "format 999" in err
    for content in ("", "{}", "[1]", "null", "\0", '{"format": 1}', text[:200], "[" * 100_000):
        (ledger / "MANIFEST.json").write_text(content)
        assert cli("status", "--ledger", str(ledger)).code == 6


def test_ledger_of_another_network_is_kept(cli, mainnet, regtest):
    before = (mainnet / "MANIFEST.json").read_bytes()
    code, out, err = cli("ingest", str(regtest.source), "--ledger", str(mainnet))
    assert (code, out) == (6, "")
    assert "mainnet" in err
    assert "regtest" in err
    assert (mainnet / "MANIFEST.json").read_bytes() == before
    assert cli("ingest", str(regtest.source), "--network", "mainnet", "--ledger", str(mainnet)).code == 4


def test_faulty_blocks_end_with_code_4_after_publishing(cli, regtest, tmp_path):
    source = tmp_path / "blocks"
    source.mkdir()
    (source / "xor.dat").write_bytes((regtest.source / "xor.dat").read_bytes())
    raw = bytearray((regtest.source / "blk00000.dat").read_bytes())
    raw[len(raw) // 2] ^= 0x10
    (source / "blk00000.dat").write_bytes(raw)
    code, out, err = cli("ingest", str(source), "--ledger", str(tmp_path / "ledger"))
    assert code == 4
    assert "the ledger ends at height" in err
    height = cli("status", "--ledger", str(tmp_path / "ledger"), "--json").json["height"]
    assert f"height      {height}\n" in out
    assert 0 < height < len(regtest.chain.branch()) - 1


def test_empty_arguments_show_the_help(capsys):
    assert run([]) == 0
    assert "Commands:" in capsys.readouterr().out
