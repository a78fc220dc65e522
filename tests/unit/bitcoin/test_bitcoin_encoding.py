"""The wire encoding: every number comes back, and no announced length is believed."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.encoding import MAX_SIZE, Cursor, write_compact_size
from cointrail.errors import EncodingError


@given(st.integers(min_value=0, max_value=MAX_SIZE))
def test_compact_size_round_trip(number):
    cursor = Cursor(write_compact_size(number))
    assert cursor.compact_size() == number
    assert cursor.remaining == 0


@pytest.mark.parametrize(
    ("number", "raw"),
    [
        (0, "00"),
        (252, "fc"),
        (253, "fdfd00"),
        (65_535, "fdffff"),
        (65_536, "fe00000100"),
        (4_294_967_295, "feffffffff"),
        (4_294_967_296, "ff0000000001000000"),
        ((1 << 64) - 1, "ffffffffffffffffff"),
    ],
)
def test_compact_size_has_its_shortest_form(number, raw):
    assert write_compact_size(number).hex() == raw


@pytest.mark.parametrize("number", [-1, 1 << 64])
def test_a_number_that_is_no_compact_size(number):
    with pytest.raises(EncodingError, match="is not a compact size"):
        write_compact_size(number)


@pytest.mark.parametrize(
    "raw", ["fd0000", "fdfc00", "fe00000000", "feffff0000", "ff0000000000000000", "ffffffffff00000000"]
)
def test_non_minimal_compact_sizes_are_refused(raw):
    cursor = Cursor(b"\x00" + bytes.fromhex(raw), 1)
    with pytest.raises(EncodingError, match="non-minimal compact size") as caught:
        cursor.compact_size()
    assert caught.value.offset == 1


@pytest.mark.parametrize("number", [MAX_SIZE + 1, 0xFFFFFFFF, (1 << 64) - 1])
def test_compact_sizes_above_the_cap_are_refused(number):
    with pytest.raises(EncodingError, match=f"compact size {number} is over {MAX_SIZE}"):
        Cursor(write_compact_size(number)).compact_size()


def test_integers_are_little_endian_and_signed_where_they_say_so():
    raw = bytes.fromhex("ff020104030201fffffffffefffffffffffffffeffffffffffffff")
    cursor = Cursor(memoryview(raw))
    assert (cursor.u8(), cursor.u16(), cursor.u32(), cursor.i32()) == (255, 0x0102, 0x01020304, -1)
    assert (cursor.u64(), cursor.i64()) == ((1 << 64) - 2, -2)
    cursor.finish("numbers")


@pytest.mark.parametrize("method", ["u8", "u16", "u32", "i32", "u64", "i64", "compact_size", "var_bytes"])
def test_the_end_of_the_buffer_is_an_error_with_its_offset(method):
    cursor = Cursor(b"abc", 3)
    with pytest.raises(EncodingError, match="bytes needed, 0 left") as caught:
        getattr(cursor, method)()
    assert caught.value.offset == 3
    assert cursor.position == 3


def test_take_returns_bytes_of_any_buffer():
    assert Cursor(memoryview(b"abcdef"), 2).take(3) == b"cde"
    with pytest.raises(EncodingError, match=r"4 bytes needed, 3 left \(at byte 0\)"):
        Cursor(b"abc").take(4)


def test_var_bytes():
    assert Cursor(b"\x03abcd").var_bytes() == b"abc"
    with pytest.raises(EncodingError, match="200 bytes needed, 1 left"):
        Cursor(b"\xc8a").var_bytes()


def test_finish_names_what_has_trailing_bytes():
    with pytest.raises(EncodingError, match="2 trailing bytes after the block header"):
        Cursor(b"ab").finish("block header")


def test_a_hostile_count_is_refused_before_memory_is_taken():
    raw = write_compact_size(MAX_SIZE) + bytes(1000)
    tracemalloc.start()
    try:
        with pytest.raises(EncodingError, match=f"{MAX_SIZE} inputs announced, 1000 bytes left"):
            Cursor(raw).count("inputs", 41)
        with pytest.raises(EncodingError, match="bytes needed, 1000 left"):
            Cursor(raw).var_bytes()
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert Cursor(b"\x02" + bytes(82)).count("inputs", 41) == 2
