"""Settings: one table, and where each value came from. Precedence: flag > environment > file > default."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from cointrail.errors import InputRefused, UsageError


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; its environment variable is `COINTRAIL_` + its name in capitals.

    Attributes:
        name: as in the settings file.
        text: what it means.
        in_file: True if it may stand in the settings file.
    """

    name: str
    text: str
    in_file: bool = False

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"COINTRAIL_{self.name.upper()}"


HOME = Setting("home", "folder of settings and databases; default: the platform's folder for application data")
CONFIG = Setting("config", "the settings file; default: config.toml in the home folder")
LEDGER = Setting("ledger", "the ledger to use when --ledger is not given", in_file=True)
DATABASE = Setting(
    "database",
    "the database of tags and prices: a file of SQLite, or postgresql://USER@HOST/NAME; default: cointrail.sqlite in "
    "the home folder",
    in_file=True,
)

SETTINGS = (HOME, CONFIG, LEDGER, DATABASE)


@dataclass(frozen=True, slots=True)
class Value:
    """A setting's value and its origin: `flag`, `environment`, `file` or `default`."""

    setting: Setting
    value: Path | str | None
    origin: str


def home(environment: Mapping[str, str] = os.environ) -> Value:
    """The home folder."""
    if text := environment.get(HOME.variable):
        return Value(HOME, Path(text).expanduser(), "environment")
    from platformdirs import user_data_path

    return Value(HOME, user_data_path("cointrail"), "default")


def config_file(environment: Mapping[str, str] = os.environ) -> Value:
    """The settings file, whether it exists or not."""
    if text := environment.get(CONFIG.variable):
        return Value(CONFIG, Path(text).expanduser(), "environment")
    folder = home(environment).value
    assert isinstance(folder, Path)
    return Value(CONFIG, folder / "config.toml", "default")


def ledger(flag: Path | None = None, environment: Mapping[str, str] = os.environ) -> Value:
    """The ledger's folder, or a value of None if no source names one."""
    if flag is not None:
        return Value(LEDGER, flag, "flag")
    if text := environment.get(LEDGER.variable):
        return Value(LEDGER, Path(text).expanduser(), "environment")
    if (stated := _read_file(config_file(environment)).get(LEDGER.name)) is not None:
        return Value(LEDGER, Path(stated).expanduser(), "file")
    return Value(LEDGER, None, "default")


def database(flag: str | None = None, environment: Mapping[str, str] = os.environ) -> Value:
    """Where tags and prices lie: a file or a URL, as text."""
    if flag is not None:
        return Value(DATABASE, flag, "flag")
    if text := environment.get(DATABASE.variable):
        return Value(DATABASE, text, "environment")
    if (stated := _read_file(config_file(environment)).get(DATABASE.name)) is not None:
        return Value(DATABASE, stated, "file")
    folder = home(environment).value
    assert isinstance(folder, Path)
    return Value(DATABASE, str(folder / "cointrail.sqlite"), "default")


def required_ledger(flag: Path | None = None) -> Path:
    """The ledger's folder.

    Raises:
        UsageError: no source names one.
    """
    value = ledger(flag).value
    if not isinstance(value, Path):
        raise UsageError(
            "no ledger was named",
            hint=f'give --ledger DIR, set {LEDGER.variable}, or write ledger = "DIR" into {config_file().value}',
        )
    return value


def _read_file(file: Value) -> dict[str, str]:
    path = file.value
    if not isinstance(path, Path) or not path.is_file():
        if path is not None and file.origin != "default":
            raise InputRefused(f"there is no settings file {path}", hint=f"unset {CONFIG.variable} or correct it")
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputRefused(f"cannot read settings file {path}: {error}") from error
    known = {setting.name for setting in SETTINGS if setting.in_file}
    for key, value in content.items():
        if key not in known:
            near = get_close_matches(key, known, 1)
            raise InputRefused(
                f"unknown setting {key!r} in {path}",
                hint=f"did you mean {near[0]!r}?" if near else f"known settings: {', '.join(sorted(known))}",
            )
        if not isinstance(value, str) or "\0" in value:
            raise InputRefused(f"setting {key!r} in {path} must be a text without NUL")
    return content
