"""Every record that the kernel programs send: the one definition of both sides of the border.

Paths come as the kernel walks them: components from leaf to root, each ended by NUL (`kernel_path` turns them round).
One of more than 128 components ends where that many are written, with the component `...` in place of the rest.
"""

from __future__ import annotations

import struct

from pysmon.errors import RecordError
from pysmon.layout.record import U16, U32, U64, Address, Record, Tail, record
from pysmon.sensor.load_records import OF_LOADS
from pysmon.sensor.memory_records import OF_MEMORY
from pysmon.sensor.setting_records import OF_SETTINGS

RECORDS: dict[int, type[Record]] = {**OF_MEMORY, **OF_LOADS, **OF_SETTINGS}  # by kind

# Families are counted apart, in the kernel and above it: seen = filtered + kept + lost. A fork makes no event itself.
FAMILIES = (
    *("process", "network", "file create", "file delete", "fork", "guard"),
    *("process access", "raw access", "bpf", "file time", "sysctl", "xattr", "dns"),
    *("injection", "tampering", "pipe", "file content", "image load", "module"),
    "clipboard",
)

SCOPES = ("nobody", "machine", "tree", "pid namespace", "cgroup")
# The kernel programs' settings: scope, PID namespace, cgroup, its level, families (bits), generation of what is pushed
# down (0: nothing is), how, process that is spared of it, and how the reader waits.
SETTINGS = struct.Struct("<IIQiIIIII")
EAGER, PATIENT, ASLEEP = 0, 1, 2  # to be woken soon; comes by itself, wake it if much waits; wake it for anything, once
# Bits: who acts may decide; for tests: what would be dropped goes up with the mark; programs are still given numbers.
ACTORS, SHADOW, ASKING = 1, 2, 4
# On the number of the CPU: it would be dropped; what becomes of what this program does for this user is not known yet.
MARK, ASKS = 0x8000, 0x4000
ANSWERED = 1 << 31  # beside the bits of the families that are refused
WITHIN = {"ipv4": 1 << 30, "ipv6": 1 << 29}  # and of connections within the machine
BRIEF = 1 << 28  # and of the begin of its processes, which is told of by a BriefExecRecord
PARTS_LIMIT, IMAGES_LIMIT = 16384, 4096  # parts of paths, programs that have a number

CREATOR_UNKNOWN, CREATOR_PARENT, CREATOR_OTHER = 0, 1, 2  # BriefExecRecord.creator
OPENED, RENAMED, LINKED, SYMLINKED = 1, 2, 3, 4  # how a file came to its name (FileCreateRecord.how)
# What somebody did to the sensor (GuardRecord.deed) or to another process (AccessRecord.deed, from TRACE on): the last
# one is access of another kind, as a debugger has it.
SIGNAL, BPF, TRACE, READ, WRITE, TAKE_DESCRIPTOR, OPEN_MEMORY, ACCESS = range(1, 9)
PIPE_MADE, PIPE_MET = 1, 2  # what somebody did with a FIFO or a Unix socket (PipeRecord.deed)
PIPE_FIFO, PIPE_STREAM, PIPE_DATAGRAM, PIPE_SEQPACKET = 0, 1, 2, 5  # PipeRecord.sort: a FIFO, or as socket(2) counts
PROGRAM, MAP, LINK = 1, 2, 3  # kinds of kernel objects, for a deed of the kind BPF
GETADDRINFO, GETHOSTBYNAME = 1, 2  # functions of the C library (LookUpRecord.call), which have errors of their own


@record(1, "process", RECORDS)
class ExecRecord(Record):
    """A process runs a new program (tp_btf/sched_process_exec)."""

    parent_start: U64  # of the parent now (task_struct.real_parent)
    parent_exec_id: U64  # which program of the parent made this process, or runs in it now if it adopted this one
    creator_start: U64  # of the process that called fork; 0 if it forked before the sensor ran
    creator_exec_id: U64
    cgroup: U64  # id of the cgroup (v2)
    inode: U64  # of the program file
    image_size: U64  # in bytes
    image_change_time: U64  # of its inode (ctime), in ns since 1970
    parent_tgid: U32
    creator_tgid: U32
    uid: U32
    gid: U32
    euid: U32
    egid: U32
    login_uid: U32  # audit: 4294967295 if unset
    session: U32  # audit session id: 4294967295 if unset
    pid_namespace: U32  # inode numbers of the namespaces
    mount_namespace: U32
    namespace_pid: U32  # process id inside its own PID namespace
    device: U32  # of the program file, as the kernel numbers it: major << 20 | minor
    mode: U32  # of the program file
    links: U32  # of the program file; 0: it has no name any more
    args_size: U32  # of the whole command line, in bytes; more than len(args): it was cut
    image: Tail  # path of the program file in its mount namespace
    filename: Tail  # as given to execve, ended by NUL
    directory: Tail  # working directory
    root: Tail  # root directory; not empty for a process in a chroot
    cgroup_path: Tail
    tty: Tail  # name of the controlling terminal, ended by NUL
    args: Tail  # arguments, each ended by NUL


