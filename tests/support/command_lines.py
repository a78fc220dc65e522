"""One command by itself, for tests of what it prints; the command line's own list is tested where it stands."""

import json
from typing import NamedTuple

import typer
from typer.testing import CliRunner


class Printed(NamedTuple):
    """What a command gave; `error` is what it raised."""

    out: str
    err: str
    error: BaseException | None

    @property
    def json(self):
        assert self.error is None, self.error
        return json.loads(self.out)


def run_command(module, *arguments):
    """Run the command that a module registers."""
    app = typer.Typer()
    app.callback()(lambda: None)
    module.register(app)
    done = CliRunner().invoke(app, [module.__name__.rsplit(".", 1)[-1], *map(str, arguments)])
    usage = isinstance(done.exception, SystemExit)
    return Printed(done.stdout, done.stderr, None if usage and not done.exit_code else done.exception)
