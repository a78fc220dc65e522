"""Files of tags: real packs are read, what is none is refused with its place, nothing is guessed."""

import hashlib

import pytest
from vectors import shared_data

from cointrail.errors import InputRefused
from cointrail.service.tag_files import CONFIDENCE, Tag, read_tags

PACK = """
title: Known services
creator: somebody
category: exchange
confidence: service_data
is_cluster_definer: true
source: https://example.invalid/list
lastmod: 2024-01-15
tags:
- address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT
  label: Boat
  actor: boat
- address: 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy
  label: Raft
  category: mixer
  confidence: web_crawl
  is_cluster_definer: false
- tx_hash: aa
  label: a transaction
"""


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pack_gives_its_header_to_every_tag_that_does_not_say_otherwise(tmp_path):
    path = written(tmp_path, "pack.yaml", PACK)
    found = read_tags(path)
    assert (found.name, found.sha256) == ("pack.yaml", hashlib.sha256(path.read_bytes()).hexdigest())
    source, date = "https://example.invalid/list", "2024-01-15"
    assert found.tags == (
        Tag("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "boat", "exchange", source, "service_data", True, date),
        Tag("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "Raft", "mixer", source, "web_crawl", False, date),
    )


def test_a_table_needs_an_address_and_an_actor(tmp_path):
    path = written(tmp_path, "tags.csv", "address,actor,category\n1abc,Shop,exchange\n")
    assert read_tags(path).tags == (Tag("1abc", "Shop", "exchange"),)
    with pytest.raises(InputRefused, match=r"tag 1 of .*lacks an address or an actor"):
        read_tags(written(tmp_path, "bad.csv", "address,actor\n1abc,\n"))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("x.yaml", "tags: {a: 1}", "has no list `tags`"),
        ("x.yaml", "- a\n- b\n", "has no list `tags`"),
        ("x.yaml", "tags: [1, 2]", "has no list `tags`"),
        ("x.yaml", "a: [\n", "is no YAML"),
        ("x.yaml", "!!python/object/apply:os.system ['true']", "is no YAML"),
        ("x.yaml", "tags:\n- address: 1a\n  label: x\n  confidence: sure\n", "unknown confidence 'sure'"),
        ("x.yaml", "tags:\n- address: 1a\n  label: x\n  is_cluster_definer: maybe\n", "is_cluster_definer 'maybe'"),
        ("x.yaml", 'tags:\n- address: 1a\n  label: "a\\u001b[31m"\n', "cannot be printed on one line"),
        ("x.csv", 'address,actor\n"1a,b\n', "is no CSV file"),
    ],
)
def test_what_is_no_table_of_tags_is_refused(tmp_path, name, text, says):
    with pytest.raises(InputRefused, match=says):
        read_tags(written(tmp_path, name, text))


def test_what_is_no_file_is_refused(tmp_path):
    for each in (tmp_path, tmp_path / "absent.yaml"):
        with pytest.raises(InputRefused):
            read_tags(each)
    (tmp_path / "latin.csv").write_bytes(b"address,actor\n1a,caf\xe9\n")
    with pytest.raises(InputRefused, match="is not UTF-8"):
        read_tags(tmp_path / "latin.csv")


@pytest.mark.parametrize(
    "name", ["ofac.yaml", "walletexplorer.yaml", "hydra.yaml", "exchange-wallets-bitfinexcom.yaml", "ponzi_scheme.yaml"]
)
def test_public_packs_are_read(name):
    found = read_tags(shared_data() / "tags" / name)
    assert len(found.tags) > 0
    assert all(tag.confidence in CONFIDENCE and tag.address and tag.actor for tag in found.tags)
