"""Records of code that is loaded: into a process, and into the kernel."""

from __future__ import annotations

from pysmon.layout.record import U16, U32, U64, Record, Tail, record

OF_LOADS: dict[int, type[Record]] = {}  # by kind; records.py takes them in

# How a file came to be executable in memory (ImageLoadRecord.how): as the program, as what execve loads beside it, by
# mmap, by mprotect of what was mapped before.
EXECUTED, INTERPRETER, MAPPED, PROTECTED = 1, 2, 3, 4
# What the kernel made of a module's signature (ModuleRecord.signature); unknown: it does not check any.
SIGNATURE_UNKNOWN, SIGNATURE_MISSED, SIGNATURE_ACCEPTED = 0, 1, 2


@record(90, "image load", OF_LOADS)
class ImageLoadRecord(Record):
    """A process got a file mapped to be executed."""

    inode: U64
    file_size: U64  # in bytes
    change_time: U64  # of the inode (ctime), in ns since 1970
    address: U64  # where the mapping begins
    device: U32
    uid: U32
    links: U32  # 0: the file has no name any more
    how: U16
    path: Tail


@record(91, "module", OF_LOADS)
class ModuleRecord(Record):
    """The kernel took in a module (module:module_load)."""

    inode: U64  # 0 for a module that was loaded from memory, as are the facts of the file that follow
    file_size: U64
    change_time: U64
    taints: U64  # bits, Documentation/admin-guide/tainted-kernels.rst
    device: U32
    uid: U32
    signature: U16
    path: Tail  # empty for one that was loaded from memory
    name: Tail  # this and what follows is ended by NUL
    version: Tail
    source_version: Tail  # a digest of its sources
