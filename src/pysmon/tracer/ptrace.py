"""ptrace(2) and process_vm_readv(2) by ctypes: what the tracer needs of them."""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass

from pysmon.tracer.calls import ARCHITECTURES

# linux/ptrace.h
CONT, SYSCALL, DETACH, SEIZE, INTERRUPT, LISTEN = 7, 24, 17, 0x4206, 0x4207, 0x4208
_EVENT_MESSAGE, _SYSCALL_INFO = 0x4201, 0x420E
FORK, VFORK, CLONE, EXEC, SECCOMP, STOP = 1, 2, 3, 4, 7, 128  # events
_MARK_CALLS = 1
OPTIONS = _MARK_CALLS | 1 << FORK | 1 << VFORK | 1 << CLONE | 1 << EXEC | 1 << SECCOMP | 1 << 20  # the last: EXITKILL
_INFO = 88  # bytes of struct ptrace_syscall_info
_EXIT = 2
_LARGEST = 4096
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Stop:
    """At a system call: its number and arguments where it begins, its result (negative: an error) where it ends.

    A call by another table than the machine's own (32-bit) has the number -1.
    """

    number: int = -1
    arguments: tuple[int, ...] = ()
    result: int | None = None


class Ptrace:
    """The calls; those that fail because the process has gone raise ProcessLookupError, others OSError."""

    def __init__(self) -> None:
        """Find them."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.restype = ctypes.c_long
        self._libc.process_vm_readv.restype = ctypes.c_ssize_t
        self._architecture = ARCHITECTURES[os.uname().machine]

    def ask(self, request: int, tid: int, address: int = 0, data: int = 0) -> None:
        """A request that takes numbers."""
        self._call(request, tid, ctypes.c_void_p(address), ctypes.c_void_p(data))

    def message(self, tid: int) -> int:
        """What an event brings: the new process, or the former number of a thread that ran a program."""
        found = ctypes.c_ulong()
        self._call(_EVENT_MESSAGE, tid, None, ctypes.byref(found))
        return found.value

    def stop(self, tid: int) -> Stop:
        """Where a thread stands that stopped at a system call."""
        room = ctypes.create_string_buffer(_INFO)
        self._call(_SYSCALL_INFO, tid, ctypes.c_void_p(_INFO), room)
        if room.raw[0] == _EXIT:
            return Stop(result=struct.unpack_from("<q", room.raw, 24)[0])
        number, *arguments = struct.unpack_from("<7Q", room.raw, 24)
        if struct.unpack_from("<I", room.raw, 4) != (self._architecture,):
            return Stop()
        return Stop(number, tuple(arguments))

    def memory(self, tid: int, address: int, size: int) -> bytes:
        """At most so much of a thread's memory; empty where there is none."""
        wanted = min(size, _LARGEST)
        room = ctypes.create_string_buffer(wanted)
        here = ctypes.create_string_buffer(struct.pack("<QQ", ctypes.addressof(room), wanted))
        there = ctypes.create_string_buffer(struct.pack("<QQ", address, wanted))
        got = self._libc.process_vm_readv(tid, here, 1, there, 1, 0)
        return room.raw[: max(got, 0)]

    def text(self, tid: int, address: int) -> bytes:
        """A text that ends with NUL, without it; it may cross into the next page."""
        first = self.memory(tid, address, _PAGE - address % _PAGE)
        if b"\0" not in first and first:
            first += self.memory(tid, address + len(first), _LARGEST - len(first))
        return first.partition(b"\0")[0]

    def _call(self, request: int, tid: int, address: object, data: object) -> None:
        if self._libc.ptrace(ctypes.c_long(request), ctypes.c_long(tid), address, data) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), f"ptrace {request:#x}")
