"""Where a setting's value comes from."""

from pathlib import Path

import pytest

from cointrail import config
from cointrail.errors import InputRefused, UsageError


def settings_file(folder: Path, text: str) -> dict[str, str]:
    """An environment that names a settings file with this text."""
    (folder / "c.toml").write_text(text, "utf-8")
    return {"COINTRAIL_CONFIG": str(folder / "c.toml")}


def test_precedence_of_the_ledger(tmp_path):
    file = settings_file(tmp_path, 'ledger = "from-file"')
    both = file | {"COINTRAIL_LEDGER": "from-environment"}
    assert config.ledger(Path("from-flag"), both) == config.Value(config.LEDGER, Path("from-flag"), "flag")
    assert config.ledger(None, both) == config.Value(config.LEDGER, Path("from-environment"), "environment")
    assert config.ledger(None, file) == config.Value(config.LEDGER, Path("from-file"), "file")
    assert config.ledger(None, {"COINTRAIL_HOME": str(tmp_path)}) == config.Value(config.LEDGER, None, "default")


def test_an_empty_variable_is_not_set(tmp_path):
    file = settings_file(tmp_path, 'ledger = "from-file"')
    assert config.ledger(None, file | {"COINTRAIL_LEDGER": ""}).origin == "file"
    assert config.home({"COINTRAIL_HOME": ""}).origin == "default"


def test_home_and_settings_file(tmp_path):
    assert config.home({"COINTRAIL_HOME": str(tmp_path)}).value == tmp_path
    assert config.config_file({"COINTRAIL_HOME": str(tmp_path)}).value == tmp_path / "config.toml"
    stated = config.config_file({"COINTRAIL_HOME": str(tmp_path), "COINTRAIL_CONFIG": "x.toml"})
    assert (stated.value, stated.origin) == (Path("x.toml"), "environment")
    assert config.home({}).value.name == "cointrail"


def test_a_tilde_is_the_users_folder(tmp_path):
    file = settings_file(tmp_path, 'ledger = "~/a"')
    assert config.ledger(None, file).value == Path.home() / "a"
    assert config.ledger(None, {"COINTRAIL_LEDGER": "~/b"}).value == Path.home() / "b"
    assert config.home({"COINTRAIL_HOME": "~/c"}).value == Path.home() / "c"


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(InputRefused, match="no settings file") as caught:
        config.ledger(None, {"COINTRAIL_CONFIG": str(tmp_path / "missing.toml")})
    assert "COINTRAIL_CONFIG" in caught.value.hint
    assert config.ledger(None, {"COINTRAIL_HOME": str(tmp_path / "missing")}).value is None


def test_unknown_settings_name_the_nearest(tmp_path):
    with pytest.raises(InputRefused, match="unknown setting 'ledgre'") as caught:
        config.ledger(None, settings_file(tmp_path, 'ledgre = "x"'))
    assert caught.value.hint == "did you mean 'ledger'?"
    with pytest.raises(InputRefused) as caught:
        config.ledger(None, settings_file(tmp_path, "zzz = 1"))
    assert caught.value.hint == "known settings: database, ledger"


@pytest.mark.parametrize("text", ["ledger = 1", "ledger = true", 'ledger = ["a"]', "[ledger]\na = 1", "ledger = 1.5"])
def test_a_setting_must_be_a_text(tmp_path, text):
    with pytest.raises(InputRefused, match="must be a text"):
        config.ledger(None, settings_file(tmp_path, text))


@pytest.mark.parametrize("text", ["ledger =", "= 1", "\0", "ledger = 'a", "[[[", "ledger = 1\nledger = 2"])
def test_a_file_that_is_no_toml_is_refused(tmp_path, text):
    with pytest.raises(InputRefused, match="cannot read settings file"):
        config.ledger(None, settings_file(tmp_path, text))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "c.toml").write_bytes(b'ledger = "\xff\xfe"')
    with pytest.raises(InputRefused, match="cannot read settings file"):
        config.ledger(None, {"COINTRAIL_CONFIG": str(tmp_path / "c.toml")})


def test_a_path_with_a_nul_is_refused(tmp_path):
    with pytest.raises(InputRefused, match="must be a text without NUL"):
        config.ledger(None, settings_file(tmp_path, 'ledger = "a\\u0000b"'))


def test_a_ledger_is_required(monkeypatch, tmp_path):
    monkeypatch.setenv("COINTRAIL_HOME", str(tmp_path))
    monkeypatch.delenv("COINTRAIL_LEDGER", raising=False)
    monkeypatch.delenv("COINTRAIL_CONFIG", raising=False)
    assert config.required_ledger(Path("x")) == Path("x")
    with pytest.raises(UsageError, match="no ledger was named") as caught:
        config.required_ledger()
    for word in ("--ledger", "COINTRAIL_LEDGER", "config.toml"):
        assert word in caught.value.hint


def test_every_setting_has_a_variable_and_a_text():
    assert [setting.variable for setting in config.SETTINGS] == [
        "COINTRAIL_HOME",
        "COINTRAIL_CONFIG",
        "COINTRAIL_LEDGER",
        "COINTRAIL_DATABASE",
    ]
    assert all(setting.text for setting in config.SETTINGS)
    assert "COINTRAIL_DATA" not in [setting.variable for setting in config.SETTINGS]  # the tests' real data
