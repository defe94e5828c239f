"""The C libraries of a machine: where their files are, and attaching programs to the functions that look up names."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# Which functions a program serves, at their beginnings or ends. Not every library has them all, and of those that call
# each other the outermost counts (lookup.bpf.c).
PROBES = {
    "on_getaddrinfo": ("getaddrinfo",),
    "on_getaddrinfo_end": ("getaddrinfo",),
    "on_gethostbyname": ("gethostbyname_r",),
    "on_gethostbyname2": ("gethostbyname2_r",),
    "on_gethostbyname_end": ("gethostbyname_r", "gethostbyname2_r"),
}
_PLACES = (  # glibc, then musl
    *("lib*/libc.so.6", "lib*/*/libc.so.6", "usr/lib*/libc.so.6", "usr/lib*/*/libc.so.6"),
    *("lib/ld-musl-*.so.1", "usr/lib/*-linux-musl*/libc.so", "usr/lib/musl/lib/libc.so", "usr/local/musl/lib/libc.so"),
)
_ELF = struct.Struct("<4sB13xH")  # magic, class, machine (elf.h)
_MACHINES = {"x86_64": 62, "aarch64": 183}
_64_BITS = 2
_RELEASE = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
# On x86-64 since 6.11 the end of a function is caught by a system call of its own, for which filters of system calls
# (seccomp) kill a process: until 6.14, or the stable release whose last number is given here.
_DEADLY = {(6, 11): None, (6, 12): 20, (6, 13): 8}


@dataclass(frozen=True, slots=True)
class Library:
    """A file with the C library in it."""

    path: str
    device: int
    inode: int


class Attaching(Protocol):
    """What attaches a program to a function of a file; returns "" or the reason why not."""

    def attach_to_function(self, program: str, file: str, function: str, *, end: bool) -> str:
        """As `Object` does."""


def c_libraries(root: Path = Path("/")) -> list[Library]:
    """The C libraries for 64-bit programs of this machine below `root`, each once; OSError if one goes meanwhile."""
    found: dict[tuple[int, int], Library] = {}
    for path in _candidates(root):
        facts = path.stat()
        found.setdefault((facts.st_dev, facts.st_ino), Library(str(path), facts.st_dev, facts.st_ino))
    return list(found.values())


def attach(made: Attaching, program: str, files: Sequence[str], release: str = os.uname().release) -> str:
    """Attach a program to its functions in these files; "" if there is one that took it, else the reason."""
    if is_deadly(release):
        return f"Linux {release} kills processes with a system call filter where the end of a function is watched"
    if not files:
        return "no C library (libc.so.6, ld-musl-*.so.1) found"
    end = program.endswith("_end")
    reasons = [made.attach_to_function(program, file, f, end=end) for file in files for f in PROBES[program]]
    return "" if not all(reasons) else reasons[0]


def is_deadly(release: str, machine: str = os.uname().machine) -> bool:
    """Must the ends of functions not be watched on this kernel?"""
    found = _RELEASE.match(release)
    if found is None or machine != "x86_64":
        return False
    major, minor, patch = (int(number or 0) for number in found.groups())
    if (major, minor) not in _DEADLY:
        return False
    mended = _DEADLY[major, minor]
    return mended is None or patch < mended


def _candidates(root: Path) -> Iterator[Path]:
    for place in _PLACES:
        for path in sorted(root.glob(place)):
            if _fits(path):
                yield path


def _fits(path: Path) -> bool:
    """Is it a program file for this machine, in 64 bits?"""
    try:
        with path.open("rb") as file:
            magic, bits, machine = _ELF.unpack(file.read(_ELF.size))
    except (OSError, struct.error):
        return False
    return (magic, bits, machine) == (b"\x7fELF", _64_BITS, _MACHINES.get(os.uname().machine))
