"""Whom the sensor watches: decided in the kernel, before a record exists."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pysmon.errors import MisuseError
from pysmon.sensor.records import SCOPES

_FIRST_PID_NAMESPACE = 0xEFFFFFFC  # linux/proc_ns.h: PROC_PID_INIT_INO
CGROUP_ROOTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))


def cgroup_root() -> Path | None:
    """Where the hierarchy of cgroups (v2) is mounted; None where it is not."""
    return next((root for root in reversed(CGROUP_ROOTS) if (root / "cgroup.procs").exists()), None)


@dataclass(frozen=True, slots=True)
class Scope:
    """One of: the whole machine, a process tree, a PID namespace (with those below it), a cgroup (v2, likewise)."""

    kind: str  # of SCOPES
    tree: int = 0  # process id of the tree's root, as this process counts
    namespace: int = 0  # inode number of the PID namespace
    member: int = 0  # a process of it, as this process counts
    cgroup: int = 0  # id of the cgroup: the inode number of its directory
    cgroup_level: int = 0  # its depth below the root

    def __post_init__(self) -> None:
        """Refuse a kind that the kernel programs do not know."""
        if self.kind not in SCOPES:
            raise MisuseError(f"no such scope: {self.kind!r}", hint=f"one of: {', '.join(SCOPES[1:])}")

    @classmethod
    def machine(cls) -> Scope:
        """Everything that runs here."""
        return cls("machine")

    @classmethod
    def of_tree(cls, pid: int) -> Scope:
        """A process and all that it and its children start from now on."""
        return cls("tree", tree=pid)

    @classmethod
    def of_pid_namespace(cls, pid: int) -> Scope:
        """All processes of the PID namespace that `pid` is in."""
        return cls("pid namespace", namespace=os.stat(f"/proc/{pid}/ns/pid").st_ino, member=pid)

    def hold(self) -> int:
        """A descriptor of the PID namespace: while it is open the kernel gives that number to no other.

        -1 if the scope is none, or it has ended.
        """
        try:
            held = os.open(f"/proc/{self.member}/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return -1
        if os.fstat(held).st_ino == self.namespace:
            return held
        os.close(held)
        return -1

    @classmethod
    def of_cgroup(cls, path: Path) -> Scope:
        """All processes of a cgroup and of those below it; `path` is its directory in a cgroup2 mount."""
        for root in sorted(CGROUP_ROOTS, key=lambda r: -len(r.parts)):
            if path.is_relative_to(root) and (root / "cgroup.procs").exists() and path.is_dir():
                return cls("cgroup", cgroup=path.stat().st_ino, cgroup_level=len(path.relative_to(root).parts))
        raise MisuseError(
            f"{path} is no directory of a cgroup (v2)", hint="for example /sys/fs/cgroup/system.slice/ssh.service"
        )


def in_pid_namespace(proc: Path = Path("/proc")) -> bool:
    """Does this process count processes in another way than the kernel does, as in most containers?"""
    try:
        return (proc / "self/ns/pid").stat().st_ino != _FIRST_PID_NAMESPACE
    except OSError:
        return True
