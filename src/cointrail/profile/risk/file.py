"""Rule files: YAML of a closed shape, each fault named with its line. docs/howto/write-risk-rules.md.

Only plain scalars, lists and mappings: aliases, tags and repeated keys are refused, so that what is read is what stands
there. Numbers are written in decimal digits.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml

from cointrail.errors import InputRefused
from cointrail.profile.exposure.exposure import Side
from cointrail.profile.risk.rules import Listed, Reach, Rule, RuleSet
from cointrail.trace.limits import MILLION
from cointrail.trace.reason import Reason

FORMAT: Final = "cointrail-risk-rules"
FORMAT_VERSION: Final = 1
DEFAULT: Final = "default-rules.yaml"
MOST_BYTES: Final = 256 << 10

_HINT: Final = "see docs/howto/write-risk-rules.md, or begin with `cointrail risk --show-rules`"
_DEEPEST: Final = 5
_MOST_RULES, _MOST_ITEMS, _LONGEST = 500, 200, 1_000
_MOST_POINTS: Final = 1_000_000
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_VERDICTS = re.compile(
    r"\b(illicit|illegal|criminals?|guilty|dirty|clean|tainted|suspicious person|money launderer)\b", re.I
)


def default_rules() -> RuleSet:
    """The rules that come with the program."""
    content = resources.files("cointrail.profile.risk").joinpath(DEFAULT).read_bytes()
    return parse_rules(content, DEFAULT)


def read_rules(path: Path) -> RuleSet:
    """Read a file of rules.

    Raises:
        InputRefused: it is none; the message names the line.
    """
    if not path.is_file():
        raise InputRefused(f"{path} is no regular file" if path.exists() else f"there is no file {path}", hint=_HINT)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputRefused(f"{path} cannot be read: {error.strerror}") from error
    return parse_rules(content, path.name)


def parse_rules(content: bytes, name: str) -> RuleSet:
    """Read rules.

    Args:
        content: of a file.
        name: of it, for messages.

    Raises:
        InputRefused: they are none; the message names the line.
    """
    if len(content) > MOST_BYTES:
        raise InputRefused(f"{name} has more than the {MOST_BYTES:,} bytes that are read", hint=_HINT)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputRefused(f"{name} is no text in UTF-8: {error}", hint=_HINT) from error
    document = _Document(name)
    top = document.mapping(document.root(text), _TOP)
    if "rules" not in top:
        raise document.wrong(1, "there is no list `rules`")
    rules = document.rules(top["rules"][1])
    values = {key: document.value(node, _TOP[key]) for key, (_, node) in top.items() if key != "rules"}
    for key in ("format", "format_version", "name", "revision"):
        if key not in values:
            raise document.wrong(1, f"{key} is missing")
    if (values["format"], values["format_version"]) != (FORMAT, FORMAT_VERSION):
        raise document.wrong(1, f"it is not of format {FORMAT}, version {FORMAT_VERSION}")
    return RuleSet(values["name"], values["revision"], name, hashlib.sha256(content).hexdigest(), text, rules)


def _text(text: str) -> str:
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise ValueError(f"give a text of 1 to {_LONGEST:,} characters on one line")
    if found := _VERDICTS.search(text):
        raise ValueError(f"{found[0]!r} is a verdict: say what is seen on the chain, and who says so")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("give small letters, digits, and - _ . between them")
    return text


def _number(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not _NUMBER.fullmatch(text) or int(text) > most:
            raise ValueError(f"give a whole number from 0 to {most:,}")
        return int(text)

    return read


def _one_of(kind: Any) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text not in set(map(str, kind)):
            raise ValueError(f"choose among {', '.join(kind)}")
        return kind(text)

    return read


class _ListOf:
    def __init__(self, one: Callable[[str], Any]) -> None:
        self.one = one


_TOP: Final[Mapping[str, Any]] = {
    "format": _text,
    "format_version": _number(1_000),
    "name": _text,
    "revision": _number(_MOST_POINTS),
    "remark": _text,
    "rules": None,
}
_RULE: Final[Mapping[str, Any]] = {
    "id": _name,
    "reason": _text,
    "side": _one_of(Side),
    "reach": _one_of(Reach),
    "categories": _ListOf(_text),
    "entities": _ListOf(_text),
    "stops": _ListOf(_one_of(Reason)),
    "listed": _one_of(Listed),
    "max_hops": _number(1_000),
    "within_days": _number(100_000),
    "min_sat": _number(21 * 10**14),
    "min_share_ppm": _number(MILLION),
    "fixed": _number(_MOST_POINTS),
    "by_share": _number(_MOST_POINTS),
    "most": _number(_MOST_POINTS),
}
_NEEDED: Final = tuple(each.name for each in fields(Rule) if each.default is MISSING and each.name != "line")


class _Document:
    """One file while it is read.

    Args:
        name: for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def wrong(self, line: int, what: str) -> InputRefused:
        """A fault, to be raised."""
        return InputRefused(f"{self._name}, line {line}: {what}", hint=_HINT)

    def root(self, text: str) -> yaml.Node:
        """The tree of the file, which holds nothing that stands for something else."""
        depth = 0
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                line = event.start_mark.line + 1 if event.start_mark else 1
                if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
                    raise self.wrong(line, "anchors, aliases and tags of YAML are not read: write it out")
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > _DEEPEST:
                    raise self.wrong(line, "it is nested too deep")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self.wrong(mark.line + 1 if mark else 1, f"no YAML: {error.problem or error.context}") from error
        except (yaml.YAMLError, ValueError) as error:
            raise self.wrong(1, f"no YAML: {' '.join(str(error).split())}") from error
        if node is None:
            raise self.wrong(1, "it is empty")
        return node

    def mapping(self, node: yaml.Node, known: Mapping[str, Any]) -> dict[str, tuple[int, yaml.Node]]:
        """(line, node) by key."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(_line(node), f"give fields here: {', '.join(known)}")
        found: dict[str, tuple[int, yaml.Node]] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if name not in known:
                raise self.wrong(_line(key), f"there is no field {name[:60]!r}; there are {', '.join(known)}")
            if name in found:
                raise self.wrong(_line(key), f"{name} stands here a second time")
            found[name] = (_line(key), value)
        return found

    def value(self, node: yaml.Node, reads: Any) -> Any:
        """The value of a field."""
        if isinstance(reads, _ListOf):
            if not isinstance(node, yaml.SequenceNode) or not 1 <= len(node.value) <= _MOST_ITEMS:
                raise self.wrong(_line(node), f"give a list of 1 to {_MOST_ITEMS}")
            return tuple(dict.fromkeys(self.value(each, reads.one) for each in node.value))
        if not isinstance(node, yaml.ScalarNode):
            raise self.wrong(_line(node), "give one value here")
        try:
            return reads(node.value)
        except ValueError as error:
            raise self.wrong(_line(node), f"{node.value[:60]!r}: {error}") from error

    def rules(self, node: yaml.Node) -> tuple[Rule, ...]:
        """All rules."""
        if not isinstance(node, yaml.SequenceNode) or not 1 <= len(node.value) <= _MOST_RULES:
            raise self.wrong(_line(node), f"give a list of 1 to {_MOST_RULES} rules")
        found: dict[str, Rule] = {}
        for each in node.value:
            rule = self._rule(each)
            if rule.id in found:
                raise self.wrong(rule.line, f"rule {rule.id} is there already, at line {found[rule.id].line}")
            found[rule.id] = rule
        return tuple(found.values())

    def _rule(self, node: yaml.Node) -> Rule:
        line, given = _line(node), self.mapping(node, _RULE)
        for name in _NEEDED:
            if name not in given:
                raise self.wrong(line, f"this rule has no {name}")
        rule = Rule(line=line, **{name: self.value(value, _RULE[name]) for name, (_, value) in given.items()})
        if bool(rule.categories or rule.entities) == bool(rule.stops):
            raise self.wrong(line, f"rule {rule.id} needs categories or entities, or else stops")
        if rule.stops and (
            {"reach", "listed", "max_hops", "within_days"} & given.keys() or Reason.SERVICE in rule.stops
        ):
            raise self.wrong(line, f"rule {rule.id} looks at stops: they have no reach, listing, hops or age")
        return rule


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1
