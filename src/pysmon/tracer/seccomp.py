"""A seccomp filter that has the kernel stop a process at the system calls that are of interest, and at no others."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from pysmon.errors import SensorError
from pysmon.tracer.calls import ARCHITECTURES, Call

_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000  # linux/seccomp.h
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x45, 0x06  # instructions of classic BPF: ld, jeq, jset, ret
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they stand in struct seccomp_data
_INSTRUCTION = struct.Struct("<HBBI")
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2  # linux/prctl.h


def program(calls: Iterable[Call], machine: str) -> bytes:
    """The instructions. Calls of another architecture (32-bit ones) pass unseen."""
    made = [
        _INSTRUCTION.pack(_LOAD, 0, 0, _ARCHITECTURE),
        _INSTRUCTION.pack(_EQUAL, 1, 0, ARCHITECTURES[machine]),
        _INSTRUCTION.pack(_RETURN, 0, 0, _ALLOW),
        _INSTRUCTION.pack(_LOAD, 0, 0, _NUMBER),
    ]
    for call in calls:
        if not call.always:
            continue
        if call.only_if is None:
            made += [_INSTRUCTION.pack(_EQUAL, 0, 1, call.number), _INSTRUCTION.pack(_RETURN, 0, 0, _TRACE)]
            continue
        argument, bits = call.only_if
        made += [
            _INSTRUCTION.pack(_EQUAL, 0, 4, call.number),
            _INSTRUCTION.pack(_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
            _INSTRUCTION.pack(_AND, 0, 1, bits),
            _INSTRUCTION.pack(_RETURN, 0, 0, _TRACE),
            _INSTRUCTION.pack(_RETURN, 0, 0, _ALLOW),
        ]
    return b"".join([*made, _INSTRUCTION.pack(_RETURN, 0, 0, _ALLOW)])


def install(instructions: bytes) -> None:
    """Put this process, and all that it will start, under the filter for good; SensorError if the kernel refuses.

    Without privileges only who gives up getting more may do that: set-user-id programs do not raise them then.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(instructions, len(instructions))
    about = ctypes.create_string_buffer(
        struct.pack("<HxxxxxxQ", len(instructions) // _INSTRUCTION.size, ctypes.addressof(room))
    )
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _FILTER, about, 0, 0):
        raise SensorError(f"the kernel refuses the filter of system calls: {os.strerror(ctypes.get_errno())}")
