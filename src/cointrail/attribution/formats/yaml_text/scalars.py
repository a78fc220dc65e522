"""What an unquoted YAML text means: PyYAML's rules of YAML 1.1, as GraphSense reads packs.

One rule is GraphSense's own: an unquoted `0x...` is an address or a hash, never a number, so it stays text.
"""

import datetime
import math
import re
from functools import lru_cache
from typing import Any, Final, TypeAlias

import yaml

Value: TypeAlias = "str | int | float | bool | datetime.date | list[Value] | dict[str, Value] | None"
"""What a pack can hold; a `datetime.datetime` is a `datetime.date` too."""

_RULES: Final[dict[str, Any]] = yaml.SafeLoader.yaml_implicit_resolvers
_MAKERS: Final[dict[str | None, Any]] = yaml.SafeLoader.yaml_constructors
_CONSTRUCTOR: Final = yaml.constructor.SafeConstructor()
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F_]+")
_MOST_DIGITS: Final = 64


def resolve(text: str) -> Value:
    """The value of an unquoted scalar.

    Raises:
        ValueError: it looks like a number or a date and is none that can be kept; the message says why.
    """
    if len(text) <= _MOST_DIGITS:
        return _resolve(text)
    if is_text(text):
        return text
    raise ValueError(f"a number or date of {len(text):,} characters")


def is_text(text: str) -> bool:
    """Whether an unquoted scalar is text to every reader, GraphSense's and PyYAML's."""
    return not any(pattern.match(text) for _, pattern in _RULES.get(text[:1], ()))


@lru_cache(maxsize=4096)
def _resolve(text: str) -> Value:
    for tag, pattern in _RULES.get(text[:1], ()):
        if pattern.match(text):
            return text if _HEXADECIMAL.fullmatch(text) else _made(tag, text)
    return text


def _made(tag: str, text: str) -> Value:
    make = _MAKERS.get(tag)
    if make is None or tag.endswith((":value", ":merge")):
        raise ValueError(f"{text!r}, which means something else than text in YAML")
    value: Value = make(_CONSTRUCTOR, yaml.ScalarNode(tag, text))
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{text!r}, which is no finite number")
    return value
