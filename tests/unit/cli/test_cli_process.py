"""The program as a process: what it imports, pipes, rights, settings."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.main import get_command

from cointrail.cli.main import app

COMMANDS = get_command(app).commands
PAYMENT = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"


def environment(**more: str) -> dict[str, str]:
    """This process's, without settings of cointrail."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COINTRAIL_")}
    return kept | {"COINTRAIL_HOME": "/nonexistent"} | more


def program(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cointrail", *arguments]
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True, check=False, timeout=300)


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Help.


def test_help_lists_every_command(cli):
    assert {"ingest", "status", "block", "tx", "address", "cluster", "trace", "verify", "config"} <= set(COMMANDS)
    for flag in ("--help", "-h"):
        answer = cli(flag)
        assert (answer.code, answer.err) == (0, "")
        for command in COMMANDS:
            assert f"\n  {command} " in answer.out
        assert "\x1b" not in answer.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_ends_with_examples(cli, command):
    answer = cli(command, "--help")
    assert (answer.code, answer.err) == (0, "")
    examples = answer.out.split("Examples:\n")[1].splitlines()
    assert all("cointrail" in line for line in examples)
    assert cli(command, "-h").out == answer.out
    members = getattr(COMMANDS[command], "commands", {})
    for words in [(command, name) for name in members] or [(command,)]:
        assert "--json" in cli(*words, "--help").out


def test_version(cli):
    from cointrail import __version__

    assert cli("--version") == (0, f"cointrail {__version__}\n", "")


# Imports.


def test_import_and_help_load_nothing_heavy():
    code = (
        "import sys, contextlib, io; import cointrail; before = sorted(sys.modules)\n"
        "from cointrail.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n    assert run(['--help']) == 0\n"
        f"    assert all(run([name, '--help']) == 0 for name in {list(COMMANDS)})\n"
        "import json; print(json.dumps([before, sorted(sys.modules)]))"
    )
    package, program_ = json.loads(python(code))
    heavy = {"numpy", "numba", "llvmlite", "platformdirs", "filelock", "rich", "sqlite3", "asyncio"}
    assert not heavy & set(package)
    assert not {"numpy", "numba", "llvmlite", "cointrail.service.ledgers", "cointrail.ledger"} & set(program_)
    assert {name for name in package if name.startswith("cointrail")} <= {"cointrail", "cointrail.version"}


def test_commands_that_look_up_facts_need_no_kernels(regtest):
    address = regtest.addresses[0]
    txid = regtest.chain.branch()[-1].txids[0][::-1].hex()
    lines = [["status"], ["block", "3"], ["tx", txid], ["address", address], ["address", address, "--history"]]
    code = (
        "import sys, contextlib, io\n"
        "for name in ('numba', 'llvmlite'):\n    sys.modules[name] = None\n"
        "from cointrail.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    codes = [run([*line, '--ledger', {str(regtest.ledger)!r}]) for line in {lines!r}]\n"
        "assert not any(codes), codes\n"
        "assert not [name for name in sys.modules if name.startswith('cointrail.kernels')]\n"
        "assert not [name for name in sys.modules if name.startswith('cointrail.ingest') and 'report' not in name]\n"
        "print('read')"
    )
    assert python(code) == "read\n"


# Streams.


def test_a_closed_pipe_is_quiet(regtest, tmp_path):
    """The reader goes after the first line, while much is still to come."""
    for command in (("block", "0"), ("status",)):
        line = [sys.executable, "-m", "cointrail", *command, "--json", "--ledger", str(regtest.ledger)]
        with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.close()
            err = process.stderr.read()
            assert process.wait(60) == 0
        assert err == b""


