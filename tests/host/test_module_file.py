"""The end of a module's file, packed or not."""

from __future__ import annotations

import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from pysmon.errors import RecordError
from pysmon.host.hashes import Expected
from pysmon.host.module_file import end_of_module
from pysmon.host.module_signature import TAIL

MODULE = os.urandom(TAIL // 2) + b"the end"
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "not": bytes,
    "xz": lzma.compress,
    "gzip": gzip.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}


def of(path: Path) -> Expected:
    found = path.stat()
    return Expected(os.major(found.st_dev) << 20 | os.minor(found.st_dev), found.st_ino, found.st_size)


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_end_is_told_however_the_module_is_packed(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "a.ko"
    path.write_bytes(PACKINGS[packing](MODULE * 3))
    assert end_of_module(str(path), expected=of(path)) == (MODULE * 3)[-TAIL:]


@pytest.mark.parametrize(("packing", "at"), [("xz", 20), ("gzip", 20), ("zstd", 4)])
def test_a_damaged_module_is_refused(tmp_path: Path, packing: str, at: int) -> None:
    path = tmp_path / "a.ko"
    whole = PACKINGS[packing](MODULE)
    path.write_bytes(whole[:at] + b"damage" + whole[at + 6 :])
    with pytest.raises(RecordError):
        end_of_module(str(path), expected=of(path))


def test_a_packed_module_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ko"
    path.write_bytes(lzma.compress(MODULE)[:-100])
    with pytest.raises(RecordError, match="cut off"):
        end_of_module(str(path), expected=of(path))


def test_another_file_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a.ko"
    path.write_bytes(MODULE)
    with pytest.raises(RecordError, match="no longer there"):
        end_of_module(str(path), expected=of(path)._replace(inode=1))
    with pytest.raises(RecordError, match="no longer there"):
        end_of_module(str(tmp_path / "b.ko"), expected=of(path))
