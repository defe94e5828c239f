"""The texts of processes that are older than the sensor, from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_UNSET = 0xFFFFFFFF
_START = 19  # of the fields behind the name


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What /proc tells of one process. Bytes that are no UTF-8 are surrogates in the texts."""

    tgid: int
    parent_tgid: int
    start_ticks: int  # since boot, in units of 1/sysconf(SC_CLK_TCK) s
    uid: int
    login_uid: int  # 4294967295 if unset
    session: int  # audit session; 4294967295 if unset
    exe: str  # ends with " (deleted)" if its file has no name any more; empty for kernel threads
    directory: str
    tty: str  # pts0, tty1; empty if there is none
    args: bytes  # each ended by NUL
    cgroup: str  # path in the cgroup2 hierarchy; empty if it is in none


def read_process(tgid: int, proc: Path = Path("/proc")) -> ProcessFacts | None:
    """The facts of a running process; None if it has gone. What may not be read is empty or unset."""
    at = proc / str(tgid)
    fields = _stat(at)
    if len(fields) < _START + 1:
        return None
    found = ProcessFacts(
        tgid=tgid,
        parent_tgid=int(fields[1]),
        start_ticks=int(fields[_START]),
        uid=_uid(_bytes(at / "status")),
        login_uid=_number(_bytes(at / "loginuid")),
        session=_number(_bytes(at / "sessionid")),
        exe=_link(at / "exe"),
        directory=_link(at / "cwd"),
        tty=terminal_name(int(fields[4])),
        args=_args(_bytes(at / "cmdline")),
        cgroup=_cgroup(_bytes(at / "cgroup")),
    )
    # Another process may have come to the number in between: what was read is then of both.
    same = _stat(at)[_START : _START + 1] == fields[_START : _START + 1]
    return found if same else None


def read_program(tgid: int, proc: str = "/proc") -> tuple[int, str]:
    """When a process began (as `start_ticks`) and its program; 0 and "" for what is not told.

    Never waits for the process, as who asks for its arguments may have to.
    """
    fields = _stat(Path(f"{proc}/{tgid}"))
    return int(fields[_START]) if len(fields) > _START else 0, _link(f"{proc}/{tgid}/exe")


def terminal_name(number: int, devices: Path = Path("/sys/dev/char")) -> str:
    """The kernel's name of a terminal from its device number (field 7 of /proc/PID/stat); empty for 0."""
    if not number:
        return ""
    major, minor = number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00
    if 136 <= major <= 143:  # Unix98 terminals have no entry below /sys/dev
        return f"pts{minor + (major - 136) * 256}"
    return os.path.basename(_link(devices / f"{major}:{minor}"))


def _stat(at: Path) -> list[bytes]:
    text = _bytes(at / "stat")
    return text[text.rfind(b")") + 2 :].split()  # the name stands in brackets and may hold anything, brackets too


def _args(found: bytes) -> bytes:
    # A process that wrote a title over its arguments leaves the rest as NULs.
    stripped = found.rstrip(b"\0")
    return stripped + b"\0" if stripped else b""


def _cgroup(lines: bytes) -> str:
    for line in lines.splitlines():
        if line.startswith(b"0::/"):
            return os.fsdecode(line[3:])
    return ""


def _uid(status: bytes) -> int:
    for line in status.splitlines():
        if line.startswith(b"Uid:"):
            return int(line.split()[1])
    return _UNSET


def _number(text: bytes) -> int:
    return int(text) if text.strip().isdigit() else _UNSET


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _link(path: Path | str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
