"""Records of settings of the kernel, below /proc/sys."""

from __future__ import annotations

from pysmon.layout.record import U16, U32, Record, Tail, record

OF_SETTINGS: dict[int, type[Record]] = {}  # by kind; records.py takes them in

TABLE_MADE, TABLE_REMOVED, TABLE_RENAMED = 1, 2, 3  # what became of a table of settings (SettingTableRecord.deed)


@record(60, "sysctl", OF_SETTINGS)
class SettingRecord(Record):
    """A value was written to a setting of the kernel, below /proc/sys."""

    uid: U32
    position: U32  # where in its file the write began; numbers that are written elsewhere than at 0 are ignored
    cut: U16  # 1: the value is longer than the tail
    name: Tail  # below /proc/sys, ended by NUL
    value: Tail  # as the process wrote it, ended by NUL
    previous: Tail  # as it was read before, ended by NUL; empty if it cannot be read


@record(61, "sysctl", OF_SETTINGS)
class SettingTableRecord(Record):
    """A table of settings of the kernel came, went or got another name."""

    uid: U32
    deed: U16
    table: Tail  # the folder below /proc/sys, as a path is sent
    previous: Tail  # for TABLE_RENAMED: the last component of the folder before, ended by NUL
