"""The system calls that are of interest, by machine: their numbers, and which argument says what."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # linux/audit.h
_NATIVE = {"x86_64": (2, 62), "aarch64": (2, 183)}  # of programs: class and machine (elf.h)
Kind = Literal["open", "rename", "link", "symlink", "unlink", "connect", "accept", "send", "receive", "close"]
Layout = Literal["bytes", "pieces", "message", "messages"]
_O_CREAT, _RENAME_EXCHANGE = 0o100, 2


@dataclass(frozen=True, slots=True)
class Call:
    """One system call. Arguments are numbered from 0; None: it has none such."""

    name: str
    number: int
    kind: Kind
    folder: int | None = None  # a descriptor that a relative path begins at; without one, the working directory
    path: int | None = None  # of the name that comes or goes; of a socket address
    length: int | None = None  # of the address; for `receive` a pointer to it
    flags: int | None = None
    layout: Layout = "bytes"  # how the bytes that are moved are named: an address and a size, struct iovec or msghdr
    family: str = ""  # of interest only if records of this family are wanted
    always: bool = True  # False: any file may be meant, and only who talks to a name server is stopped at it

    @property
    def names_peers(self) -> bool:
        """Of one that moves bytes: may it name the other end of the socket?"""
        return self.path is not None or self.layout in ("message", "messages")

    only_if: tuple[int, int] | None = None  # of interest only if this argument has one of these bits


def _number(name: str, machine: str) -> int | None:
    x86, arm = _NUMBERS[name]
    return {"x86_64": x86, "aarch64": arm}.get(machine)


# By name: the number on x86-64 and on arm64, which has no calls without a folder.
_NUMBERS: dict[str, tuple[int, int | None]] = {
    "open": (2, None),
    "creat": (85, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "connect": (42, 203),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "recvmmsg": (299, 243),
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
}
_SHAPES = (  # without their numbers
    Call("open", 0, "open", path=0, only_if=(1, _O_CREAT)),
    Call("creat", 0, "open", path=0),
    Call("openat", 0, "open", folder=0, path=1, only_if=(2, _O_CREAT)),
    Call("openat2", 0, "open", folder=0, path=1),  # its flags are in memory, where a filter cannot look
    Call("rename", 0, "rename", path=1),
    Call("renameat", 0, "rename", folder=2, path=3),
    Call("renameat2", 0, "rename", folder=2, path=3, flags=4),
    Call("link", 0, "link", path=1),
    Call("linkat", 0, "link", folder=2, path=3),
    Call("symlink", 0, "symlink", path=1),
    Call("symlinkat", 0, "symlink", folder=1, path=2),
    Call("unlink", 0, "unlink", path=0),
    Call("unlinkat", 0, "unlink", folder=0, path=1, flags=2),
    Call("connect", 0, "connect", path=1, length=2),
    Call("accept", 0, "accept"),
    Call("accept4", 0, "accept"),
    Call("sendto", 0, "send", path=4, length=5),
    Call("sendmsg", 0, "send", layout="message"),
    Call("sendmmsg", 0, "send", layout="messages"),
    Call("recvfrom", 0, "receive", path=4, length=5, flags=3, family="dns"),
    Call("recvmsg", 0, "receive", flags=2, layout="message", family="dns"),
    Call("recvmmsg", 0, "receive", flags=3, layout="messages", family="dns"),
    Call("read", 0, "receive", family="dns", always=False),
    Call("readv", 0, "receive", layout="pieces", family="dns", always=False),
    Call("write", 0, "send", family="dns", always=False),
    Call("writev", 0, "send", layout="pieces", family="dns", always=False),
    Call("close", 0, "close", family="dns", always=False),
)


def calls(machine: str = "", families: Collection[str] = ("dns",)) -> dict[int, Call]:
    """Those that this machine has (or the one that is named), and that records of these families need, by number."""
    named = machine or os.uname().machine
    wanted = (shape for shape in _SHAPES if not shape.family or shape.family in families)
    numbers = ((shape, _number(shape.name, named)) for shape in wanted)
    return {number: replace(shape, number=number) for shape, number in numbers if number is not None}


def foreign(program: str, machine: str = "") -> str:
    """What kind of program that is, if its system calls are not those of this machine; empty if they are."""
    try:
        with open(program, "rb") as file:
            head = file.read(20)
    except OSError:
        return ""
    found = (head[4], int.from_bytes(head[18:20], "little")) if len(head) == 20 and head[:4] == b"\x7fELF" else None
    if found is None or found == _NATIVE.get(machine or os.uname().machine):
        return ""
    return "32-bit programs" if found[0] == 1 else f"programs of another machine ({found[1]})"
