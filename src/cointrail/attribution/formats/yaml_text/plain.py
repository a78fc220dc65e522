"""Values of YAML as plain JSON, so that a database keeps them and they can be written back as they were.

JSON has no dates: they are `{"!time": TEXT}`. A name that begins with `!` gets another one, so nothing is mistaken.
"""

import datetime
import json
from typing import Any, Final

from cointrail.attribution.formats.yaml_text.scalars import Value, resolve

_TIME: Final = "!time"


def encode(value: Value) -> Any:
    """A value as plain JSON values."""
    if isinstance(value, dict):
        return {f"!{name}" if name.startswith("!") else name: encode(each) for name, each in value.items()}
    if isinstance(value, list):
        return [encode(each) for each in value]
    if isinstance(value, datetime.date):
        return {_TIME: value.isoformat()}
    return value


def decode(plain: Any) -> Value:
    """The value of what `encode` gave; of other JSON, the same."""
    if isinstance(plain, dict):
        if plain.keys() == {_TIME}:
            return resolve(str(plain[_TIME]))
        return {name[1:] if name.startswith("!!") else name: decode(each) for name, each in plain.items()}
    if isinstance(plain, (list, tuple)):
        return [decode(each) for each in plain]
    value: Value = plain
    return value


def canonical(value: Value) -> str:
    """A value as canonical JSON: equal for equal values only."""
    return json.dumps(encode(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parsed(text: str) -> Value:
    """The value of canonical JSON."""
    return decode(json.loads(text))