@record(2, "fork", RECORDS)
class ForkRecord(Record):
    """A process was made by another (tp_btf/sched_process_fork); the head names the child."""

    parent_start: U64
    parent_exec_id: U64
    parent_tgid: U32
    uid: U32


@record(3, "process", RECORDS)
class ExitRecord(Record):
    """The last thread of a process ended (tp_btf/sched_process_exit)."""

    code: U32  # as wait(2) gives it: exit code << 8 | signal
    uid: U32


@record(4, "process", RECORDS)
class TaskRecord(Record):
    """A process that was there before the sensor (iter/task, its texts from /proc)."""

    parent_start: U64
    parent_exec_id: U64
    parent_tgid: U32
    uid: U32
    login_uid: U32
    session: U32
    image: Tail
    cgroup_path: Tail
    directory: Tail
    tty: Tail
    args: Tail


@record(5, "process", RECORDS)
class BriefExecRecord(Record):
    """A process runs a new program, and the rules keep nothing of that: what the process table needs, as above."""

    parent_start: U64
    parent_exec_id: U64
    parent_tgid: U32
    uid: U32
    mount_namespace: U32
    creator: U16  # who called fork: the parent, another one that has ended, or nobody knows
    image: Tail  # of a file that has a name
    cgroup_path: Tail
    args: Tail


@record(10, "network", RECORDS)
class FlowRecord(Record):
    """A TCP connection was made or accepted, or the first UDP packet of a flow passed."""

    source: Address  # IPv4 in the first 4 bytes; who began the flow
    destination: Address
    uid: U32
    family: U16  # 2: IPv4, 10: IPv6
    protocol: U16  # 6: TCP, 17: UDP
    source_port: U16
    destination_port: U16
    initiated: U16  # 1: the process of the head began it


@record(20, "file create", RECORDS)
class FileCreateRecord(Record):
    """A file came to a name: created by open, renamed or linked to it, or made as a symbolic link."""

    inode: U64  # 0 if the hook does not know
    device: U32
    mode: U32  # 0 if the hook does not know
    uid: U32
    how: U16
    path: Tail  # whole, from kernel objects; else empty, and the name is below
    directory: Tail  # where the name begins: for an absolute one the root directory of the process
    name: Tail  # as given by the process, ended by NUL


@record(21, "file delete", RECORDS)
class FileDeleteRecord(Record):
    """A name of a file was removed (unlink)."""

    inode: U64  # 0 if the hook does not know
    device: U32
    mode: U32
    uid: U32
    links: U32  # before the removal; 0 if the hook does not know
    path: Tail
    directory: Tail
    name: Tail


@record(22, "file time", RECORDS)
class FileTimeRecord(Record):
    """A process set the modification time of a file to another one. Seconds (since 1970) have a sign."""

    inode: U64
    seconds: U64
    previous_seconds: U64
    nanoseconds: U32
    previous_nanoseconds: U32
    device: U32
    mode: U32
    uid: U32
    path: Tail  # whole, from kernel objects; else empty, and the name is below
    directory: Tail
    name: Tail


@record(23, "file content", RECORDS)
class FileWrittenRecord(Record):
    """A file was closed that was open to be written (fanotify). Of its process only the id is known."""

    token: U64  # who answers whether it may run names this; 0 if nobody waits
    inode: U64
    file_size: U64  # in bytes
    change_time: U64  # of the inode (ctime), in ns since 1970
    device: U32
    mode: U32
    program: U32  # what the content is: a number of magic.KINDS, 0 for no program
    path: Tail


@record(24, "file content", RECORDS)
class FileOverwriteRecord(Record):
    """A process is about to open a file to write over what is in it, and waits (fanotify). As above."""

    token: U64
    inode: U64
    file_size: U64
    change_time: U64
    device: U32
    mode: U32
    program: U32
    flags: U32  # of open(2)
    path: Tail


@record(30, "guard", RECORDS)
class GuardRecord(Record):
    """The process of the head reached for the sensor: its process, or its objects in the kernel."""

    parent_start: U64  # of the parent now
    parent_exec_id: U64  # what the parent runs now
    parent_tgid: U32
    uid: U32
    number: U32  # of the signal, of the command of bpf(2), or of the system call
    object: U32  # for BPF: id of the object
    code: U32  # for SIGNAL: where it comes from (si_code), from the kernel if positive; for BPF: the kind of object
    deed: U16
    image: Tail  # path of the program; empty for the kernel's own threads
    parent_image: Tail


@record(40, "process access", RECORDS)
class AccessRecord(Record):
    """The process of the head got access to another one, as a debugger has it."""

    target_start: U64
    target_exec_id: U64
    target_tgid: U32
    target_uid: U32
    uid: U32
    number: U32  # of the system call
    mode: U32  # for OPEN_MEMORY: 1 to read it, 2 to write it, 3 both
    deed: U16  # as for the guard: TRACE and what follows
    target_image: Tail  # path of the program; empty for the kernel's own threads
    addresses: Tail  # of the code that led here, the innermost first: 8 bytes each
    places: Tail  # one `PLACE` for each of them
    modules: Tail  # paths of the files that the places name, end to end


