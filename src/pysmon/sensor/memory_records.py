"""Records of what processes do to the memory of others, and to their own code."""

from __future__ import annotations

import struct

from pysmon.layout.record import U16, U32, U64, Record, Tail, record

OF_MEMORY: dict[int, type[Record]] = {}  # by kind; records.py takes them in

# How code came into another process (InjectionRecord.way).
POKED, POINTED, WRITTEN, MEMORY_WRITTEN = 1, 2, 3, 4
# What became of the code of a process (TamperRecord.how).
RELINKED, UNLOCKED, MAPPED_OVER = 1, 2, 3
# What lies at an address (the members named region).
NOWHERE, FILE, ANONYMOUS, HEAP, STACK, NAMELESS = 0, 1, 2, 3, 4, 5  # the last: a file without a name any more
MAY_READ, MAY_WRITE, MAY_EXECUTE, SHARED = 1, 2, 4, 8  # rights of a region, as bits


@record(70, "injection", OF_MEMORY)
class InjectionRecord(Record):
    """The process of the head wrote into another one, or turned it to other code."""

    target_start: U64
    target_exec_id: U64
    address: U64  # where it wrote first, or where the thread goes on
    offset: U64  # of the address in its file
    inode: U64  # of that file
    times: U64  # how often it did so since it was last told, this time included
    bytes: U64  # how many were written since then
    device: U32
    rights: U32  # of the region that the address lies in: MAY_READ and others
    target_tgid: U32
    target_tid: U32  # the thread by which it was done
    target_uid: U32
    uid: U32
    way: U16
    region: U16  # FILE and others
    target_image: Tail
    module: Tail  # path of the file


@record(71, "tampering", OF_MEMORY)
class TamperRecord(Record):
    """The code that the process of the head runs is no longer that of its file."""

    address: U64  # of the memory that was changed; 0 for RELINKED
    bytes: U64  # of it
    inode: U64  # of the file below
    device: U32
    uid: U32
    rights: U32  # as the process asked for them
    how: U16
    region: U16  # what lies there now
    module: Tail  # path of the file that lies there, or that the process passes for now


PLACE = struct.Struct("<QII")  # of a code address: its offset in the file, what lies there, length of the file's path
