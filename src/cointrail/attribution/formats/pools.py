"""Lists of mining pools: their payout addresses, and the texts they write into coinbases.

Read are the two shapes in which the mempool project keeps its list: `pools-v2.json` (a list of pools, each with
`addresses` and `tags`) and the older `pools.json` (`payout_addresses` and `coinbase_tags`, each a mapping to a pool).
An address becomes a tag of the address, a text becomes a tag of the text; what a text says about the chain is asked in
`service.attribution.pools`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cointrail.attribution.formats.source import SourceFile, open_source
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag
from cointrail.errors import InputRefused

FORMAT: Final = "pools"
VERSION: Final = 1
MOST_BYTES: Final = 16 << 20

CATEGORY: Final = "mining_pool"
CONFIDENCE: Final = "trusted_provider"

_HINT = "give the pools-v2.json or pools.json of a mining pool list"
_LONGEST_TEXT = 200


def read_pools(path: Path) -> Pack:
    """Read a list of mining pools.

    Args:
        path: of a JSON file of at most 16 MiB.

    Raises:
        Unavailable: the file cannot be read.
        InputRefused: it is no such list.
    """
    file = open_source(path, MOST_BYTES)
    text = file.text()
    content = _parsed(file, text)
    if isinstance(content, list):
        said, shape = list(_newer(file, content)), "pools-v2"
    else:
        said, shape = list(_older(file, content)), "pools"
    return Pack(
        path.name, file.sha256, FORMAT, VERSION, {"shape": shape}, _tags(file, text, said, older=shape == "pools")
    )


def actor_of(name: str) -> str:
    """The identifier of a pool, in the manner of GraphSense's: small letters, digits and single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


_Said = tuple[SubjectKind, str, str, str]
"""Kind of subject, its text, the pool's name, its link."""


def _tags(file: SourceFile, text: str, said: list[_Said], *, older: bool) -> Iterator[Tag]:
    statements: dict[tuple[str, str], Statement] = {}
    at, line, known, last = 0, 1, True, ""
    for kind, subject, name, link in said:
        # a pool's name comes before its texts, and may be one of them
        for sought in [subject] if name == last or older else [name, subject]:
            found = text.find(json.dumps(sought, ensure_ascii=False), at) if known else -1
            known = found >= 0  # escapes or another order: from here on lines are not known
            line, at = (line + text.count("\n", at, found), found + 1) if known else (0, at)
        last = name
        if (name, link) not in statements:
            statements[name, link] = _statement(file, name, link)
        yield Tag(Subject(kind, subject), statements[name, link], line)


def _statement(file: SourceFile, name: str, link: str) -> Statement:
    return Statement(
        label=name,
        source=f"mining pool list {file.path.name}",
        confidence=CONFIDENCE,
        actor=actor_of(name),
        category=CATEGORY,
        concepts=(CATEGORY,),
        tag_type="actor",
        is_cluster_definer=True,
        context=link,
        currency="BTC",
        network="BTC",
    )


def _newer(file: SourceFile, pools: list[Any]) -> Iterator[_Said]:
    for number, pool in enumerate(pools, 1):
        if not isinstance(pool, dict) or not _is_text(pool.get("name")):
            raise file.refused(0, f"pool {number} has no name", _HINT)
        name, link = pool["name"], pool.get("link") or ""
        for key, kind in (("addresses", SubjectKind.ADDRESS), ("tags", SubjectKind.COINBASE)):
            texts = pool.get(key) or []
            if not isinstance(texts, list) or not all(_is_text(each) for each in texts) or not isinstance(link, str):
                raise file.refused(0, f"pool {number} ({name!a}): `{key}` or `link` is of another type", _HINT)
            yield from ((kind, each, name, link) for each in texts)


def _older(file: SourceFile, content: Any) -> Iterator[_Said]:
    if not isinstance(content, dict) or not {"coinbase_tags", "payout_addresses"} & content.keys():
        raise file.refused(0, "it is no list of mining pools", _HINT)
    for key, kind in (("coinbase_tags", SubjectKind.COINBASE), ("payout_addresses", SubjectKind.ADDRESS)):
        entries = content.get(key, {})
        if not isinstance(entries, dict):
            raise file.refused(0, f"`{key}` is no mapping", _HINT)
        for text, pool in entries.items():
            name = pool.get("name") if isinstance(pool, dict) else None
            link = (pool.get("link") or "") if isinstance(pool, dict) else None
            if not _is_text(text) or not _is_text(name) or not isinstance(link, str):
                raise file.refused(0, f"the entry {text[:_LONGEST_TEXT]!a} of `{key}` has no name", _HINT)
            yield kind, text, str(name), link


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and bool(value.strip())


def _parsed(file: SourceFile, text: str) -> Any:
    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice = counts.most_common(1)[0][0]
            raise InputRefused(f"{file.path}: {twice[:_LONGEST_TEXT]!a} stands twice", hint="keep one of them")
        return found

    try:
        return json.loads(text, object_pairs_hook=mapping)
    except json.JSONDecodeError as error:
        raise file.refused(error.lineno, f"no JSON: {error.msg.lower()}", _HINT) from error
    except (RecursionError, ValueError) as error:  # nesting, or a number of thousands of digits
        raise file.refused(0, "it is nested too deeply, or holds a number without end", _HINT) from error
