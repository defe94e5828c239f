"""What the kernel programs of one process cost: run time and run count, as the kernel itself counts them."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SYSCALL = {"x86_64": 321, "aarch64": 280}  # bpf(2)
_PROG_GET_FD_BY_ID, _OBJ_GET_INFO_BY_FD, _ENABLE_STATS = 13, 15, 32
_INFO_SIZE, _NAME = 80, slice(64, 80)  # of struct bpf_prog_info: the part that tells the name


@dataclass(frozen=True, slots=True)
class Cost:
    """Runs of one program, and the nanoseconds that they took."""

    runs: int
    ns: int


def _bpf(command: int, attributes: ctypes.Array[ctypes.c_char]) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(_SYSCALL[platform.machine()], command, attributes, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


@contextmanager
def counted() -> Iterator[None]:
    """Let the kernel count while this is open (BPF_ENABLE_STATS); it costs each run of a program some 50 ns."""
    fd = _bpf(_ENABLE_STATS, ctypes.create_string_buffer(4))  # type 0: BPF_STATS_RUN_TIME
    try:
        yield
    finally:
        os.close(fd)


def costs(pid: int) -> dict[str, Cost]:
    """The programs that a process holds, by name."""
    found = {}
    for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = entry.read_text()
        except FileNotFoundError:  # closed meanwhile
            continue
        told = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        if "run_time_ns" in told:
            found[_name(int(told["prog_id"]))] = Cost(int(told["run_cnt"]), int(told["run_time_ns"]))
    return found


def _name(identity: int) -> str:
    """The first 15 characters of the program's name."""
    wanted = ctypes.create_string_buffer(identity.to_bytes(4, "little"), 12)
    fd = _bpf(_PROG_GET_FD_BY_ID, wanted)
    try:
        info = ctypes.create_string_buffer(_INFO_SIZE)
        place = ctypes.addressof(info).to_bytes(8, "little")
        head = fd.to_bytes(4, "little") + _INFO_SIZE.to_bytes(4, "little") + place
        _bpf(_OBJ_GET_INFO_BY_FD, ctypes.create_string_buffer(head, 16))
        return bytes(info.raw[_NAME]).rstrip(b"\0").decode()
    finally:
        os.close(fd)