@record(41, "raw access", RECORDS)
class RawAccessRecord(Record):
    """A device that shows a disk, memory or ports was opened to be read."""

    device: U32  # the number of the device itself, as the kernel numbers it; 0 for /proc/kcore
    mode: U32  # of the inode: a block device, a character device or a file
    uid: U32
    path: Tail


@record(42, "bpf", RECORDS)
class ProgramRecord(Record):
    """A BPF program came into the kernel, or was attached by bpf(2)."""

    tag: U64  # the kernel's digest of its instructions, as 8 bytes
    uid: U32
    command: U32  # of bpf(2): BPF_PROG_LOAD and others (linux/bpf.h)
    id: U32
    type: U32
    attach_type: U32  # of the attaching; when it is loaded: the one that it is made for
    name: Tail  # ended by NUL, at most 15 characters
    function: Tail  # of the kernel, that it is made for, ended by NUL
    tracepoint: Tail  # that it was attached to, ended by NUL


@record(62, "xattr", RECORDS)
class AttributeRecord(Record):
    """A file was given an extended attribute of the namespace `user`."""

    inode: U64  # 0 if the hook does not know
    device: U32
    mode: U32
    uid: U32
    value_size: U32  # of the whole value, in bytes; more than len(value): it was cut
    path: Tail  # whole, from kernel objects; else empty, and the name is below
    directory: Tail
    name: Tail  # of the file
    attribute: Tail  # its name with the namespace, ended by NUL
    value: Tail  # at most 4096 bytes


@record(50, "dns", RECORDS)
class LookUpRecord(Record):
    """A function of the C library that looks up a name has returned."""

    uid: U32
    result: U32  # of getaddrinfo (EAI_*), or h_errno; signed
    call: U16
    name: Tail  # as given to it, ended by NUL, at most 1023 bytes
    canonical: Tail  # the name that the addresses belong to, if it told one, ended by NUL
    addresses: Tail  # each 2 bytes of its family and 16 bytes, of which IPv4 needs 4; at most 64


@record(51, "dns", RECORDS)
class DnsMessageRecord(Record):
    """A process sent something to port 53 of anybody, or received something from there."""

    socket: U64  # its inode
    server: Address  # IPv4 in the first 4 bytes
    uid: U32
    whole: U32  # its size in bytes; more than len(payload): it was cut
    family: U16  # 2: IPv4, 10: IPv6
    protocol: U16  # 6: TCP, 17: UDP
    sent: U16  # 0: received
    called: U16  # 1: the thread is in a function that a LookUpRecord will tell of
    payload: Tail  # at most 4096 bytes


@record(80, "pipe", RECORDS)
class PipeRecord(Record):
    """A FIFO or a Unix socket got a name, or the process of the head met another one there."""

    peer_start: U64  # the other process, for PIPE_MET; zeros if it is not known
    peer_exec_id: U64
    peer_tgid: U32
    uid: U32
    deed: U16
    sort: U16
    path: Tail  # whole, from kernel objects; else empty, and the name is below
    directory: Tail
    name: Tail  # ended by NUL
    abstract: Tail  # the name of a socket that stands in no file system, without the NUL before it


@record(25, "clipboard", RECORDS)
class ClipboardRecord(Record):
    """Something new is in the clipboard of a display (X11, Wayland). The process is who owns it; 0: nobody tells."""

    token: U64  # of its content while that is held, 0 if there is none; no content is on a tape
    content_size: U64  # in bytes
    uid: U32  # of the session
    session: U32
    outcome: U16  # of reading it: sensor/clipboard/change.py
    display: Tail  # :0, wayland-0
    session_name: Tail  # as systemd-logind has it
    remote: Tail  # the host that the session is used from; empty for this one
    targets: Tail  # what was asked for, then all that was offered, each but the last ended by NUL


def decode(data: bytes, offset: int = 0) -> Record:
    """Read the record at `offset`; RecordError if its kind is unknown or bytes are missing."""
    try:
        found = RECORDS[data[offset] | data[offset + 1] << 8]
    except (KeyError, IndexError):
        raise _unknown(data, offset) from None
    return found.decode(data, offset)


def kernel_path(components: bytes) -> str:
    """An absolute path from components that run from leaf to root. Bytes that are no UTF-8 become surrogates."""
    parts = components.split(b"\0")
    return "/" + b"/".join(p for p in reversed(parts) if p).decode("utf-8", "surrogateescape")


def components_of(path: str) -> bytes:
    """The inverse of `kernel_path`."""
    parts = [p for p in path.encode("utf-8", "surrogateescape").split(b"/") if p]
    return b"\0".join([*parts[::-1], b""])


def _unknown(data: bytes, offset: int) -> RecordError:
    kind = int.from_bytes(data[offset : offset + 2], "little")
    known = ", ".join(map(str, RECORDS))
    return RecordError(f"unknown record kind {kind} at byte {offset} (expected one of {known})")


def family_of(data: bytes) -> str:
    """The family of a record that may be damaged; the first one if its kind is unknown."""
    found = RECORDS.get(int.from_bytes(data[:2], "little"))
    return found.layout.family if found else FAMILIES[0]
