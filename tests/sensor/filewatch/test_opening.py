"""With which flags a process opens a file, read from /proc while it waits."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from pysmon.sensor.filewatch.opening import overwrites

PID = 77
OPENAT = {"x86_64": 257, "aarch64": 56}.get(os.uname().machine)
pytestmark = pytest.mark.skipif(OPENAT is None, reason="system calls of this machine are not known")


def proc(tmp_path: Path, *threads: str, memory: bytes = b"") -> Path:
    for number, call in enumerate(threads):
        folder = tmp_path / str(PID) / "task" / str(PID + number)
        folder.mkdir(parents=True)
        (folder / "syscall").write_text(call)
        (folder / "mem").write_bytes(memory)
    return tmp_path


def openat(flags: int) -> str:
    return f"{OPENAT} 0xffffffffffffff9c 0x7ffe 0x{flags:x} 0x1b6 0x0 0x0 0x7ffd 0x7f01\n"


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_CREAT, os.O_RDWR | os.O_NOCTTY])
def test_to_write_over_what_is_there_is_seen(tmp_path: Path, flags: int) -> None:
    assert overwrites(PID, proc(tmp_path, openat(flags))) == flags


@pytest.mark.parametrize(
    "flags", [os.O_RDONLY, os.O_RDONLY | os.O_CREAT, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND]
)
def test_to_read_to_empty_or_to_append_is_none(tmp_path: Path, flags: int) -> None:
    assert overwrites(PID, proc(tmp_path, openat(flags))) == 0


def test_any_thread_may_be_the_one(tmp_path: Path) -> None:
    assert overwrites(PID, proc(tmp_path, "running\n", "", "59 0x0\n", openat(os.O_WRONLY))) == os.O_WRONLY


def test_openat2_has_its_flags_in_memory(tmp_path: Path) -> None:
    memory = bytes(0x20) + struct.pack("<QQQ", os.O_RDWR, 0, 0)
    assert (
        overwrites(PID, proc(tmp_path, "437 0xffffff9c 0x7ffe 0x20 0x18 0x0 0x0 0x7f 0x7f\n", memory=memory))
        == os.O_RDWR
    )


def test_a_process_that_has_gone_overwrites_nothing(tmp_path: Path) -> None:
    assert overwrites(PID, tmp_path) == 0
    assert overwrites(PID, proc(tmp_path, "437 0x0 0x0 0x7000 0x18\n")) == 0
