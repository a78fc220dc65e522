"""The gate's vocabulary: bits of the store format, precedence, rule ids and their pages."""

from pathlib import Path

import pytest

from cointrail.cluster.gate.kinds import INFORMATIVE, INFORMATIVE_RULES, RULE_OF, RULES, VETO, Kind, Sign, kind_of
from cointrail.kernels.signs import gate

METHODS = Path(__file__).resolve().parents[4] / "docs" / "methods"

BITS = {
    "LISTED": 0, "WHIRLPOOL": 1, "WASABI2_GRAPHSENSE": 2, "WASABI2_DUMPLINGS": 3, "WASABI2_RELAXED": 4,
    "WASABI1_0": 5, "WASABI1_1": 6, "JOINMARKET": 7, "BLOCKSCI_FLAG": 8, "GENERIC": 9, "STONEWALL": 10,
    "TX0": 16, "UNNECESSARY_INPUT": 17, "OTHER_EQUAL_OUTPUT": 18,
}  # fmt: skip


def test_bits_never_change():
    assert {sign.name: int(sign) for sign in Sign} == {name: 1 << bit for name, bit in BITS.items()}
    assert {name: getattr(gate, name) for name in BITS if name != "LISTED"} == {
        name: 1 << bit for name, bit in BITS.items() if name != "LISTED"
    }


def test_veto_and_informative_signs_are_all_signs():
    assert [sign.name for sign in Sign if sign in VETO] == [name for name, bit in BITS.items() if bit < 16]
    assert sum(Sign) == VETO | INFORMATIVE
    assert not VETO & INFORMATIVE


ORDER = [
    (Sign.LISTED, Kind.LISTED),
    (Sign.WHIRLPOOL, Kind.WHIRLPOOL),
    (Sign.WASABI2_GRAPHSENSE, Kind.WASABI2),
    (Sign.WASABI2_DUMPLINGS, Kind.WASABI2),
    (Sign.WASABI2_RELAXED, Kind.WASABI2),
    (Sign.WASABI1_0, Kind.WASABI1),
    (Sign.WASABI1_1, Kind.WASABI1),
    (Sign.JOINMARKET, Kind.JOINMARKET),
    (Sign.BLOCKSCI_FLAG, Kind.EQUAL_OUTPUT),
    (Sign.GENERIC, Kind.EQUAL_OUTPUT),
    (Sign.STONEWALL, Kind.AMBIGUOUS),
]


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_the_first_class_wins(place):
    sign, kind = ORDER[place]
    later = sum(int(other) for other, _ in ORDER[place:])
    assert kind_of(sign) is kind
    assert kind_of(later | INFORMATIVE) is kind
    assert kind_of(int(sign)) is kind


def test_informative_signs_are_no_class():
    assert kind_of(0) is Kind.NONE
    assert kind_of(INFORMATIVE) is Kind.NONE


def test_every_sign_has_a_rule_of_its_own_and_a_page():
    assert set(RULE_OF) == set(Sign)
    assert [rule for rule, _ in (*RULES, *INFORMATIVE_RULES)] == [RULE_OF[sign] for sign in Sign]
    assert len(set(RULE_OF.values())) == len(Sign)
    pages = {path.name: path.read_text("utf-8") for path in METHODS.glob("*.md")}
    for rule, version in (*RULES, *INFORMATIVE_RULES):
        assert any(f"`{rule}`, version {version}" in page for page in pages.values()), rule
