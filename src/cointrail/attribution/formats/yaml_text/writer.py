"""YAML text of values, one line each: every reader of YAML 1.1 or 1.2 gets back what was written.

Texts stand without quotes only where no reader can take them for anything else.
"""

import datetime
import re
from typing import Final

from cointrail.attribution.formats.yaml_text.document import MOST_KEY
from cointrail.attribution.formats.yaml_text.scalars import Value, is_text
from cointrail.errors import InputRefused

_WORDS: Final = re.compile(
    r"(?!0o|[0-9][0-9eE.+-]*\Z|[yYnN]\Z)[A-Za-z0-9](?:[A-Za-z0-9_.+/()@-]| (?=[A-Za-z0-9(]))*", re.ASCII
)
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9_.+/()@?=%~:#&;!$*-]*[A-Za-z0-9_/=]", re.ASCII)
_NAMED: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def line(name: str, value: Value) -> str:
    """`name: value`, to stand in a block mapping.

    Raises:
        InputRefused: the name is longer than a reader takes.
    """
    if len(name) > MOST_KEY:
        raise InputRefused(
            f"the name of a field has {len(name):,} characters", hint=f"at most {MOST_KEY} can be written"
        )
    return f"{_text(name)}: {_block(value)}"


def _block(value: Value) -> str:
    return value if isinstance(value, str) and _is_web_address(value) else _flow(value)


def _flow(value: Value) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(name)}: {_flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    return _number(value)


def _number(value: float) -> str:
    text = repr(value)
    # YAML 1.1 knows an exponent only behind a point
    return text if "e" not in text or "." in text else text.replace("e", ".0e")


def _is_web_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


def _text(text: str) -> str:
    if _WORDS.fullmatch(text) and is_text(text):
        return text
    return '"' + "".join(each if _is_itself(each) else _escaped(each) for each in text) + '"'


def _is_itself(character: str) -> bool:
    return character not in _NAMED and character.isprintable()


def _escaped(character: str) -> str:
    code = ord(character)
    wide = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return _NAMED.get(character, wide)
