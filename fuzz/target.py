"""What a fuzz target is: a parser of foreign bytes, and the law that holds for it whatever the bytes are."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from zlib import crc32

Check = Callable[[bytes], None]


class BrokenLawError(AssertionError):
    """A parser gave something that it never may give."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser to be fuzzed."""

    name: str  # also of its folders in `fuzz/seeds` and `tests/fuzz/found`
    about: str  # what is read, in a few words
    check: Check = field(repr=False)  # returns if the law holds; whatever it raises is a find
    words: tuple[bytes, ...] = ()  # that the format is made of: mutations use them
    shared: tuple[str, ...] = ()  # patterns of real inputs beside the project
    longest: int = 1 << 15  # bytes of an input
    cut: bool = False  # whether the beginning of a larger real input is an input


class Pace:
    """How often a check does what costs more than all the rest of it: for one in so many inputs."""

    one_in = 1

    @classmethod
    def has_time(cls, data: bytes) -> bool:
        """Whether it is done for this input: always the same of the same."""
        return crc32(data) % cls.one_in == 0


def law(holds: bool, what: str) -> None:
    """BrokenLawError unless it holds."""
    if not holds:
        raise BrokenLawError(what)


@cache
def scratch() -> Path:
    """A folder of this process for parsers that want files. A fuzzer ends without a word: who starts it removes it."""
    made = Path(tempfile.mkdtemp(prefix="pysmon-fuzz-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def file_of(data: bytes, name: str = "input") -> Path:
    """A file with these bytes; the next one of that name replaces it."""
    path = scratch() / name
    path.write_bytes(data)
    return path
