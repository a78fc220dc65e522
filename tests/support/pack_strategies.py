"""Random tags and actors as any reader may give them, and packs as PyYAML reads them, with the header laid out."""

import datetime
import json
import re
import string
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.tag import Actor, Statement, Subject, SubjectKind, Tag

TAG_FIELDS = {
    *("label", "source", "currency", "network", "confidence", "category", "abuse", "concepts", "actor", "tag_type"),
    *("is_cluster_definer", "context", "lastmod", "address", "tx_hash", "valid_from", "valid_to", "author"),
}
"""Fields of a header that hold for tags (GraphSense's schema, and ours)."""

ACTOR_FIELDS = {"id", "uri", "label", "lastmod", "categories", "jurisdictions", "aliases", "context"}

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
_TRICKY = [
    *("yes", "no", "null", "~", "1", "0x1f", "0o17", "1e5", "1_000", "12:30", "2024-01-15", "=", "<<", "- a", "a: b"),
    *(
        "a #b",
        "#b",
        "'",
        '"',
        "\\",
        "{a}",
        "[a]",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "?",
        ": ",
        "a:",
        ",",
        "--",
    ),
    *(
        "---",
        "...",
        " a",
        "a ",
        "\xa0a",
        "é",
        "😀",
        "true",
        "on",
        ".5",
        ".inf",
        "+1",
        "https://a.b/c?d=e&f#g",
        "https://a:",
    ),
    *("https://a.b/c: d", "\ufeffa", "y", "n", "!time", "!!time", "!text", "a\tb"),
]


def words(most: int = 40) -> Any:
    """Text of one line in which everything is seen."""
    seen = st.characters(exclude_categories=_UNSEEN, exclude_characters=_BLANK)
    tricky = [each for each in _TRICKY if "\t" not in each and "\ufeff" not in each]
    text = st.text(seen, min_size=1, max_size=most) | st.text(string.printable[:95], min_size=1, max_size=most)
    return (text | st.sampled_from(tricky)).filter(lambda each: each.strip())


def contexts() -> Any:
    """Text of many lines: what YAML can hold at all."""
    held = st.characters(exclude_categories=("Cc", "Cs", "Cn")) | st.sampled_from("\t\n\r")
    return (st.text(held, min_size=1, max_size=60) | st.sampled_from(_TRICKY)).filter(lambda each: each.strip())


_DAYS = st.dates().map(datetime.date.isoformat)
_TIMES = st.datetimes().map(lambda each: each.isoformat(timespec="seconds") + "Z")


def _or_empty(strategy: Any) -> Any:
    return st.just("") | strategy


_PLAIN = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    _PLAIN | words() | st.sampled_from(_TRICKY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words(20), inner, max_size=3),
    max_leaves=8,
)


def _canonical(value: Any) -> str:
    marked = _marked(value)
    return json.dumps(marked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _marked(value: Any) -> Any:
    """Names that begin with `!` get another one, as docs/reference/tag-formats.md says."""
    if isinstance(value, dict):
        return {("!" + name if name.startswith("!") else name): _marked(each) for name, each in value.items()}
    return [_marked(each) for each in value] if isinstance(value, list) else value


_EXTRA = st.dictionaries(words(20).filter(lambda name: name not in TAG_FIELDS | ACTOR_FIELDS), _JSON, max_size=3).map(
    lambda fields: tuple(sorted((name, _canonical(value)) for name, value in fields.items()))
)


def statements() -> Any:
    """Anything that a reader of tags may give."""
    return st.builds(
        Statement,
        label=words(),
        source=words(),
        confidence=st.sampled_from(list(CONFIDENCE)),
        actor=_or_empty(words()),
        category=_or_empty(words()),
        concepts=st.lists(words(), max_size=3).map(tuple),
        abuse=_or_empty(words()),
        tag_type=_or_empty(st.sampled_from(["actor", "event", "attribute", "mention"])),
        is_cluster_definer=st.none() | st.booleans(),
        context=_or_empty(contexts()),
        lastmod=_or_empty(_DAYS),
        valid_from=_or_empty(_DAYS | _TIMES),
        valid_to=_or_empty(_DAYS | _TIMES),
        author=_or_empty(words()),
        currency=_or_empty(words()),
        network=_or_empty(words()),
        extra=_EXTRA,
    )


def tags() -> Any:
    """Tags of what a TagPack can be about."""
    kinds = st.sampled_from([SubjectKind.ADDRESS, SubjectKind.TRANSACTION])
    return st.builds(Tag, st.builds(Subject, kinds, words()), statements())


def actors() -> Any:
    """Actors, which have different ids only by chance."""
    texts = st.lists(words(), max_size=3).map(tuple)
    return st.builds(
        Actor,
        id=words(),
        uri=words(),
        label=words(),
        lastmod=_DAYS,
        categories=st.lists(words(), min_size=1, max_size=3).map(tuple),
        jurisdictions=texts,
        aliases=texts,
        context=_or_empty(contexts()),
        extra=_EXTRA,
    )


class AsGraphSense(yaml.CSafeLoader):
    """PyYAML's loader, for which an unquoted `0x...` is text: GraphSense's one rule of its own."""


AsGraphSense.yaml_implicit_resolvers = {
    first: [("tag:yaml.org,2002:str", re.compile("0x[0-9a-fA-F_]+$")), *rules] if first == "0" else list(rules)
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def laid_out(path: Path, name: str, inherited: set[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The header of a pack, and its entries with what the header says of them."""
    pack = yaml.load(path.read_text("utf-8"), Loader=AsGraphSense)
    flat = {key: value for key, value in pack.items() if key not in ("header", name)} | pack.get("header", {})
    return flat, [{key: value for key, value in flat.items() if key in inherited} | entry for entry in pack[name]]
