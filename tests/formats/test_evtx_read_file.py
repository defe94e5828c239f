"""Chunks and records of an EVTX file as they lie there, without what they mean."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from tests.sources.evtx_files import LARGE, chunk_at, creations, evtx

from pysmon.formats.evtx.layout import CHUNK_SIZE, FILE_HEADER_SIZE, ChunkHeader
from pysmon.formats.evtx.read_file import Chunk, chunks

Told = list[tuple[str, str]]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return evtx(tmp_path_factory.mktemp("evtx") / "x.evtx", creations(12, LARGE)).read_bytes()


def read(data: bytes) -> tuple[list[Chunk], Told]:
    told: Told = []
    return list(chunks(io.BytesIO(data), lambda place, why: told.append((place, why)))), told


def ids(chunk: Chunk) -> tuple[list[int], Told]:
    told: Told = []
    return [number for _, _, number, _ in chunk.records(lambda place, why: told.append((place, why)))], told


def test_chunks_know_where_they_lie(file: bytes) -> None:
    found, told = read(file)
    assert [chunk.place for chunk in found] == [f"chunk {n} at byte {chunk_at(n):#x}" for n in (1, 2, 3)]
    assert [number for chunk in found for number in ids(chunk)[0]] == list(range(1, 13))
    assert told == []


def test_a_stream_may_give_its_bytes_in_any_pieces(file: bytes) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 1, 1000))

        read1 = read

    assert len(list(chunks(Slow(file), lambda place, why: pytest.fail(why)))) == 3


@pytest.mark.parametrize("header", [b"", b"ElfFile\0", bytes(FILE_HEADER_SIZE), b"ElfFile\0" + bytes(200)])
def test_a_header_that_is_none_is_told(header: bytes, file: bytes) -> None:
    found, told = read(header)
    assert (found, told[0][0]) == ([], "the file's header")
    found, told = read(header.ljust(FILE_HEADER_SIZE, b"\0") + file[FILE_HEADER_SIZE:])
    assert (len(found), len(told)) == (3, 1)


def test_a_header_with_a_wrong_checksum_is_told(file: bytes) -> None:
    _, told = read(file[:24] + b"\x07" + file[25:])
    assert told == [("the file's header", "its checksum is wrong")]


def test_records_that_the_chunk_held_before_are_not_read(file: bytes) -> None:
    """A chunk that is used again has old records behind its end: their ids do not go on from those before."""
    chunk = bytearray(file[chunk_at(1) : chunk_at(2)])
    header = ChunkHeader.unpack(bytes(chunk))
    *_, last = Chunk(bytes(chunk), 1, 0).records(lambda *_: None)
    for number, expected in ((last[2], 5), (900, 4)):  # one that goes on is read, also if the header does not know it
        struct.pack_into("<Q", chunk, last[0] + 8, number)
        struct.pack_into("<I", chunk, 48, last[0])
        struct.pack_into("<I", chunk, 52, zlib.crc32(chunk[512 : last[0]]))
        struct.pack_into("<I", chunk, 124, zlib.crc32(chunk[128:512], zlib.crc32(chunk[:120])))
        found, told = ids(Chunk(bytes(chunk), 1, 0))
        assert told == []
        assert len(found) == header.last_id - header.first_id + (1 if expected == 5 else 0)


def test_a_chunk_whose_header_is_damaged_is_read_all_the_same(file: bytes) -> None:
    chunk = bytearray(file[chunk_at(1) : chunk_at(2)])
    struct.pack_into("<I", chunk, 48, 0xFFFFFFFF)
    found, told = ids(Chunk(bytes(chunk), 1, 0))
    assert found == [1, 2, 3, 4, 5][: len(found)]
    assert told[0][1] == "the checksum of its header is wrong; read as far as it goes"
    assert len(found) >= 4


@pytest.mark.parametrize("size", [CHUNK_SIZE - 7, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1])
def test_chunks_are_found_wherever_they_begin(file: bytes, size: int) -> None:
    found, told = read(file[:FILE_HEADER_SIZE] + b"\1" * size + file[FILE_HEADER_SIZE:])
    assert [number for chunk in found for number in ids(chunk)[0]] == list(range(1, 13))
    assert told


def test_zeros_are_no_chunk(file: bytes) -> None:
    assert read(file + bytes(CHUNK_SIZE + 100))[1] == []
