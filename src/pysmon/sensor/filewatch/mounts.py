"""Which file systems can be watched: those that hold files of this machine, each named by one of its mount points."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
# File systems that keep files on disks of this machine or in its memory, and layers over them. What lies on a network
# is written by others too, and may hang; what the kernel makes up (proc, sysfs, cgroup) holds no programs.
_KINDS = """
bcachefs btrfs exfat ext2 ext3 ext4 f2fs hfsplus jfs msdos nilfs2 ntfs3 overlay ramfs reiserfs tmpfs ubifs vfat xfs zfs
"""
LOCAL = frozenset(_KINDS.split())
_ESCAPE = re.compile(rb"\\([0-7]{3})")


def local_mounts(mountinfo: bytes) -> dict[str, str]:
    """By device (`major:minor`), a mount point of each local file system that can be written; from proc(5) mountinfo.

    A file system without a device of its own, as btrfs' subvolumes, is there once for each number.
    """
    found: dict[str, str] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(b" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 6 or len(kinds) < 3 or kinds[0].decode() not in LOCAL:
            continue
        if b"ro" in kinds[2].split(b","):  # of the file system itself; one that is only mounted so is written elsewhere
            continue
        found.setdefault(fields[2].decode(), unescaped(fields[4]))
    return found


def unescaped(point: bytes) -> str:
    """A mount point as it is: the table writes blanks and the like as octal numbers."""
    return _ESCAPE.sub(lambda m: bytes([int(m[1], 8)]), point).decode("utf-8", "surrogateescape")
