"""What the commands that follow money share: progress, Ctrl-C, and words about what was cut off."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cointrail.cli.output import note, number, one_line
from cointrail.cli.progress import ProgressLine, StopFlag, stop_on_interrupt
from cointrail.errors import Incomplete, Interrupted

if TYPE_CHECKING:
    from cointrail.service.tracing.tags_used import TagsUsed
    from cointrail.trace.services import Inferred

_TEXT = "the walk was cut off: something was not followed"


class Watch:
    """Shows progress, and hears of Ctrl-C."""

    def __init__(self, flag: StopFlag) -> None:
        self._flag, self.line = flag, ProgressLine()

    def __call__(self, passed: int, waiting: int) -> bool:
        """Called between portions of a walk; True cancels."""
        self.line.show(f"{number(passed)} transactions passed, {number(waiting)} outputs wait")
        return self._flag.asked

    @property
    def cancelled(self) -> bool:
        """True once somebody has asked to stop."""
        return self._flag.asked

    def scored(self, scored: int, waiting: int) -> bool:
        """Called while clusters are scored; True stops it."""
        self.line.show(f"{number(scored)} clusters scored, {number(waiting)} wait")
        return self._flag.asked

    def rows(self, rows: int) -> None:
        """Called while a file of seeds is read."""
        self.line.show(f"reading seeds: {number(rows)}")

    def say_if_cut_off(self, *, complete: bool, required: bool) -> None:
        """Say that the answer has gaps.

        Raises:
            Interrupted: somebody stopped it.
            Incomplete: a budget did, and a complete answer is required.
        """
        if self._flag.asked:
            raise Interrupted(_TEXT, hint="what is shown was found before")
        if complete:
            return
        hint = "raise --transactions, or narrow the question"
        if required:
            raise Incomplete(_TEXT, hint=hint)
        note(f"note: {_TEXT}; {hint}")


@contextmanager
def watched() -> Iterator[Watch]:
    """A watch for the time of a walk."""
    with stop_on_interrupt() as flag:
        watch = Watch(flag)
        try:
            yield watch
        finally:
            watch.line.clear()


_LISTS = 3


def lists_text(lists: str) -> str:
    """Names of lists of tags, the first few."""
    names = lists.split(" + ")
    return " + ".join(names[:_LISTS]) + (
        f" and {number(len(names) - _LISTS)} more lists" if len(names) > _LISTS else ""
    )


def tags_line(tags: "TagsUsed") -> str:
    """Which tags name the services of an answer, and how much of them was used."""
    known = f", as known on {tags.known_at}" if tags.known_at else ""
    mixed = f"; {number(tags.mixed)} cluster(s) with tags of several, left alone" if tags.mixed else ""
    lists = tags.lists or "no list"
    return one_line(f"attributed by {lists} (tag set {tags.digest[:16]}{known}): {number(tags.used)} tag(s){mixed}")


def inferred_line(found: "Inferred") -> str:
    """How many services an answer infers that no tag names, and by what."""
    left = f"; {number(found.left)} more are left to the tags" if found.left else ""
    rule = f"{found.rule} {found.version}, model {found.model[:16]}, an inference"
    return f"{number(found.count)} cluster(s) behave like a service ({rule}){left}"
