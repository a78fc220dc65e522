"""Column files: cells come back as they were written, what is not there is refused, the disk's refusals are named."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from open_files import open_files

from cointrail.errors import Unavailable
from cointrail.ledger.columns import ColumnFile, ColumnSet
from cointrail.ledger.schema import ALL_TABLES, TABLES, Column, Counts, Table

COLUMNS = [(table, column) for table in ALL_TABLES for column in table.columns]
EACH_KIND = {(column.dtype, column.width): (table, column) for table, column in COLUMNS}
NUMBER = Column("number", "<i8", "for a test")
WIDE = Column("wide", "<u1", "for a test", 20)


def column_file(folder: Path, column: Column = NUMBER, *, writable: bool = True) -> ColumnFile:
    (folder / "table").mkdir(exist_ok=True)
    return ColumnFile(folder, Table("table", "row", (column,)), column, writable=writable)


def cells(column: Column, rows: int, seed: int) -> np.ndarray:
    raw = np.random.default_rng(seed).integers(0, 256, rows * column.row_bytes, np.uint8)
    found = raw.view(column.dtype)
    return found if column.width == 1 else found.reshape(rows, column.width)


@examples(60)
@given(st.sampled_from(list(EACH_KIND.values())), st.lists(st.integers(0, 50), max_size=6), st.integers(0, 2**32))
def test_cells_come_back_as_they_were_appended(kind, sizes, seed):
    table, column = kind
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writing = ColumnSet(folder, writable=True)
        written = np.concatenate([cells(column, 0, 0), *(cells(column, n, seed + k) for k, n in enumerate(sizes))])
        row = 0
        for size in sizes:
            writing[table.name, column.name].append(row, written[row : row + size])
            row += size
            assert (writing[table.name, column.name].map(row) == written[:row]).all()
        writing.close()
        reading = ColumnSet(folder, writable=False)
        file = reading[table.name, column.name]
        assert file.rows_on_disk() == row
        for rows in (row, row // 2, 0):
            found = file.map(rows)
            assert found.dtype == column.dtype
            assert found.shape == ((rows,) if column.width == 1 else (rows, column.width))
            assert found.tobytes() == written[:rows].tobytes()
        assert file.cell(row) == b""
        if row:
            assert file.cell(row - 1) == written[row - 1].tobytes()
        reading.close()


def test_the_file_is_little_endian_on_any_machine(place):
    file = column_file(place)
    file.append(0, np.array([1, -2], ">i8"))
    assert file.path.read_bytes() == b"\x01" + bytes(7) + b"\xfe" + b"\xff" * 7


def test_rows_beyond_the_file_are_refused(place):
    file = column_file(place)
    file.append(0, np.arange(5))
    with pytest.raises(Unavailable, match="holds 5 of 6 rows: the ledger is damaged") as raised:
        file.map(6)
    assert raised.value.exit_code == 6
    assert file.peek(4) == 4
    assert file.peek(5) is None
    os.truncate(file.path, 37)
    assert file.rows_on_disk() == 4
    assert file.peek(4) is None, "a part of a cell is no cell"
    with pytest.raises(Unavailable):
        column_file(place, writable=False).map(5)


def test_an_overwritten_row_shows_in_maps_and_cells_alike(place):
    file, reader = column_file(place), column_file(place, writable=False)
    file.append(0, np.arange(10_000))
    mapped = reader.map(10_000)
    file.append(9_000, np.full(3, -7))
    assert mapped[9_000:9_003].tolist() == [-7, -7, -7]
    file.map(10_000)[5] = 55
    assert (reader.peek(5), mapped[5]) == (55, 55)
    assert reader.map(3).tolist() == [0, 1, 2]


def test_a_map_outlives_its_file(place):
    file = column_file(place, WIDE)
    file.append(0, cells(WIDE, 9, 1))
    mapped = file.map(9)
    file.close()
    file.close()
    assert (mapped == cells(WIDE, 9, 1)).all()


def test_a_readers_map_cannot_be_written(place):
    column_file(place).append(0, np.arange(3))
    with pytest.raises(ValueError, match="read-only"):
        column_file(place, writable=False).map(3)[0] = 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk without space")
def test_a_full_disk_is_named_with_a_way_out(place):
    (place / "table").mkdir()
    (place / "table" / "number.col").symlink_to("/dev/full")
    file = column_file(place)
    with pytest.raises(Unavailable, match=r"cannot write .*number\.col: no space left") as raised:
        file.append(0, np.arange(3))
    assert "what was published is safe" in raised.value.hint
    with pytest.raises(Unavailable, match="cannot write"):
        file.sync()
    assert file.dirty, "a failed sync leaves the file unsafe"


def test_a_short_write_goes_on_where_it_ended(place, monkeypatch):
    file, write = column_file(place), os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda handle, part, position: write(handle, part[:7], position))
    file.append(2, np.arange(100))
    assert file.map(102).tolist() == [0, 0, *range(100)]


def test_a_clean_file_is_not_synced_again(place, monkeypatch):
    file, synced = column_file(place), []
    monkeypatch.setattr(os, "fsync", synced.append)
    file.sync()
    file.append(0, np.arange(3))
    file.sync()
    file.sync()
    assert len(synced) == 1


def test_a_missing_column_is_named_and_nothing_stays_open(place):
    ColumnSet(place, writable=True).close()
    (place / "output" / "script.col").unlink()
    before = open_files()
    with pytest.raises(Unavailable, match="cannot open column output/script") as raised:
        ColumnSet(place, writable=False)
    assert raised.value.exit_code == 6
    assert open_files() == before
    with pytest.raises(Unavailable, match="cannot open column block/hash"):
        ColumnSet(place / "nowhere", writable=False)
    assert open_files() == before


def test_every_column_of_the_schema_has_a_file_of_its_own(place):
    writing = ColumnSet(place, writable=True)
    assert sorted(path.relative_to(place).as_posix() for path in place.rglob("*.col")) == sorted(
        f"{table.name}/{column.name}.col" for table, column in COLUMNS
    )
    assert len(list(writing)) == len(COLUMNS)
    assert Counts(**{table.name: 0 for table in TABLES}) == Counts()
    writing.close()
