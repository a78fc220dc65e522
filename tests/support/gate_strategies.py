"""Hypothesis strategies of transaction shapes: made from the detectors' conditions, then disturbed, or from nothing."""

from gate_shapes import EDGES, NOTE, Shape, key, taproot
from hypothesis import strategies as st

VALUES = (
    0, 330, 545, 546, 547, 2_500, 2_729, 2_730, 2_731, 4_999, 5_000, 5_001, 6_561, 8_192, 10_000, 15_000, 20_000,
    50_000, 59_049, 100_000, 100_100, 1_000_000, 1_000_100, 1_110_000, 2_500_000, 9_500_000, 10_000_000, 10_500_000,
    10_500_001, 19_000_000, 20_000_000, 21_000_000, 50_000_000, 100_000_000,
)  # fmt: skip
LONG = b"\x61" * 10_001
LEGACY = b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"


@st.composite
def shapes(draw) -> Shape:
    """Shapes of up to some sixty inputs and outputs."""
    return draw(st.one_of(_disturbed(), _invented()))


@st.composite
def _disturbed(draw) -> Shape:
    """A case of `gate_shapes.EDGES` with up to three changes."""
    _, (inputs, outputs), _ = EDGES[draw(st.sampled_from(sorted(EDGES)))]
    sides = [list(inputs), list(outputs)]
    for _ in range(draw(st.integers(0, 3))):
        which = draw(st.integers(0, 1))
        _disturb(draw, sides[which], is_input=which == 0)
    return sides[0], sides[1]


def _disturb(draw, side, *, is_input) -> None:
    place = draw(st.integers(0, max(len(side) - 1, 0)))
    kind = draw(st.sampled_from(("drop", "repeat", "shift", "value", "script", "order", "new", "note")))
    if kind == "new" or not side:
        side.insert(place, (draw(st.sampled_from(VALUES)), key(draw(st.integers(0, 9)))))
        return
    value, script = side[place]
    if kind == "drop":
        del side[place]
    elif kind == "repeat":
        side.insert(place, (value, key(("again", len(side)))))
    elif kind == "shift":
        side[place] = (max(value + draw(st.integers(-2, 2)), 0), script)
    elif kind == "value":
        side[place] = (draw(st.sampled_from([each for each, _ in side])), script)
    elif kind == "script":
        tag = draw(st.integers(0, 3))
        side[place] = (value, draw(st.sampled_from((side[-1][1], key(tag), taproot(tag), LEGACY))))
    elif kind == "order":
        side.sort(reverse=True)
    elif not is_input:
        side.insert(place, (draw(st.sampled_from((0, value))), draw(st.sampled_from((NOTE, LONG)))))


@st.composite
def _invented(draw) -> Shape:
    """Few values and few scripts, so that they repeat."""
    values = st.sampled_from(draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=6, unique=True)))
    scripts = st.integers(0, draw(st.integers(0, 60))).map(key)
    inputs = draw(st.lists(st.tuples(values, scripts), max_size=draw(st.sampled_from((3, 12, 30)))))
    outputs = draw(
        st.lists(st.tuples(values, st.one_of(scripts, scripts, scripts, st.just(NOTE), st.just(LONG))), max_size=30)
    )
    if draw(st.booleans()):
        inputs.sort(reverse=True)
        outputs.sort(reverse=True)
    return inputs, outputs
