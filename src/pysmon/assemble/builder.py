"""The builder: a record goes in, the events that it may become come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pysmon.assemble.access import take_access
from pysmon.assemble.attribute import take_attribute
from pysmon.assemble.clipboard import take_clipboard
from pysmon.assemble.desktop import DESKTOP, Databases, Desktop
from pysmon.assemble.device import take_raw_access
from pysmon.assemble.dns import take_dns_message, take_look_up
from pysmon.assemble.file import take_file_create, take_file_delete
from pysmon.assemble.guard import overdue, take_guard
from pysmon.assemble.image import take_image_load
from pysmon.assemble.injection import take_injection
from pysmon.assemble.module import take_module
from pysmon.assemble.network import take_flow
from pysmon.assemble.pipe import take_pipe
from pysmon.assemble.process import take_brief_exec, take_exec, take_exit, take_fork, take_task
from pysmon.assemble.processes import Processes
from pysmon.assemble.program import take_program
from pysmon.assemble.questions import Questions
from pysmon.assemble.scene import BUILT, Scene
from pysmon.assemble.settings import take_setting, take_setting_table
from pysmon.assemble.tampering import take_tamper
from pysmon.assemble.times import take_file_time
from pysmon.assemble.triggers import TRIGGERS, FileRecord, Reader, Triggers
from pysmon.assemble.written import take_overwrite, take_written
from pysmon.host.dconf.changes import database_of
from pysmon.host.guid import Machine
from pysmon.host.triggers.places import place_of_trigger
from pysmon.host.users import Users
from pysmon.layout.record import Record
from pysmon.schema.event import Event
from pysmon.sensor.load_records import ImageLoadRecord, ModuleRecord
from pysmon.sensor.memory_records import InjectionRecord, TamperRecord
from pysmon.sensor.records import (
    AccessRecord,
    AttributeRecord,
    BriefExecRecord,
    ClipboardRecord,
    DnsMessageRecord,
    ExecRecord,
    ExitRecord,
    FileCreateRecord,
    FileDeleteRecord,
    FileOverwriteRecord,
    FileTimeRecord,
    FileWrittenRecord,
    FlowRecord,
    ForkRecord,
    GuardRecord,
    LookUpRecord,
    PipeRecord,
    ProgramRecord,
    RawAccessRecord,
    TaskRecord,
)
from pysmon.sensor.setting_records import SettingRecord, SettingTableRecord

_TAKE: dict[type[Record], Callable[[Any, Scene], tuple[Event, ...]]] = {
    AccessRecord: take_access,
    AttributeRecord: take_attribute,
    BriefExecRecord: take_brief_exec,
    ClipboardRecord: take_clipboard,
    DnsMessageRecord: take_dns_message,
    ExecRecord: take_exec,
    ExitRecord: take_exit,
    FileCreateRecord: take_file_create,
    FileDeleteRecord: take_file_delete,
    FileOverwriteRecord: take_overwrite,
    FileTimeRecord: take_file_time,
    FileWrittenRecord: take_written,
    FlowRecord: take_flow,
    ForkRecord: take_fork,
    GuardRecord: take_guard,
    ImageLoadRecord: take_image_load,
    ModuleRecord: take_module,
    LookUpRecord: take_look_up,
    InjectionRecord: take_injection,
    PipeRecord: take_pipe,
    ProgramRecord: take_program,
    RawAccessRecord: take_raw_access,
    SettingRecord: take_setting,
    SettingTableRecord: take_setting_table,
    TamperRecord: take_tamper,
    TaskRecord: take_task,
}
_USERS_EVERY = 1_000_000_000  # ns of record time between two looks whether the user database has changed


class Builder:
    """Makes events from records. Its state is the process table; time comes from the records alone."""

    def __init__(
        self,
        machine: Machine,
        users: Users,
        *,
        clock_offset: int,
        processes: Processes | None = None,
        reader: Reader | None = None,
        databases: Databases | None = None,
    ) -> None:
        """`clock_offset` is what turns a record's time (since boot) into ns since 1970. `reader` reads what no record
        holds, the texts of files about persistence; without one only their paths tell. `databases` looks at those
        that hold the settings of desktops; without it nothing is told of them.
        """
        self.processes = processes if processes is not None else Processes(machine)
        self.users = users
        self._scene = Scene(machine, users, self.processes, clock_offset)
        self._triggers, self.tells_triggers = Triggers(reader), True
        self._desktop, self._tells_desktop = Desktop(databases), True
        self._look_at_users = 0

    @property
    def clock_offset(self) -> int:
        """Ns to add to a record's time; set it anew when somebody has set the clock."""
        return self._scene.clock_offset

    @clock_offset.setter
    def clock_offset(self, value: int) -> None:
        self._scene.clock_offset = value

    def want(self, ids: Iterable[int]) -> None:
        """Build only events of these ids from now on; the process table is kept all the same."""
        self._scene.wanted = BUILT & frozenset(ids)
        self.tells_triggers = bool(TRIGGERS & self._scene.wanted)
        self._tells_desktop = bool(DESKTOP & self._scene.wanted)

    def prepare(self) -> None:
        """Look at what must be known before it changes, if it is wanted; this may begin threads."""
        if self._tells_desktop:
            self._desktop.prepare()

    def take(self, record: Record) -> tuple[Event, ...]:
        """The events of one record: none for a record that only informs, two for a deleted file."""
        scene = self._scene
        if record.time >= self._look_at_users:
            self._look_at_users = record.time + _USERS_EVERY
            scene.users.refresh()
        take = _TAKE.get(type(record))
        events: tuple[Event, ...] = take(record, scene) if take else ()
        if self.tells_triggers and isinstance(record, FileRecord):
            events += self._triggers.of(record, scene)
        if self._tells_desktop and isinstance(record, FileCreateRecord):
            events += self._desktop.of(record, scene)
        return events

    def has_more_of(self, path: str) -> bool:
        """Does a record of that file tell of more than the file: of persistence, or of settings of a desktop?"""
        return (self.tells_triggers and place_of_trigger(path) is not None) or (
            self._tells_desktop and database_of(path) is not None
        )

    @property
    def due(self) -> int:
        """When there is something to be done whatever record comes, in ns since boot."""
        return min(self._look_at_users, self._scene.questions.due)

    @property
    def questions(self) -> Questions:
        """What waits for an answer: when its time `due` has come there may be something for `unanswered`."""
        return self._scene.questions

    def unanswered(self, now: int, *, last: bool = False) -> list[tuple[Event, Record]]:
        """Events that wait for something that has not come by `now`, with their records; the rules judge them.

        `last`: nothing comes any more.
        """
        return [(waiting.event, waiting.record) for waiting in self._scene.questions.overdue(now, last=last)]

    def who(self, process: tuple[int, int, int], uid: int) -> tuple[str, str | None] | None:
        """The program that a process runs and the name of the user, None if it may come to be another; None if unknown.

        A user whom nobody knows may become known.
        """
        image = self.processes.get(*process)
        if image is None or not image.image.startswith("/"):
            return None
        name = self._scene.users.name(uid)
        return image.image, name if name != str(uid) else None

    def overdue(self, now: int, *, last: bool = False) -> tuple[Event, ...]:
        """Events that no record makes: what was told once and done again since. `now` is in ns since boot.

        `last`: nothing can be told later any more.
        """
        return overdue(self._scene, now, last=last)
