"""The parts of an EVTX file, held against files that Windows wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import shared_files

from pysmon.formats.evtx.layout import (
    CHUNK_SIZE,
    FILE_HEADER_SIZE,
    NAME,
    NAME_BUCKETS,
    ChunkHeader,
    FileHeader,
    filetime,
    name_hash,
    pack_sid,
    unix_ns,
    unpack_sid,
)

FILES = shared_files("data/evtx/*.evtx")


@pytest.mark.parametrize("path", FILES)
def test_a_file_header_of_windows_is_read_and_written_to_the_byte(path: Path) -> None:
    data = path.read_bytes()[:128]
    header = FileHeader.unpack(data)
    assert header.sound
    assert header.pack() == data


@pytest.mark.parametrize("path", FILES)
def test_a_chunk_header_of_windows_is_read_and_written_to_the_byte(path: Path) -> None:
    data = path.read_bytes()[FILE_HEADER_SIZE:][:CHUNK_SIZE]
    header = ChunkHeader.unpack(data)
    assert header.sound
    assert header.pack() == data[:512]


@pytest.mark.parametrize("path", FILES)
def test_a_name_of_windows_has_the_hash_and_the_bucket_that_we_give_it(path: Path) -> None:
    data = path.read_bytes()[FILE_HEADER_SIZE:][:CHUNK_SIZE]
    found = 0
    for bucket, offset in enumerate(ChunkHeader.unpack(data).names):
        while offset:
            following, hashed, length = NAME.unpack_from(data, offset)
            name = data[offset + NAME.size :][: 2 * length].decode("utf-16-le")
            assert (name_hash(name), hashed % NAME_BUCKETS) == (hashed, bucket)
            offset, found = following, found + 1
    assert found > 20


def test_headers_that_are_none_say_what_they_should_begin_with() -> None:
    with pytest.raises(ValueError, match="ElfFile"):
        FileHeader.unpack(bytes(128))
    with pytest.raises(ValueError, match="ElfChnk"):
        ChunkHeader.unpack(bytes(512))
    with pytest.raises(ValueError, match="ElfFile"):
        FileHeader.unpack(b"ElfFile\0")


def test_one_wrong_bit_makes_a_header_unsound() -> None:
    file = bytearray(FileHeader(0, 0, 2, 1, 1).pack())
    chunk = bytearray(ChunkHeader(1, 1, 1, 1, 512, 600, 7, (0,) * 64, (0,) * 32).pack())
    file[8] ^= 1
    chunk[200] ^= 1
    assert not FileHeader.unpack(bytes(file)).sound
    assert not ChunkHeader.unpack(bytes(chunk)).sound


def test_a_dirty_header_says_so() -> None:
    assert FileHeader(0, 0, 2, 1, 1).dirty
    assert not FileHeader(0, 0, 2, 1, 0).dirty


@pytest.mark.parametrize("text", ["S-1-5-18", "S-1-5-21-3583694148-1414552638-2922671848-1000", "S-1-22-1-0", "S-1-0"])
def test_a_security_identifier_comes_back(text: str) -> None:
    assert unpack_sid(pack_sid(text)) == text


@pytest.mark.parametrize("text", ["", "-", "root", "S-1", "S-1-5-x", "S-1-5-4294967296", "T-1-5-18", "S-300-5-18"])
def test_what_is_no_security_identifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected S-1-5-18"):
        pack_sid(text)


def test_a_security_identifier_that_is_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="cut short"):
        unpack_sid(pack_sid("S-1-5-18")[:-1])


def test_a_time_comes_back_to_the_hundred_nanoseconds() -> None:
    assert unix_ns(filetime(1795241433_486357099)) == 1795241433_486357000
    assert filetime(0) == 116444736000000000
