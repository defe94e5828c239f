"""The processes of the tree that is traced: who they are, and records of their beginnings and ends."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from pysmon.host.proc import read_process
from pysmon.layout.record import Record
from pysmon.sensor.records import ExecRecord, ExitRecord, ForkRecord, TaskRecord, components_of

_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # ns: as fine as /proc tells when a process began
_GONE = " (deleted)"
_ARGS = 32 << 10  # bytes of a command line, as the kernel programs take
Key = tuple[int, int, int]  # tgid, start, number of the program


@dataclass(slots=True)
class Traced:
    """A process. Its number of programs is counted from what its parent had run, as the kernel does."""

    tgid: int
    start: int  # ns since boot
    exec_id: int
    uid: int
    creator: Key | None = None
    flows: set[tuple[int, bytes, int]] = field(default_factory=set)  # of UDP that were told: inode, address, port
    others: set[int] = field(default_factory=set)  # inodes of sockets that are none of UDP
    asks: bool = False  # it may have a socket that is connected to a name server: all of its calls are looked at

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.tgid, self.start, self.exec_id

    def head(self, tid: int = 0) -> dict[str, int | bytes]:
        """The members that open each record of it."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return {
            "time": now,
            "start": self.start,
            "exec_id": self.exec_id,
            "tgid": self.tgid,
            "tid": tid or self.tgid,
        }


def process(tgid: int) -> Traced | None:
    """One that was not seen to begin; None if it has gone."""
    facts = read_process(tgid)
    return Traced(tgid, facts.start_ticks * _TICK, 1, facts.uid) if facts else None


def child_of(parent: Traced, tgid: int) -> Traced | None:
    """One that this parent has just made; None if it has gone."""
    facts = read_process(tgid)
    if facts is None:
        return None
    start = facts.start_ticks * _TICK
    return Traced(tgid, start, parent.exec_id, facts.uid, creator=parent.key, asks=parent.asks)


def forked(child: Traced, parent: Traced) -> Record:
    """The record of its beginning."""
    return ForkRecord.make(
        **child.head(),
        parent_start=parent.start,
        parent_exec_id=parent.exec_id,
        parent_tgid=parent.tgid,
        uid=child.uid,
    )


def ended(gone: Traced, status: int) -> Record:
    """The record of its end; `status` is that of wait(2)."""
    return ExitRecord.make(**gone.head(), code=status, uid=gone.uid)


def executed(running: Traced, parent: Traced | None) -> Record | None:
    """The record of the program that it runs now, read while it stands still; None if it has gone all the same."""
    facts = read_process(running.tgid)
    if facts is None:
        return None
    at = f"/proc/{running.tgid}"
    found = _stat(f"{at}/exe")
    ids = _ids(at)
    running.uid = ids[0]
    creator = running.creator or (0, 0, 0)
    # Which program of the parent made it: that is known if the parent is still the one that did.
    made_by = creator[2] if parent and creator[:2] == parent.key[:2] else parent.exec_id if parent else 0
    return ExecRecord.make(
        **running.head(),
        parent_start=parent.start if parent else 0,
        parent_exec_id=made_by,
        parent_tgid=parent.tgid if parent else facts.parent_tgid,
        creator_tgid=creator[0],
        creator_start=creator[1],
        creator_exec_id=creator[2],
        cgroup=0,
        inode=found.st_ino if found else 0,
        image_size=found.st_size if found else 0,
        image_change_time=found.st_ctime_ns if found else 0,
        uid=ids[0],
        euid=ids[1],
        gid=ids[2],
        egid=ids[3],
        login_uid=facts.login_uid,
        session=facts.session,
        pid_namespace=_namespace(f"{at}/ns/pid"),
        mount_namespace=_namespace(f"{at}/ns/mnt"),
        namespace_pid=running.tgid,
        device=kernel_device(found.st_dev) if found else 0,
        mode=found.st_mode if found else 0,
        links=found.st_nlink if found else 1,
        args_size=len(facts.args),
        image=components_of(facts.exe.removesuffix(_GONE) if found and not found.st_nlink else facts.exe),
        directory=components_of(facts.directory),
        root=components_of(_link(f"{at}/root")),
        cgroup_path=components_of(facts.cgroup),
        tty=_ended(facts.tty),
        args=facts.args[:_ARGS],
    )


def task(known: Traced) -> TaskRecord:
    """The record of a process that was there before, without texts: the host adds those."""
    return TaskRecord.make(**known.head(), uid=known.uid)


def kernel_device(number: int) -> int:
    """A device as stat gives it, in the kernel's own numbering."""
    return os.major(number) << 20 | os.minor(number)


def _ended(text: str) -> bytes:
    return text.encode() + b"\0" if text else b""


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return "/"


def _namespace(path: str) -> int:
    found = _stat(path)
    return found.st_ino if found else 0


def _ids(at: str) -> tuple[int, int, int, int]:
    """Real and effective user id, real and effective group id; those of nobody if they cannot be read."""
    found = {"Uid:": [65534] * 2, "Gid:": [65534] * 2}
    try:
        with open(f"{at}/status", "rb") as status:
            for line in status:
                name, *numbers = line.decode("ascii", "replace").split()
                if name in found:
                    found[name] = [int(number) for number in numbers[:2]]
    except (OSError, ValueError):
        pass
    (uid, euid), (gid, egid) = found["Uid:"], found["Gid:"]
    return uid, euid, gid, egid
