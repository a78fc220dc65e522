"""Makes the n-th system call of a kind go wrong, n = 1, 2, 3 ... until none is hit (as SQLite's tests do)."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, what was written stays in the page cache, nothing else is done."""


class Countdown:
    """Counts calls of some functions of `os`; the n-th raises.

    Attributes:
        hit: True once it has raised.
        calls: how many calls there were.
    """

    def __init__(self, number: int, make_error: Callable[[], BaseException]) -> None:
        self.hit = False
        self.calls = 0
        self._number = number
        self._make_error = make_error

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, which may fail instead."""

        def counted(*args: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == self._number:
                self.hit = True
                raise self._make_error()
            return call(*args, **options)

        return counted


@contextmanager
def failing(names: tuple[str, ...], number: int, make_error: Callable[[], BaseException]) -> Iterator[Countdown]:
    """Let the n-th call of any of these functions of `os` raise."""
    countdown = Countdown(number, make_error)
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, countdown.wrap(getattr(os, name)))
        yield countdown


def disk_error(code: int) -> Callable[[], OSError]:
    """Makes errors such as `errno.EIO`."""
    return lambda: OSError(code, os.strerror(code))


REFUSALS = {
    "fsync fails": (("fsync",), disk_error(errno.EIO)),
    "write fails": (("pwrite",), disk_error(errno.ENOSPC)),
    "rename fails": (("replace",), disk_error(errno.EIO)),
}
