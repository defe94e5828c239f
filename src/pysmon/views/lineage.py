"""Who started whom: processes put together from entries, also those of which only a child or a deed is known.

A ProcessGuid is that of one program; a process that runs several has one for each. They belong to one process if they
share the process id and what the guid says of the process itself (its first two groups and the third: the machine, and
the second in which the process was made).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.views.sentences import NONE, actor, value

NO_GUID = "{00000000-0000-0000-0000-000000000000}"
_OF_PROCESS = len("{b635b3db-35d9-6b01-")  # machine and second


@dataclass(slots=True, eq=False)
class Process:
    """A process: the programs that it ran, in order, and what is known of its end."""

    pid: str
    image: str = NONE  # of its latest program
    command_line: str = NONE
    user: str = NONE
    guids: dict[str, None] = field(default_factory=dict)  # in the order in which they came up
    programs: list[Entry[Event]] = field(default_factory=list)  # ProcessCreate of each; none if it was there before
    end: Entry[Event] | None = None
    parent: Process | None = field(default=None, repr=False)
    children: list[Process] = field(default_factory=list, repr=False)
    deeds: Counter[int] = field(default_factory=Counter)  # by event id, but for beginnings and ends
    first: int = 0  # ns since 1970: when it came up in the log

    @property
    def began(self) -> bool:
        """Whether its beginning is in the log."""
        return bool(self.programs)

    @property
    def guid(self) -> str:
        """The guid of its latest program."""
        return next(reversed(self.guids), NO_GUID)

    @property
    def line(self) -> list[Process]:
        """Its ancestors, the oldest known first, and itself."""
        found = [self]
        while (parent := found[-1].parent) is not None:
            found.append(parent)
        return found[::-1]

    def descent(self) -> Iterator[tuple[int, Process]]:
        """Itself and all descendants with their depth below it, parents first."""
        waiting = [(0, self)]
        while waiting:
            depth, process = waiting.pop()
            yield depth, process
            waiting += [(depth + 1, child) for child in reversed(process.children)]


class Lineage:
    """The processes of a log, fed with its entries in order."""

    def __init__(self, entries: Iterable[Entry[Event]] = ()) -> None:
        """Begin with these entries."""
        self.processes: list[Process] = []  # in the order in which they came up
        self._by_guid: dict[str, Process] = {}
        self._by_key: dict[tuple[str, str], Process] = {}
        for entry in entries:
            self.take(entry)

    def take(self, entry: Entry[Event]) -> Process | None:
        """Learn from the next entry; the process that it is of, or None if it is of none."""
        event = entry.event
        guid, pid, image = actor(event)
        if guid in (NONE, NO_GUID):
            return None
        process = self._process(guid, pid, entry.time)
        if isinstance(event, ProcessCreate):
            self._begin(process, entry, event)
            return process
        if process.image == NONE:
            process.image = image
        if process.user == NONE:
            process.user = value(event, "User")
        if isinstance(event, ProcessTerminate):
            process.end = entry
        else:
            process.deeds[event.type.id] += 1
        return process

    def count(self, guid: str, event_id: int, number: int) -> None:
        """Learn of deeds without their entries; of a process that is not known, nothing."""
        process = self._by_guid.get(guid)
        if process is not None:
            process.deeds[event_id] += number

    def adopt(self, known: Process) -> None:
        """Learn of a process from another lineage, without its kin."""
        guids = [guid for guid in known.guids if guid not in self._by_guid]
        for guid in guids:
            made = self._process(guid, known.pid, known.first)
            made.image, made.command_line, made.user = known.image, known.command_line, known.user
            made.end = made.end or known.end

    def know(self, guid: str, pid: str) -> None:
        """Learn that a guid is of a process that is known; of one that is not, nothing."""
        process = self.of_key(guid, pid)
        if process is not None and guid not in self._by_guid:
            process.guids = {guid: None, **process.guids}  # not its latest
            self._by_guid[guid] = process

    def of_key(self, guid: str, pid: str) -> Process | None:
        """The process that a guid and a process id are of, whether or not the guid came up before."""
        return self._by_key.get((guid[:_OF_PROCESS], pid))

    def get(self, guid: str) -> Process | None:
        """The process that ran the program of that guid."""
        return self._by_guid.get(guid)

    def of_pid(self, pid: int) -> list[Process]:
        """All processes that had that id, in the order in which they came up."""
        return [process for process in self.processes if process.pid == str(pid)]

    def roots(self) -> list[Process]:
        """Those whose parent is not known."""
        return [process for process in self.processes if process.parent is None]

    def _process(self, guid: str, pid: str, time: int) -> Process:
        known = self._by_guid.get(guid)
        if known is not None:
            return known
        key = (guid[:_OF_PROCESS], pid)
        process = self._by_key.get(key)
        if process is None:
            process = self._by_key[key] = Process(pid, first=time)
            self.processes.append(process)
        process.guids[guid] = None
        self._by_guid[guid] = process
        return process

    def _begin(self, process: Process, entry: Entry[Event], event: ProcessCreate) -> None:
        process.programs.append(entry)
        process.image, process.command_line, process.user = event.Image, event.CommandLine, event.User
        if process.parent is not None or event.ParentProcessGuid in (NONE, NO_GUID):
            return
        parent = self._process(event.ParentProcessGuid, str(event.ParentProcessId), entry.time)
        if parent is process or (process.children and process in parent.line):  # a log that contradicts itself
            return
        if not parent.began and parent.image == NONE:
            parent.image, parent.command_line, parent.user = (
                event.ParentImage,
                event.ParentCommandLine,
                event.ParentUser,
            )
        process.parent = parent
        parent.children.append(process)
