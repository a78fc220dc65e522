"""Reading the shared test data: vectors, real blocks and what nodes said about them.

The folder is not part of the project; a test that needs it skips, visibly, where it is absent.
"""

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from cointrail.bitcoin.script import disassemble

_REPOSITORY = Path(__file__).resolve().parents[2]
_TAGGED = re.compile(r"<tt>(.*?)</tt>")


def shared_data() -> Path:
    """Return the folder of shared data, or skip the test that asked."""
    folder = Path(os.environ.get("COINTRAIL_DATA") or _REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"shared test data not found at {folder}; set COINTRAIL_DATA")
    return folder


def load_json(path: str) -> Any:
    """Read a JSON file of the shared data, packed or not."""
    file = shared_data() / path
    text = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text("utf-8")
    return json.loads(text)


def core_cases(name: str) -> list[Any]:
    """Return the cases of one of Core's vector files, without the comments between them."""
    return [entry for entry in load_json(f"vectors/core/{name}") if len(entry) > 1 or not isinstance(entry[0], str)]


def bip_lists(name: str) -> dict[str, list[list[str]]]:
    """Return the bulleted vectors of a BIP's text.

    Returns:
        For each introducing sentence the list of its bullets; a bullet is the texts in typewriter face, with the
        characters written as ``0x20 +`` or ``+ 0xFF`` put back in their place.
    """
    lists: dict[str, list[list[str]]] = {}
    heading: list[str] = []
    in_list = False
    for line in (shared_data() / "vectors" / "bips" / name).read_text("utf-8").splitlines():
        if not line.startswith("* "):
            heading = [line] if in_list or not line else [*heading, line]
            in_list = False
            continue
        in_list = True
        texts = _TAGGED.findall(line)
        if before := re.match(r"\* 0x([0-9A-F]{2}) \+", line):
            texts[0] = chr(int(before[1], 16)) + texts[0]
        if after := re.search(r"</tt> \+ 0x([0-9A-F]{2})", line):
            texts[0] += chr(int(after[1], 16))
        if texts:
            lists.setdefault(" ".join(heading).strip(), []).append(texts)
    return lists


def real_blocks() -> list[tuple[str, bytes]]:
    """Return (name, bytes) of every block stored alone; the name is ``network/HEIGHT_HASH``."""
    folder = shared_data() / "blocks"
    files = sorted(folder.glob("*-singles/*.blk"))
    return [(f"{file.parent.name.removesuffix('-singles')}/{file.stem}", file.read_bytes()) for file in files]


def block_records(path: str) -> list[tuple[bytes, bytes]]:
    """Return (magic, block) of every record of a plain block file of the shared data."""
    raw = (shared_data() / "blocks" / path).read_bytes()
    records, position = [], 0
    while position < len(raw) and any(raw[position : position + 4]):
        length = int.from_bytes(raw[position + 4 : position + 8], "little")
        records.append((raw[position : position + 4], raw[position + 8 : position + 8 + length]))
        position += 8 + length
    return records


def assemble(text: str) -> bytes:
    """Return the script behind the notation of Core's script vectors.

    A word is a decimal number to push, ``0x`` and raw bytes, a quoted text to push, or an opcode's name.
    """
    script = b""
    for word in text.split():
        if re.fullmatch(r"-?[0-9]+", word):
            script += _push_number(int(word))
        elif word.startswith("0x"):
            script += bytes.fromhex(word[2:])
        elif word.startswith("'"):
            script += _push(word[1:-1].encode())
        elif word.startswith("#"):
            raise ValueError(word)  # a placeholder that only a taproot test can fill
        else:
            script += bytes([_OPCODES[word.removeprefix("OP_")]])
    return script


def _push_number(number: int) -> bytes:
    if number == 0:
        return b"\x00"
    if -1 <= number <= 16:
        return bytes([0x50 + number])
    data = abs(number).to_bytes(abs(number).bit_length() // 8 + 1, "little")
    return _push(data if number > 0 else data[:-1] + bytes([data[-1] | 0x80]))


def _push(data: bytes) -> bytes:
    if len(data) <= 75:
        return bytes([len(data)]) + data
    if len(data) <= 255:
        return b"\x4c" + bytes([len(data)]) + data
    return b"\x4d" + len(data).to_bytes(2, "little") + data


_OPCODES = {disassemble(bytes([opcode])).removeprefix("OP_"): opcode for opcode in range(0x4F, 0x100)}
