"""Hostile packs are refused with the line, quickly, in little memory, and nothing in them is ever run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cointrail.attribution.formats.actorpack import read_actorpack
from cointrail.attribution.formats.tagpack import read_tagpack
from cointrail.errors import InputRefused

HEADER = "title: t\ncreator: c\nsource: s\nlabel: l\n"
TAG = HEADER + "tags:\n- address: 1abc\n"
MIB = 1 << 20


def read_all(folder: Path, text: str | bytes):
    path = folder / "pack.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_tagpack(path).tags)


def alias_bomb() -> str:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return HEADER + "\n".join(levels) + "\ntags: []\n"


REFUSED = [
    (alias_bomb(), 6, "aliases are not read"),
    (TAG + "  context: &x\n    a: *x\n", 8, "aliases are not read"),
    (TAG + "  <<: {actor: a}\n", 7, "means something else than text"),
    (TAG + "  number: " + "9" * 5000 + "\n", 7, "a number or date of 5,000 characters"),
    (TAG + "  number: 1" + ":59" * 2000 + "\n", 7, "a number or date"),
    (TAG + "  number: .inf\n", 7, "no finite number"),
    (TAG + "  number: .NaN\n", 7, "no finite number"),
    (TAG + "  deep: " + "[" * 64 + "]" * 64 + "\n", 7, "nested more than 64 deep"),
    (TAG + "  deep: " + "[" * 20000 + "\n", 7, "nest"),
    (TAG + "  deep:\n" + "".join("  " * n + "  a:\n" for n in range(1, 80)), 69, "nested more than 64 deep"),
    (TAG + "  x: !!python/object/apply:os.system ['touch CANARY']\n", 7, "YAML tag .* is not read"),
    (TAG + "  x: !include CANARY\n", 7, "!include"),
    (TAG + "  x: !!binary aGVsbG8=\n", 7, "YAML tag"),
    (TAG + "  ? [a, b]\n  : x\n", 7, "the name of a field is not text"),
    (TAG + "  2020-01-01: x\n", 7, "the name of a field is not text"),
    (TAG + "  " + "k" * 300 + ": x\n", 7, "more than 256 characters"),
    (TAG + "  context: " + "c" * (MIB + 1) + "\n", 7, "a text of 1,048,577 characters"),
    (TAG + "  list: [" + "a, " * 10_001 + "]\n", 7, "too many values"),
    (HEADER + "".join(f"k{n}: 1\n" for n in range(100_001)) + "tags: []\n", 100_001, "too many values"),
    (TAG + "  label: a\\u0007b\n".replace("a\\u0007b", '"a\\u0007b"'), 7, r"control character, U\+0007"),
    (TAG + '  label: "a\\0b"\n', 7, r"control character, U\+0000"),
    (TAG + '  context: "a\\e[31m"\n', 7, r"control character, U\+001B"),
    (TAG + "  label: a\u200bb\n", 6, "ZERO WIDTH SPACE"),
    (TAG + "  actor: a\u202eb\n", 6, "RIGHT-TO-LEFT OVERRIDE"),
    (TAG + '  label: "a\\nb"\n', 6, r"U\+000A"),
    (TAG + "---\ntags: []\n", 7, "a second document"),
    (TAG.encode() + b"  label: caf\xe9\n", 7, "no YAML"),
    (TAG.encode() + "# é €\n".encode() * 5000 + b"  label: caf\xe9\n", 5007, "no YAML"),
    (TAG.encode() + b"  label: a\x01b\n", 7, "control characters"),
    (TAG.encode() + b"  label: a\x00b\n", 7, "control characters"),
    (TAG + "  label: 'never ends\n", 8, "no YAML"),
    (TAG + "  label: [\n", 8, "no YAML"),
    (TAG + "\t- x\n", 7, "no YAML"),
    (TAG.encode("utf-16"), 1, "UTF-16"),
    ("%YAML 1.1\n---\n" + TAG, 1, "a line begins with %"),
    (TAG + "  actor: " + "a" * 257 + "\n", 6, "actor has 257 characters"),
    (TAG + "  label: " + "a" * 4097 + "\n", 6, "label has 4,097 characters"),
]


@pytest.mark.parametrize(("text", "line", "says"), REFUSED)
def test_a_hostile_pack_is_refused_with_the_line(tmp_path, text, line, says):
    begin = time.monotonic()
    with pytest.raises(InputRefused, match=rf"pack\.yaml, line {line}: .*{says}"):
        read_all(tmp_path, text)
    assert time.monotonic() - begin < 10
    assert [each.name for each in tmp_path.iterdir()] == ["pack.yaml"]


def test_limits_are_not_reached_by_what_is_just_within_them(tmp_path):
    whole = TAG + "  deep: " + "[" * 61 + "]" * 61 + "\n  context: " + "c" * MIB + "\n"
    whole += "  list: [" + "a, " * 9_000 + "]\n  number: " + "9" * 64 + "\n"
    (tag,) = read_all(tmp_path, whole)
    assert dict(tag.statement.extra)["number"] == "9" * 64


@pytest.mark.parametrize("begins", ["%TAG !a! tag:x,2002:\n", "\r%TAG !a! x\n", "\u2028%TAG !a! x\n"])
def test_directives_are_refused_before_the_parser_compares_each_with_all(tmp_path, begins):
    with pytest.raises(InputRefused, match="a line begins with %"):
        read_all(tmp_path, begins * 200_000 + "---\n" + TAG)


def test_files_larger_than_the_limit_are_refused_unread(tmp_path):
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(64 * MIB + 1)
    with pytest.raises(InputRefused, match="larger than 64 MiB"):
        read_tagpack(path)


def test_a_named_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for read in (read_tagpack, read_actorpack):
        with pytest.raises(InputRefused, match="no regular file"):
            read(tmp_path / "pipe.yaml")


def test_an_actorpack_is_read_by_the_same_rules(tmp_path):
    path = tmp_path / "pack.yaml"
    path.write_text("title: t\ncreator: c\nactors:\n- id: &x a\n  uri: *x\n")
    with pytest.raises(InputRefused, match=r"line 5: .*aliases are not read"):
        read_actorpack(path)


MEMORY = """
import sys
from pathlib import Path
from cointrail.attribution.formats.tagpack import read_tagpack
from cointrail.errors import InputRefused
try:
    for _ in read_tagpack(Path(sys.argv[1])).tags: pass
except InputRefused as error:
    print(error)
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""
LARGE = {
    "one text with wide characters": lambda: TAG + '  x: "' + "x" * (60 * MIB) + '\U0001f600"\n',
    "a field with millions of entries": lambda: TAG + "  concepts: [" + "a," * (20 * MIB) + "]\n",
    "millions of fields": lambda: HEADER + "".join(f"k{n}: 1\n" for n in range(3_000_000)) + "tags: []\n",
    "long contexts that differ": lambda: (
        HEADER + "tags:\n" + "".join(f"- address: a{n}\n  context: {'c' * 4000}\n" for n in range(15_000))
    ),
    "a million tags that differ": lambda: (
        HEADER + "tags:\n" + "".join(f"- address: a{n}\n  actor: b{n}\n" for n in range(1_000_000))
    ),
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("what", LARGE)
def test_a_file_at_the_limit_takes_less_than_half_a_gibibyte(tmp_path, what):
    path = tmp_path / "pack.yaml"
    path.write_text(LARGE[what](), encoding="utf-8")
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", MEMORY, path], capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout.splitlines()[-1]) < 512 * 1024, done.stdout
    assert time.monotonic() - begin < 120
