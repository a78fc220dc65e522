"""Lists of mining pools: the real one is read whole, both shapes say the same, a fault is refused."""

import json

import pytest
from vectors import load_json, shared_data

from cointrail.attribution.formats.pools import actor_of, read_pools
from cointrail.attribution.tag import SubjectKind
from cointrail.errors import InputRefused

NEWER = [
    {
        "id": 1,
        "name": "Pool One",
        "addresses": ["1abc", "1abd"],
        "tags": ["/one/", "\u00fcber"],
        "link": "https://one.invalid",
    },
    {"id": 2, "name": "\u9c7c\u6c60", "addresses": [], "tags": ["/two/"]},
]
OLDER = {
    "coinbase_tags": {
        "/one/": {"name": "Pool One", "link": "https://one.invalid"},
        "/two/": {"name": "Pool Two", "link": ""},
    },
    "payout_addresses": {"1abc": {"name": "Pool One", "link": "https://one.invalid"}},
}


def written(folder, content, name="pools.json"):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False), "utf-8")
    return path


def said(path):
    return [(tag.subject.kind, tag.subject.text, tag.statement.label) for tag in read_pools(path).tags]


def test_the_real_list_is_read_whole():
    pools = load_json("tags/mining-pools-v2.json")
    path = shared_data() / "tags" / "mining-pools-v2.json"
    expected = [
        (kind, text, pool["name"])
        for pool in pools
        for kind, key in ((SubjectKind.ADDRESS, "addresses"), (SubjectKind.COINBASE, "tags"))
        for text in pool[key]
    ]
    assert len(expected) > 400
    assert said(path) == expected
    lines = path.read_text("utf-8").split("\n")
    for tag in read_pools(path).tags:
        line = lines[tag.line - 1]
        assert f'"{tag.subject.text}"' in line
        assert '"name"' not in line
        assert tag.statement.category == "mining_pool"
        assert tag.statement.source == "mining pool list mining-pools-v2.json"


def test_the_older_shape(tmp_path):
    assert said(written(tmp_path, OLDER)) == [
        (SubjectKind.COINBASE, "/one/", "Pool One"),
        (SubjectKind.COINBASE, "/two/", "Pool Two"),
        (SubjectKind.ADDRESS, "1abc", "Pool One"),
    ]


def test_actors_are_identifiers(tmp_path):
    actors = {tag.statement.label: tag.statement.actor for tag in read_pools(written(tmp_path, NEWER)).tags}
    assert actors == {"Pool One": "pool-one", "\u9c7c\u6c60": ""}
    assert actor_of(" BTC.com / Pool ") == "btc-com-pool"


def test_escaped_texts_have_no_line_but_are_read(tmp_path):
    tags = list(read_pools(written(tmp_path, json.dumps(NEWER, indent=1))).tags)
    assert [tag.subject.text for tag in tags] == ["1abc", "1abd", "/one/", "\u00fcber", "/two/"]
    assert [bool(tag.line) for tag in tags] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{}", "no list of mining pools"),
        ("[1]", "pool 1 has no name"),
        ('[{"name": ""}]', "pool 1 has no name"),
        ('[{"name": "A", "addresses": "1abc"}]', "pool 1 .*`addresses`"),
        ('[{"name": "A", "tags": [5]}]', "pool 1 .*`tags`"),
        ('[{"name": "A", "tags": ["x"], "link": 5}]', "pool 1"),
        ('[{"name": "A",\n "name": "B"}]', "'name' stands twice"),
        ('{"coinbase_tags": {"/a/": {"name": 5}}}', "'/a/'.*no name"),
        ('{"coinbase_tags": []}', "no mapping"),
        ('[{"name": "A"},\n\n}]', r"line 3 of .*no JSON"),
        ("[" * 200_000, "nested too deeply|no JSON"),
        ("[" + "1" * 10_000 + "]", "number without end"),
        ('[{"name": "A", "tags": ["' + "x" * 500 + '"]}]', "pool 1"),
        ("null", "no list of mining pools"),
    ],
)
def test_what_is_no_pool_list_is_refused(tmp_path, content, says):
    with pytest.raises(InputRefused, match=says):
        said(written(tmp_path, content))


def test_many_names_twice_are_refused_at_once(tmp_path):
    content = "{" + ",".join(f'"{number % 200_000}":1' for number in range(400_000)) + "}"
    with pytest.raises(InputRefused, match="stands twice"):
        said(written(tmp_path, content))
