"""A world's folder appears whole or not at all: it is written beside its place and renamed at the end."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cointrail.errors import InputRefused, Unavailable
from cointrail.simulation.record.manifest import MARK, NAME, Manifest, Parameters


def world_at(folder: Path, parameters: Parameters) -> Manifest | None:
    """The world of these parameters that lies there already; None if the place is free.

    Raises:
        InputRefused: something else lies there.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    hint = "name a folder that is empty or does not exist"
    if not folder.is_dir():
        raise InputRefused(f"{folder} is not a folder", hint=hint)
    if not (folder / NAME).is_file():
        raise InputRefused(f"{folder} is not empty and not a simulated world", hint=hint)
    manifest = Manifest.read(folder)
    if manifest.parameters != parameters:
        raise InputRefused(f"{folder} holds another world: {_words(manifest.parameters)}", hint=hint)
    for path, (size, _) in manifest.files.items():
        if not (folder / path).is_file() or (folder / path).stat().st_size != size:
            raise InputRefused(f"{folder} holds that world, but {path} was changed or is missing", hint=hint)
    return manifest


def _words(parameters: Parameters) -> str:
    return (
        f"scale {parameters.scale}, {parameters.transactions} transactions, seed {parameters.seed}"
        f"{', holdout' if parameters.holdout else ''}, generator version {parameters.generator_version}"
    )


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, `<folder>.partial`; it takes its place if the body ends well, else it goes.

    What a killed run left is removed first.

    Raises:
        InputRefused: `<folder>.partial` is there and not ours.
        Unavailable: another run is writing there, or the disk does not let us.
    """
    partial = folder.with_name(folder.name + ".partial")
    mark = partial / MARK
    if partial.exists() and not mark.is_file():
        raise InputRefused(f"{partial} is in the way", hint="move it or choose another folder")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with mark.open("a") as lock:
            _lock(lock.fileno(), partial)
            try:
                _empty(partial)
                yield partial
                mark.unlink()
                partial.rename(folder)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    except OSError as error:
        raise Unavailable(f"cannot write {partial}: {error.strerror or error}") from error


def _lock(handle: int, partial: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Unavailable(f"another run is writing {partial}", hint="wait for it, or choose another folder") from error


def _empty(partial: Path) -> None:
    for path in partial.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != MARK:
            path.unlink()