def test_a_closed_pipe_is_quiet_in_the_middle_of_a_long_answer():
    code = (
        "import sys\nfrom cointrail.cli import main\nfrom cointrail.cli.chain import block\n"
        "def much(*_, **__):\n    for _ in range(100_000): print('x' * 100)\n"
        "main.app.command('much')(lambda: much())\n"
        "sys.argv = ['cointrail', 'much']\nmain.main()"
    )
    line = [sys.executable, "-c", code]
    with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(60) == 0
    assert err == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said(regtest):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cointrail", "status", "--ledger", str(regtest.ledger)],
            env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 6
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_a_terminal_without_unicode_gets_escapes(mainnet):
    done = program("tx", PAYMENT, "--ledger", str(mainnet), PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "170 \\xb7 0000" in done.stdout


def test_answers_are_the_same_every_time(mainnet):
    """Same question, same bytes: hash seeds and time zones do not matter."""
    question = ("trace", PAYMENT, "--json", "--ledger", str(mainnet))
    assert program(*question).returncode == 0  # the first run may compile, and says so
    first = program(*question, PYTHONHASHSEED="1", TZ="Asia/Tokyo")
    second = program(*question, PYTHONHASHSEED="2", TZ="America/Los_Angeles")
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout
    assert first.stderr == second.stderr == ""


def test_ctrl_c_stops_with_code_130(regtest, tmp_path):
    """Ctrl-C while it starts, works or has ended: never a traceback, and the next run goes on."""
    ledger = str(tmp_path / "ledger")
    line = [sys.executable, "-m", "cointrail", "ingest", str(regtest.source), "--ledger", ledger]
    with subprocess.Popen(
        line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 30
        while not Path(ledger).exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert "Traceback" not in err
    assert program("ingest", str(regtest.source), "--ledger", ledger).returncode == 0
    assert program("verify", "--ledger", ledger).returncode == 0


# Rights.


def _obey_rights() -> None:
    """Root, too, is bound by the rights of files: give up the capabilities to override them."""
    for capability in (1, 2, 3):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="gives up root's powers the Linux way")
def test_readers_need_no_right_to_write(regtest, tmp_path):
    ledger = tmp_path / "ledger"
    shutil.copytree(regtest.ledger, ledger)
    for path in (ledger, *ledger.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = _state(ledger)

    def ask(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cointrail", *command, "--ledger", str(ledger)],
            env=environment(), capture_output=True, text=True, check=False, timeout=60, preexec_fn=_obey_rights,
        )  # fmt: skip

    try:
        for command in (("status",), ("block", "3"), ("address", regtest.addresses[0], "--history"), ("verify",)):
            done = ask(*command)
            assert (done.returncode, done.stderr) == (0, "")
        assert _state(ledger) == before
        refused = ask("ingest", str(regtest.source))
        assert (refused.returncode, refused.stdout) == (6, "")
        assert "permission denied" in refused.stderr
        (ledger / "MANIFEST.json").chmod(0)
        refused = ask("status")
        assert (refused.returncode, refused.stdout) == (6, "")
        assert "permission denied" in refused.stderr.lower()
    finally:
        for path in (ledger, *ledger.rglob("*")):
            path.chmod(0o755)


def _state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


# Settings.


def test_settings_precedence(cli, regtest, mainnet, tmp_path, monkeypatch):
    """Flag before environment before file; the answer tells which ledger was asked."""
    file = tmp_path / "config.toml"
    file.write_text(f'ledger = "{regtest.ledger}"\n')
    monkeypatch.setenv("COINTRAIL_CONFIG", str(file))
    assert cli("status", "--json").json["network"] == "regtest"
    monkeypatch.setenv("COINTRAIL_LEDGER", str(mainnet))
    assert cli("status", "--json").json["network"] == "mainnet"
    assert cli("status", "--json", "--ledger", str(regtest.ledger)).json["network"] == "regtest"
    monkeypatch.delenv("COINTRAIL_LEDGER")
    file.write_text('leger = "x"\n')
    answer = cli("status")
    assert (answer.code, answer.out) == (4, "")
    assert "unknown setting 'leger'" in answer.err
    assert "did you mean 'ledger'?" in answer.err


def test_the_environment_reaches_the_program(mainnet):
    done = program("status", "--json", COINTRAIL_LEDGER=str(mainnet))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["height"] == 599
