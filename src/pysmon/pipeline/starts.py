"""Starts and ends of programs from the bytes of their records to the events that are kept, where nobody must be asked.

What a start says is alike for all starts of a program by a user in a place, except for times, numbers, parent and
arguments. It is worked out once for those that are alike: by the bytes that they share. All others go the long way
(`flow.py`), with the same outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.paths import command_line, directory_path, known_path, text
from pysmon.assemble.process import NO_LEVEL
from pysmon.assemble.processes import Numbers, ProcessImage
from pysmon.errors import RecordError
from pysmon.host.guid import Machine
from pysmon.layout.selection import span_of
from pysmon.pipeline.accounting import Accounting
from pysmon.pipeline.batch import Batch
from pysmon.pipeline.said import Extra
from pysmon.pipeline.ways import Kind, Taker
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.sensor.records import ExecRecord, ExitRecord

_Shared: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes]  # of the bytes of a record, what starts alike have alike
_Facts: TypeAlias = Mapping[str, object] | None

_REMEMBERED = 1024  # programs, ends
_UNSET = 0xFFFFFFFF
_HEAD = ExecRecord.layout.head.size
_SPANS = {
    "PLACE": span_of(ExecRecord, "inode", "image_change_time"),
    "WHO": span_of(ExecRecord, "uid", "mount_namespace"),
    "FILE": span_of(ExecRecord, "device", "links"),
    "SIZES": span_of(ExecRecord, "image", "tty"),
}
_BEGIN = Kind(
    record=ExecRecord,
    members=(
        *("parent_start", "parent_exec_id", "parent_tgid", "creator_start", "creator_tgid"),
        *("namespace_pid", "args_size", "args"),
    ),
    odd=(
        "namespace_pid != tgid",
        "args_size > args",
        "(creator_start and (creator_start != parent_start or creator_tgid != parent_tgid))",
    ),
    needs={
        "end": "len(data) - args",
        "shared": "(data[PLACE], data[WHO], data[FILE], data[SIZES], data[TAILS:end])",
        "said": "alike.get(shared) or learn(shared, data)",
    },
    made={
        "named": "(parent_tgid, parent_start, parent_exec_id)",
        "parent": "parent_of(data, tgid, start, named, creator_start)",
        "line": "command_line(data[end:])",
        "image": "ProcessImage((tgid, start, exec_id), machine, said.image, line, said.uid, said.cgroup_path, parent)",
        "_": "runs(image, time)",
    },
    event=ProcessCreate,
    values={
        "UtcTime": "batch.now",
        "ProcessGuid": "image.guid",
        "ProcessId": "tgid",
        "Image": "said.image",
        "CommandLine": "line",
        "CurrentDirectory": "said.directory",
        "User": "said.user",
        "LogonGuid": "said.logon",
        "LogonId": "said.logon_id",
        "TerminalSessionId": "said.session",
        "IntegrityLevel": repr(NO_LEVEL),
        "Hashes": "said.hashes",
        "ParentProcessGuid": "guid_of(named) if parent is None else parent.guid",
        "ParentProcessId": "parent_tgid",
        "ParentImage": "'-' if parent is None else parent.image",
        "ParentCommandLine": "'-' if parent is None else parent.command_line",
        "ParentUser": "'-' if parent is None or parent.uid is None else name_of(parent.uid)",
    },
    extra="said.extra",
)
_END = Kind(
    record=ExitRecord,
    members=("code", "uid"),
    needs={
        "image": "find((tgid, start, exec_id))",
        "extra": "extras.get((code, image.cgroup_path)) or tell(code, image.cgroup_path, data)",
    },
    is_news="ends(image, time)",
    event=ProcessTerminate,
    values={
        "UtcTime": "batch.now",
        "ProcessGuid": "image.guid",
        "ProcessId": "tgid",
        "Image": "image.image",
        "User": "name_of(uid)",
    },
    extra="extra[0]",
)


class _Start:
    """What starts of programs that are alike say."""

    __slots__ = (
        *("cgroup_path", "directory", "extra", "hashes", "image", "logon", "logon_id"),
        *("session", "uid", "user"),
    )

    def __init__(self, record: ExecRecord, user: str, machine: Machine, hashes: str, extra: _Facts) -> None:
        self.uid, self.session, self.cgroup_path = record.uid, record.session, record.cgroup_path
        self.image, self.directory = known_path(record.image), directory_path(record.directory)
        self.logon = machine.logon_guid(record.uid, text(record.tty) if record.tty else "")
        self.logon_id, self.user, self.hashes, self.extra = str(record.uid), user, hashes, extra


def _tails(record: ExecRecord) -> tuple[bytes, ...]:
    return record.image, record.filename, record.directory, record.root, record.cgroup_path, record.tty, record.args


class Starts:
    """Takes records of processes as bytes and makes their events.

    What was worked out holds until there are other rules or other users; what could not be is tried again when the
    builder has looked at the users.
    """

    def __init__(self, builder: Builder, batch: Batch) -> None:
        """Nothing is taken before `use`."""
        self._batch, self._processes, self._users = batch, builder.processes, builder.users
        self._machine = builder.processes.machine
        self._alike: dict[_Shared, _Start] = {}
        self._odd: set[_Shared] = set()
        self._told: dict[tuple[int, bytes], Extra] = {}  # of ends, by exit code and container
        self._edition = self._users.edition
        self.takers: list[Taker] = []
        batch.on_due(self._look_at_users)

    def use(self, ruleset: Ruleset, enricher: Enricher) -> None:
        """Make the events that these rules keep, from the next record on."""
        self._enricher = enricher
        self._forget()
        of_both = {"find": self._processes.find, "name_of": self._users.name}
        of_begin = {
            "alike": self._alike,
            "learn": self._learn,
            "parent_of": self._parent_of,
            "command_line": command_line,
            "ProcessImage": ProcessImage,
            "machine": self._machine,
            "runs": self._processes.runs,
            "guid_of": self._processes.guid,
        }
        of_end = {"extras": self._told, "tell": self._tell, "ends": self._processes.ends}
        self.takers = [
            Taker(kind, ruleset, self._batch, of_both | own)
            for kind, own in ((_BEGIN, _SPANS | of_begin), (_END, of_end))
            if kind.is_whole_of(ruleset, enricher)
        ]

    def count(self, books: Accounting) -> None:
        """Enter what was taken since the last call, before there are other rules."""
        for taker in self.takers:
            taker.count(books)

    def _parent_of(self, data: bytes, tgid: int, start: int, named: Numbers, creator: int) -> ProcessImage | None:
        """The parent that the record names; who gives notice of programs is told of this one first."""
        if self._batch.notice:
            self._batch.notice(ExecRecord.decode(data))
        before = self._processes.current(tgid, start)
        parent = before.parent if before else None
        if parent is None or parent.key != named:
            parent = self._processes.parent_of(before, named, named if creator else None)
        return parent

    def _learn(self, shared: _Shared, data: bytes) -> _Start | None:
        """What all starts with these bytes say; None if that is more, or may come to be something else."""
        if shared in self._odd:
            return None
        try:
            record = ExecRecord.decode(data)
        except RecordError:
            return None
        hashes, facts = self._enricher.known_hashes(record), None
        if hashes is None:
            return None  # they will be known after the long way, mostly
        if record.links and len(data) == _HEAD + sum(map(len, _tails(record))) and self._are_known(record):
            facts = self._enricher.facts(record)
        if facts is None:
            self._odd.add(shared)
            return None
        found = _Start(record, self._users.name(record.uid), self._machine, hashes, facts or None)
        if len(self._alike) >= _REMEMBERED:
            self._alike.clear()
        self._alike[shared] = found
        return found

    def _tell(self, code: int, cgroup_path: bytes, data: bytes) -> Extra:
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        facts = self._enricher.facts(ExitRecord.decode(data))
        found = self._told[code, cgroup_path] = () if facts is None else (facts or None,)
        return found

    def _are_known(self, record: ExecRecord) -> bool:
        """Has every user a name whom it speaks of? Who has none may come to have one."""
        numbers = {record.uid, record.euid, *([record.login_uid] if record.login_uid != _UNSET else [])}
        return all(self._users.name(number) != str(number) for number in numbers)

    def _look_at_users(self) -> None:
        self._odd.clear()
        if self._users.edition != self._edition:
            self._forget()

    def _forget(self) -> None:
        self._alike.clear()
        self._odd.clear()
        self._told.clear()
        self._edition = self._users.edition
