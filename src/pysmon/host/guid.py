"""The guids of processes and logons: computed from what the kernel says, never looked up, the same whoever computes."""

from __future__ import annotations

import hashlib
import re
import struct
from functools import lru_cache

NO_GUID = "{00000000-0000-0000-0000-000000000000}"

_SECOND = 1_000_000_000
_IDENTITY = struct.Struct("<QQI").pack
_LOGON = struct.Struct("<II").pack
_LAST_NUMBER = re.compile(r"(\d+)\Z")


class Machine:
    """One boot of one machine: what every guid starts from.

    `machine_id` has 32 bits, `boot_id` 128; `boot_time` is in ns since 1970 and must not change while the machine runs,
    or the same process would get a second guid.
    """

    __slots__ = ("_begun", "_prefix", "_seeded", "boot_id", "boot_time", "machine_id")

    def __init__(self, machine_id: int, boot_id: int, boot_time: int) -> None:
        """Keep the three numbers, and a hash that has read the boot id already."""
        self.machine_id = machine_id & 0xFFFFFFFF
        self.boot_id = boot_id
        self.boot_time = boot_time
        self._prefix = f"{{{self.machine_id:08x}-"
        # The last second of a start (since boot), and how the guids begin of who started then.
        self._begun = (-_SECOND, "")
        self._seeded = hashlib.blake2b(boot_id.to_bytes(16, "little"), digest_size=8).copy

    def process_guid(self, tgid: int, start: int, exec_id: int) -> str:
        """The guid of a process image: the `exec_id`th program of process `tgid`, started `start` ns after boot.

        Laid out as Sysmon does (facts 5): machine, second of the start, 8 bytes of key. The key is a hash of all that
        tells images apart, so a parent's guid can be made from the numbers in its child's record.
        """
        begun = self._begun
        if not 0 <= start - begun[0] < _SECOND:
            second = (self.boot_time + start) // _SECOND
            head = f"{self._prefix}{second & 0xFFFF:04x}-{second >> 16 & 0xFFFF:04x}-"
            begun = self._begun = (second * _SECOND - self.boot_time, head)
        key = self._seeded()
        key.update(_IDENTITY(start, exec_id, tgid))
        text = key.hexdigest()
        return f"{begun[1]}{text[:4]}-{text[4:]}}}"

    def logon_guid(self, uid: int, tty: str) -> str:
        """The guid of a logon: user and terminal (`tty` as the kernel names it, `pts0`; empty if there is none)."""
        return _logon_guid(self._prefix, uid, tty)


@lru_cache(maxsize=1024)
def _logon_guid(prefix: str, uid: int, tty: str) -> str:
    text = _LOGON(uid, terminal_number(tty)).hex()
    return f"{prefix}0000-0000-{text[:4]}-{text[4:]}}}"


def terminal_number(tty: str) -> int:
    """The number at the end of a terminal's name; 0 without one."""
    found = _LAST_NUMBER.search(tty)
    return int(found[1]) & 0xFFFFFFFF if found else 0
