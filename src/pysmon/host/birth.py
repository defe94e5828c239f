"""When a file was made: statx(2), which Python does not offer."""

from __future__ import annotations

import ctypes
import os
import struct
from functools import cache
from typing import Any

_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_INO, _STATX_BTIME = 0x100, 0x800
_SIZE = 256
# struct statx of linux/stat.h: stx_mask at 0, stx_ino at 32, stx_btime (s64 seconds, u32 ns) at 80.
_MASK = struct.Struct("<I")
_INODE = struct.Struct("<Q")
_BTIME = struct.Struct("<qI")


def birth_time(path: str, inode: int = 0) -> int | None:
    """The birth time of a file (no link is followed) in ns since 1970.

    None if there is no such file, its file system knows no birth times, or it is not the file with that inode number.
    """
    statx = _statx()
    if statx is None or "\0" in path:
        return None
    room = ctypes.create_string_buffer(_SIZE)
    if statx(_AT_FDCWD, os.fsencode(path), _AT_SYMLINK_NOFOLLOW, _STATX_INO | _STATX_BTIME, room):
        return None
    (mask,) = _MASK.unpack_from(room.raw, 0)
    (found,) = _INODE.unpack_from(room.raw, 32)
    if not mask & _STATX_BTIME or (inode and found != inode):
        return None
    second, rest = _BTIME.unpack_from(room.raw, 80)
    return int(second) * 1_000_000_000 + int(rest)


@cache
def _statx() -> Any | None:
    try:
        return ctypes.CDLL(None).statx
    except (OSError, AttributeError):  # a C library from before 2018
        return None
