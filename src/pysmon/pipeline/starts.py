"""Starts and ends of programs from the bytes of their records to the events that are kept, where nobody must be asked.

What a start says is alike for all starts of a program by a user in a place, except for times, numbers, parent and
arguments. It is worked out once for those that are alike: by the bytes that they share. All others go the long way
(`flow.py`), with the same outcome.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.paths import command_line, directory_path, known_path, text
from pysmon.assemble.process import NO_LEVEL
from pysmon.assemble.processes import ProcessImage
from pysmon.assemble.utc import UtcTexts
from pysmon.errors import RecordError
from pysmon.host.guid import Machine
from pysmon.layout.record import Record
from pysmon.layout.selection import head_of, span_of
from pysmon.pipeline.accounting import Accounting
from pysmon.pipeline.straight import Way
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.schema.event import Event
from pysmon.sensor.records import ASKS, ExecRecord, ExitRecord

_Shared: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes]  # of the bytes of a record, what starts alike have alike
_Facts: TypeAlias = Mapping[str, object] | None

_REMEMBERED = 1024  # programs, ends
_HEAD = ("cpu", "time", "start", "exec_id", "tgid")
_NAMED, _OWN = ("parent_start", "parent_exec_id", "creator_start", "parent_tgid", "creator_tgid"), ("args_size", "args")
_EXEC = head_of(ExecRecord, *_HEAD, *_NAMED, "namespace_pid", *_OWN).unpack_from
_EXIT = head_of(ExitRecord, *_HEAD, "code", "uid").unpack_from
_PLACE, _WHO = span_of(ExecRecord, "inode", "image_change_time"), span_of(ExecRecord, "uid", "mount_namespace")
_FILE, _SIZES = span_of(ExecRecord, "device", "links"), span_of(ExecRecord, "image", "tty")
_BEGUN, _TEXTS, _ENDED = ExecRecord.layout.kind, ExecRecord.layout.head.size, ExitRecord.layout.kind
_CREATE, _END = ProcessCreate.type.id, ProcessTerminate.type.id
_UNSET = 0xFFFFFFFF
_NONE = "-"
_MILLI = 1_000_000
_new = object.__new__  # what a class call does, without a dictionary of its arguments


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


def _nowhere(_: object) -> None:
    """Nothing is taken yet."""


class Starts:
    """Takes records of processes as bytes and makes their events.

    What was worked out holds until there are other rules or other users; what could not be is tried again when the
    builder has looked at the users.
    """

    def __init__(self, builder: Builder) -> None:
        """Nothing is taken before `use`."""
        self._builder, self._processes, self._users = builder, builder.processes, builder.users
        self._find, self._machine, self._questions = (
            builder.processes.find,
            builder.processes.machine,
            builder.questions,
        )
        self._alike: dict[_Shared, _Start] = {}
        self._odd: set[_Shared] = set()
        self._told: dict[tuple[int, bytes], tuple[_Facts, ...]] = {}  # of ends: `extra`; none if more is to be done
        self._edition = self._users.edition
        self._until = 0  # the time of records from which the builder has more to do
        self._utc, self._milli, self._now = UtcTexts(), -1, ""
        self._apart: Collection[int] = ()
        self._notice: Callable[[Record], None] | None = None
        self._keep_event: Callable[[Event], None] = _nowhere
        self._keep_time: Callable[[int], None] = _nowhere
        self._offset = 0
        self._begun = self._begun_dropped = self._ended = self._ended_dropped = self._ended_again = 0

    def use(self, ruleset: Ruleset, enricher: Enricher) -> None:
        """Make the events that these rules keep, from the next record on."""
        self._ruleset, self._decide, self._enricher = ruleset, ruleset.decide, enricher
        self._forget()

    def ways(
        self,
        times: list[int],
        events: list[Event],
        *,
        apart: Collection[int] = (),
        notice: Callable[[Record], None] | None = None,
    ) -> Mapping[int, Way]:
        """By the first byte of a record, who may take it, and tells whether he has; if not, it is untouched.

        What is kept goes to `events`, and when it happened (ns since 1970) to `times`. Of the processes `apart`
        somebody else wants to hear; whoever gives `notice` is told of programs that begin to run. Ask again with each
        batch, and after `use`.
        """
        self._keep_event, self._keep_time, self._apart = events.append, times.append, apart
        self._offset, self._milli, self._notice = self._builder.clock_offset, -1, notice
        found: dict[int, Way] = {}
        if self._ruleset.wants(_CREATE) and self._enricher.is_plain(ProcessCreate):
            found[_BEGUN] = self._exec
        if self._ruleset.wants(_END) and self._enricher.is_plain(ProcessTerminate):
            found[_ENDED] = self._exit
        return found

    def count(self, books: Accounting) -> None:
        """Enter what was taken since the last call, before there are other rules."""
        books.events_kept[_CREATE] += self._begun
        books.records_kept[_BEGUN] += self._begun
        books.events_filtered[_CREATE] += self._begun_dropped
        books.records_filtered[_BEGUN] += self._begun_dropped
        books.events_kept[_END] += self._ended
        books.records_kept[_ENDED] += self._ended
        books.events_filtered[_END] += self._ended_dropped
        books.records_filtered[_ENDED] += self._ended_dropped + self._ended_again
        self._begun = self._begun_dropped = self._ended = self._ended_dropped = self._ended_again = 0

    def _exec(self, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, by_start, by_exec_id, made_at, by, maker, inside, size, arg = _EXEC(data)
        except struct.error:
            return False
        if cpu & ASKS or inside != tgid or size > arg or tgid in self._apart:
            return False
        if made_at and (made_at != by_start or maker != by):
            return False
        if time >= self._questions.due or (time >= self._until and self._is_due(time)):
            return False
        end = len(data) - arg
        shared = data[_PLACE], data[_WHO], data[_FILE], data[_SIZES], data[_TEXTS:end]
        said = self._alike.get(shared) or self._learn(shared, data)
        if said is None:
            return False
        if self._notice:
            self._notice(ExecRecord.decode(data))
        processes, named = self._processes, (by, by_start, by_exec_id)
        before = processes.current(tgid, start)
        parent = before.parent if before else None
        if parent is None or parent.key != named:
            parent = processes.parent_of(before, named, named if made_at else None)
        line = command_line(data[end:])
        made = ProcessImage((tgid, start, exec_id), self._machine, said.image, line, said.uid, said.cgroup_path, parent)
        processes.runs(made, time)
        when = self._offset + time
        if when // _MILLI != self._milli:
            self._tick(when)
        event = _new(ProcessCreate)
        event.RuleName = event.FileVersion = event.Description = event.Product = event.Company = _NONE
        event.OriginalFileName = _NONE
        event.UtcTime = self._now
        event.ProcessGuid = made.guid
        event.ProcessId = tgid
        event.Image = said.image
        event.CommandLine = line
        event.CurrentDirectory = said.directory
        event.User = said.user
        event.LogonGuid = said.logon
        event.LogonId = said.logon_id
        event.TerminalSessionId = said.session
        event.IntegrityLevel = NO_LEVEL
        event.Hashes = said.hashes
        event.ParentProcessId = by
        if parent is None:
            event.ParentProcessGuid = processes.guid(named)
            event.ParentImage = event.ParentCommandLine = event.ParentUser = _NONE
        else:
            event.ParentProcessGuid = parent.guid
            event.ParentImage = parent.image
            event.ParentCommandLine = parent.command_line
            event.ParentUser = _NONE if parent.uid is None else self._users.name(parent.uid)
        event.extra = said.extra
        verdict = self._decide(event)
        if not verdict.keep:
            self._begun_dropped += 1
            return True
        event.RuleName = verdict.rule_name
        self._keep_event(event)
        self._keep_time(when)
        self._begun += 1
        return True

    def _exit(self, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, code, uid = _EXIT(data)
        except struct.error:
            return False
        image = self._find((tgid, start, exec_id))
        if image is None or cpu & ASKS or tgid in self._apart:
            return False
        if time >= self._questions.due or (time >= self._until and self._is_due(time)):
            return False
        told = self._told.get((code, image.cgroup_path)) or self._learn_end(code, image.cgroup_path, data)
        if not told:
            return False
        if not self._processes.ends(image, time):
            self._ended_again += 1
            return True
        when = self._offset + time
        if when // _MILLI != self._milli:
            self._tick(when)
        event = _new(ProcessTerminate)
        event.RuleName = _NONE
        event.UtcTime = self._now
        event.ProcessGuid = image.guid
        event.ProcessId = tgid
        event.Image = image.image
        event.User = self._users.name(uid)
        (event.extra,) = told
        verdict = self._decide(event)
        if not verdict.keep:
            self._ended_dropped += 1
            return True
        event.RuleName = verdict.rule_name
        self._keep_event(event)
        self._keep_time(when)
        self._ended += 1
        return True

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
        if record.links and len(data) == _TEXTS + sum(map(len, _tails(record))) and self._are_known(record):
            facts = self._enricher.facts(record)
        if facts is None:
            self._odd.add(shared)
            return None
        found = _Start(record, self._users.name(record.uid), self._machine, hashes, facts or None)
        if len(self._alike) >= _REMEMBERED:
            self._alike.clear()
        self._alike[shared] = found
        return found

    def _learn_end(self, code: int, cgroup_path: bytes, data: bytes) -> tuple[_Facts, ...]:
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        facts = self._enricher.facts(ExitRecord.decode(data))
        found = self._told[code, cgroup_path] = () if facts is None else (facts or None,)
        return found

    def _are_known(self, record: ExecRecord) -> bool:
        """Has every user a name whom it speaks of? Who has none may come to have one."""
        numbers = {record.uid, record.euid, *([record.login_uid] if record.login_uid != _UNSET else [])}
        return all(self._users.name(number) != str(number) for number in numbers)

    def _tick(self, when: int) -> None:
        self._milli, self._now = when // _MILLI, self._utc.text(when)

    def _is_due(self, time: int) -> bool:
        """Has the builder more to do at that time? Users may have other names since the last."""
        self._until = self._builder.due
        self._odd.clear()
        if self._users.edition != self._edition:
            self._forget()
        return time >= self._until

    def _forget(self) -> None:
        self._alike.clear()
        self._odd.clear()
        self._told.clear()
        self._edition = self._users.edition


def either(first: Way | None, then: Way) -> Way:
    """Both ways, the first one first."""
    return then if first is None else lambda data: first(data) or then(data)
