"""Packed logs with damage: all that stands before it is read, and the damage is told."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from threading import Thread
from typing import BinaryIO, cast

import pytest
from tests.sources.evtx_files import creations, evtx
from tests.sources.shapes import FILES

from pysmon.sinks.store import StoreSink
from pysmon.sources.open import open_sources
from pysmon.sources.packed import UNREADABLE, lines_of, member, raw_lines_of, read_up_to
from pysmon.sources.source import Source, SourceError

DATA = FILES["security-datasets"][1]


def zipped(data: bytes, how: int = zipfile.ZIP_DEFLATED) -> bytearray:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        archive.writestr("a", data)
    return bytearray(made.getvalue())


def with_wrong_sum(packed: bytearray) -> bytes:
    for magic, at in ((b"PK\3\4", 14), (b"PK\1\2", 16)):
        packed[packed.index(magic) + at] ^= 1
    return bytes(packed)


def up_to_damage(stream: BinaryIO) -> tuple[bytes, bool]:
    found = bytearray()
    try:
        while piece := read_up_to(stream, 1 << 18):
            found += piece
    except UNREADABLE:
        return bytes(found), True
    return bytes(found), False


def only(path: Path) -> Source:
    (source,) = open_sources([path])
    return source


@pytest.mark.parametrize("kind", ["security-datasets", "security-datasets, array on one line", "wevtutil", "utf-16"])
def test_a_wrong_checksum_at_the_end_costs_nothing_and_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log.zip"
    path.write_bytes(with_wrong_sum(zipped(FILES[kind][1].rstrip(b"\n"))))
    source = only(path)
    assert len(list(source.entries())) == 4
    assert source.tally.damages == 1
    assert "checksum" in source.tally.damaged[0].why


def test_a_wrong_checksum_costs_no_chunk_of_evtx(tmp_path: Path) -> None:
    path = tmp_path / "log.zip"
    path.write_bytes(with_wrong_sum(zipped(evtx(tmp_path / "x.evtx", creations(6, 100)).read_bytes())))
    source = only(path)
    assert len(list(source.entries())) == 6
    assert source.tally.damages == 1


def test_one_wrong_byte_costs_what_stands_behind_it(tmp_path: Path) -> None:
    noise = b"".join(b'{"x": "%s"}\n' % os.urandom(40).hex().encode() for _ in range(4000))
    whole = zipped(noise)
    whole[len(whole) // 2 : len(whole) // 2 + 4] = b"\xff\xff\xff\xff"
    stream = member(io.BytesIO(bytes(whole)), "a")
    before, broken = up_to_damage(stream)
    assert broken
    assert len(before) > len(noise) * 0.4
    assert before[: len(noise) // 3] == noise[: len(noise) // 3]


def test_a_member_that_breaks_off_gives_what_came_before() -> None:
    whole = zipped(os.urandom(50_000))
    directory = whole.rindex(b"PK\1\2")
    cut = whole[:20_000] + whole[directory:]
    at = cut.rindex(b"PK\5\6") + 16
    cut[at : at + 4] = (20_000).to_bytes(4, "little")  # where the directory is
    stream = member(io.BytesIO(bytes(cut)), "a")
    assert len(read_up_to(stream, 100_000)) > 19_000


def test_members_that_are_stored_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.zip"
    path.write_bytes(zipped(DATA, zipfile.ZIP_STORED))
    assert len(list(only(path).entries())) == 4


def test_lines_come_whole_and_long_ones_in_pieces() -> None:
    assert list(lines_of(io.BytesIO(b"a\n\nb\r\nc"), 100)) == [b"a", b"", b"b\r", b"c"]
    assert list(lines_of(io.BytesIO(b"x" * 25 + b"\ny"), 10)) == [b"x" * 10, b"x" * 10, b"x" * 5, b"y"]
    assert list(raw_lines_of(io.BytesIO(b"a\n\nb\r\nc"), 100)) == [b"a\n", b"\n", b"b\r\n", b"c"]


class Breaking(io.RawIOBase):
    """A stream that has some bytes and then breaks."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._left = data

    def readable(self) -> bool:
        return True

    def read1(self, size: int) -> bytes:
        piece, self._left = self._left[: min(size, 7)], self._left[7:]
        if not piece:
            raise OSError("broken")
        return piece


def test_what_stands_before_a_break_is_given_before_it_is_told() -> None:
    lines = raw_lines_of(cast("BinaryIO", Breaking(b"first\nsecond\nthi")), 100)
    assert [next(lines) for _ in range(3)] == [b"first\n", b"second\n", b"thi"]
    with pytest.raises(OSError, match="broken"):
        next(lines)


def test_what_cannot_be_read_in_a_folder_is_damage_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(DATA)
    (tmp_path / "b.gz").write_bytes(b"\x1f\x8b\x01 no gzip")
    (tmp_path / "c.zip").write_bytes(b"PK\3\4 no zip")
    (tmp_path / "d.json").symlink_to("/proc/self/mem")  # it can be opened, and not be read
    if not Path("/proc/self/mem").exists():
        pytest.skip("there is no /proc/self/mem, which can be opened and not be read")
    found = {source.name: source for source in open_sources([tmp_path])}
    counted = {Path(name).name: len(list(source.entries())) for name, source in found.items()}
    assert counted == {"a.json": 4, "b.gz": 0, "c.zip": 0, "d.json": 0}
    assert [source.tally.damages for _, source in sorted(found.items())] == [0, 1, 1, 1]
    assert "Input/output error" in str(found[str(tmp_path / "d.json")].tally.damaged[0])


def test_a_folder_of_nothing_but_damage_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "b.gz").write_bytes(b"\x1f\x8b\x01 no gzip")
    with pytest.raises(SourceError, match=r"b\.gz: damaged gzip data"):
        list(open_sources([tmp_path]))


def test_a_file_that_is_named_beside_others_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(DATA)
    (tmp_path / "notes").write_text("no log at all")
    log, notes = open_sources([tmp_path / "a.json", tmp_path / "notes"])
    assert len(list(log.entries())) == 4
    assert list(notes.entries()) == []
    assert notes.tally.words() == ["damaged at 1 place (all of it: in no shape of logs that is known)"]


def test_an_empty_file_is_a_log_without_events(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    source = only(path)
    assert (list(source.entries()), source.form, source.tally.words()) == ([], "empty", [])


def test_each_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(DATA)
    (tmp_path / "again").symlink_to(path)
    assert [source.name for source in open_sources([path, tmp_path, tmp_path / "again"])] == [str(path)]


@pytest.mark.parametrize("packing", ["plain", "zip", "evtx", "store"])
def test_a_pipe_is_read_whatever_it_holds(tmp_path: Path, packing: str) -> None:
    data = DATA * 200
    expected = 800
    if packing == "zip":
        data = bytes(zipped(data))
    elif packing == "evtx":
        data, expected = evtx(tmp_path / "x.evtx", creations(6, 100)).read_bytes(), 6
    elif packing == "store":
        own = tmp_path / "own"
        own.write_bytes(DATA)
        sink = StoreSink(tmp_path / "store")
        sink.write(list(only(own).entries()))
        sink.close()
        data, expected = (tmp_path / "store").read_bytes(), 4
    os.mkfifo(tmp_path / "pipe")
    writer = Thread(target=(tmp_path / "pipe").write_bytes, args=[data])
    writer.start()
    source = only(tmp_path / "pipe")
    assert source.size == 0 or packing in ("zip", "store")
    assert len(list(source.entries())) == expected
    writer.join()
