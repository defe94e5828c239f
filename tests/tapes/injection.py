"""A scene of injection, for a tape: a process writes into another in every way and turns it; one unlocks its code."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable

LIBC = ctypes.CDLL(None, use_errno=True)
CODE = ctypes.cast(LIBC.getppid, ctypes.c_void_p).value or 0
DATA = ctypes.create_string_buffer(64)  # at the same address in a child
POKE, ATTACH, DETACH, GET, SET = 4, 16, 17, 0x4204, 0x4205  # linux/ptrace.h
POINTER = 16  # of the words of the registers of x86-64


class Span(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


def checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "it failed")


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> None:
    checked(LIBC.ptrace(ctypes.c_long(request), pid, ctypes.c_void_p(address), ctypes.c_void_p(data)))


def debug(pid: int) -> None:
    words = (ctypes.c_uint64 * 64)()
    span = Span(ctypes.addressof(words), ctypes.sizeof(words))
    ptrace(ATTACH, pid)
    os.waitpid(pid, 0x40000000)
    for _ in range(100):
        ptrace(POKE, pid, CODE, int.from_bytes(ctypes.string_at(CODE, 8), "little"))
    ptrace(GET, pid, 1, ctypes.addressof(span))
    words[POINTER] = CODE
    ptrace(SET, pid, 1, ctypes.addressof(span))


def write(pid: int) -> None:
    span = Span(ctypes.addressof(DATA), len(DATA))
    checked(LIBC.process_vm_writev(pid, ctypes.byref(span), 1, ctypes.byref(span), 1, ctypes.c_ulong(0)))


def write_memory(pid: int) -> None:
    file = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    os.pwrite(file, ctypes.string_at(CODE, 5), CODE)
    os.close(file)


def unlock() -> None:
    checked(LIBC.mprotect(ctypes.c_void_p(CODE & -4096), ctypes.c_size_t(4096), 7))


def child(act: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(0)
    return pid


def main() -> None:
    target = child(lambda: time.sleep(60))
    for act in (write, write_memory, debug):
        act(target)
    os.kill(target, signal.SIGKILL)
    os.waitpid(target, 0)
    os.waitpid(child(unlock), 0)


main()
