"""Facts added to an event after it is built: early those that rules read, late the rest, and only to what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pysmon.assemble.attribute import file_of
from pysmon.assemble.clipboard import Clips
from pysmon.assemble.content import OF_CONTENT, Contents
from pysmon.assemble.extras import Facts, facts_of
from pysmon.assemble.paths import known_path
from pysmon.assemble.places import places
from pysmon.assemble.placing import facts_of_container
from pysmon.assemble.processes import Processes
from pysmon.assemble.provenance import FIELDS, Provenance
from pysmon.assemble.trim import Trimmer
from pysmon.assemble.utc import utc_text
from pysmon.host.birth import birth_time
from pysmon.host.errands import Errands
from pysmon.host.hashes import Expected, Hashed, Hashes, file_system
from pysmon.host.runtime_files import Containers
from pysmon.host.symbols import Symbol, Symbols
from pysmon.host.users import Users
from pysmon.layout.record import Record
from pysmon.schema.catalogue import (
    ClipboardChange,
    CreateRemoteThread,
    DriverLoad,
    FileCreate,
    FileCreateStreamHash,
    ImageLoad,
    ProcessCreate,
)
from pysmon.schema.event import Event
from pysmon.sensor.memory_records import InjectionRecord
from pysmon.sensor.records import OPENED, AttributeRecord, ExecRecord, FileCreateRecord

_Step = Callable[[Event, Record], None]
_UNKNOWN = "Unknown"  # Sysmon's word for a hash that was not made
_NOTHING: frozenset[str] = frozenset()
_LATE = Symbol(skipped="its file system did not answer in time")


def reads_nothing(_event_id: int) -> frozenset[str]:
    """For a ruleset whose verdicts hang on no late field."""
    return _NOTHING


class Enricher:
    """Adds hashes, birth times, names of functions and the facts for JSON; cuts long texts. Only this opens files.

    Make a new one for a new configuration; the same `hashes` may go with it.
    """

    def __init__(
        self,
        processes: Processes,
        users: Users,
        hashes: Hashes,
        *,
        field_sizes: Mapping[str, int] | None = None,
        reads: Callable[[int], frozenset[str]] = reads_nothing,
        extras: bool = True,
        birth: Callable[[str, int], int | None] = birth_time,
        errands: Errands | None = None,
        contents: Contents | None = None,
        clips: Clips | None = None,
        symbols: Symbols | None = None,
        containers: Containers | None = None,
        provenance: Provenance | None = None,
    ) -> None:
        """`reads` tells by event id which fields the rules read; `extras` is for outputs that show them (JSON).

        `errands` look up births and functions, so that no file system can hold up the caller; without them he does it.
        `contents` answers for files that were written or removed, where somebody holds them, `clips` for clipboards.
        `symbols` name functions, `containers` know what the runtimes tell, `provenance` whose files are;
        a tape of another machine can have none of them.
        """
        self._processes = processes
        self._users = users
        self._hashes = hashes
        self._trimmer = Trimmer(field_sizes or {})
        self._extras = extras
        self._birth, self._errands = birth, errands
        self._provenance, self._contents, self._clips = provenance, contents, clips
        self._symbols, self._containers = symbols, containers
        self.first: dict[type[Event], list[_Step]] = {}  # what `early` does, for who asks often
        self._late: dict[type[Event], list[_Step]] = {}
        self._plan(reads)

    def _plan(self, reads: Callable[[int], frozenset[str]]) -> None:
        """Note by event class what is to be done: before the verdict if the rules read what it fills, else after."""

        def do(step: _Step, fills: Iterable[str], *kinds: type[Event]) -> None:
            for kind in kinds:
                steps = self._late if reads(kind.type.id).isdisjoint(fills) else self.first
                steps.setdefault(kind, []).append(step)

        do(self._add_hashes, ("Hashes",), ProcessCreate)
        do(self._add_hashes_of_stream, ("Hash",), FileCreateStreamHash)
        do(self._add_birth, ("CreationUtcTime",), FileCreate)
        do(self._add_birth_of_old, ("CreationUtcTime",), FileCreateStreamHash)
        do(self._add_function, ("StartFunction",), CreateRemoteThread)
        if self._contents:
            self._ask_twice(self._contents, *OF_CONTENT)
        if self._clips:
            self._ask_twice(self._clips, ClipboardChange)
        if self._provenance:
            do(self._add_provenance, FIELDS, DriverLoad, ImageLoad)

    def _ask_twice(self, holder: Contents | Clips, *kinds: type[Event]) -> None:
        """It decides by itself what it adds before the verdict, and what after."""
        for kind in kinds:
            self.first.setdefault(kind, []).append(holder.early)
            self._late.setdefault(kind, []).append(holder.late)

    def prepare(self) -> None:
        """What takes a while, before there are events; it may begin threads."""
        if self._provenance:
            self._provenance.prepare()

    def early(self, event: Event, record: Record) -> None:
        """Before the verdict: what it hangs on, and nothing else."""
        for step in self.first.get(type(event), ()):
            step(event, record)

    def late(self, event: Event, record: Record) -> None:
        """Once the event is kept: everything else. Long texts are cut last, so that rules see them whole."""
        for step in self._late.get(type(event), ()):
            step(event, record)
        cut = self._trimmer.trim(event) if self._trimmer.sizes else None
        if not self._extras:
            return
        facts = facts_of(record, self._processes, self._users)
        if event.extra is None:
            event.extra = facts or None
        else:
            _tell(event, facts)
        if self._containers and "ContainerId" in facts:
            self._add_container(event, record, str(facts["CgroupPath"]), self._containers)
        if cut:
            _tell(event, {"FieldsTrimmed": cut})

    def is_plain(self, kind: type[Event]) -> bool:
        """Does an event of that kind get no more than `facts`, and hashes of a program?

        A file that was just made was born when it was made; one that was removed gets more if it is held (`holds`).
        """
        steps = [*self.first.get(kind, ()), *self._late.get(kind, ())]
        if self._contents and not self._contents.decides(kind.type.id):
            steps = [step for step in steps if step not in (self._contents.early, self._contents.late)]
        return not self._trimmer.sizes and all(step in (self._add_birth, self._add_hashes) for step in steps)

    def holds(self, device: int, inode: int, path: str) -> bool:
        """Is there something to be told of what was in a file that was removed?"""
        return self._contents is not None and self._contents.holds(device, inode, path)

    def facts(self, record: Record) -> Facts | None:
        """What `late` makes of `extra` where an event is plain, if that tells of the record alone; None if of more."""
        facts = facts_of(record, self._processes, self._users) if self._extras else {}
        return None if self._containers and "ContainerId" in facts else facts

    def known_hashes(self, record: ExecRecord) -> str | None:
        """The hashes of the program of that record, if they need no look at the machine and nothing is to be added."""
        known = self._hashes.known(record.device, record.inode, record.image_size, record.image_change_time)
        return None if known is None or known.skipped else known.text

    def _add_hashes_of_stream(self, event: Event, record: Record) -> None:
        if isinstance(event, FileCreateStreamHash) and isinstance(record, AttributeRecord):
            whole = record.value_size == len(record.value)
            event.Hash = self._hashes.of_bytes(record.value) if whole else _UNKNOWN

    def _add_hashes(self, event: Event, record: Record) -> None:
        if not isinstance(event, ProcessCreate) or not isinstance(record, ExecRecord):
            return
        made = hashes_of_image(record, self._hashes)
        event.Hashes = made.text
        if made.skipped and self._extras:
            _tell(event, {"HashesSkipped": made.skipped})

    def _add_provenance(self, event: Event, record: Record) -> None:
        facts = self._provenance.add(event, record) if self._provenance else {}
        if self._extras:
            _tell(event, facts)

    def _add_birth(self, event: Event, record: Record) -> None:
        """A file that was renamed or linked is older than its name."""
        if isinstance(record, FileCreateRecord) and record.how != OPENED and isinstance(event, FileCreate):
            _tell_birth(event, self._asked(event.TargetFilename, record))

    def _add_birth_of_old(self, event: Event, record: Record) -> None:
        """A file is older than an attribute that it gets."""
        if isinstance(record, AttributeRecord) and isinstance(event, FileCreateStreamHash):
            _tell_birth(event, self._asked(file_of(record), record))

    def _asked(self, path: str, record: FileCreateRecord | AttributeRecord) -> int | None:
        if self._errands is None:
            return self._born(path, record)
        # 0 for none: an errand has to bring something
        return self._errands.ask(file_system(record.device), lambda: self._born(path, record) or 0) or None

    def _born(self, path: str, record: FileCreateRecord | AttributeRecord) -> int | None:
        # The name holds where the process lives; elsewhere it may name another file, which only the inode tells.
        there, *elsewhere = places(record.tgid, path)
        births = (self._birth(path, record.inode) for path in (there, *(elsewhere if record.inode else ())))
        return next((birth for birth in births if birth is not None), None)

    def _add_function(self, event: Event, record: Record) -> None:
        if not isinstance(event, CreateRemoteThread) or not isinstance(record, InjectionRecord):
            return
        symbols = self._symbols
        if symbols is None or not record.module:
            return  # what is in no file has no name
        tgid = record.target_tgid
        paths = (f"/proc/{tgid}/exe", *places(tgid, known_path(record.module)))

        def look() -> Symbol:
            return symbols.at(*paths, device=record.device, inode=record.inode, offset=record.offset)

        ask = self._errands.ask if self._errands else None
        found = (ask(file_system(record.device), look) if ask else look()) or _LATE
        event.StartFunction = found.text
        if found.skipped and self._extras:
            _tell(event, {"StartFunctionSkipped": found.skipped})

    def _add_container(self, event: Event, record: Record, cgroup_path: str, containers: Containers) -> None:
        def look() -> Mapping[str, object]:
            return facts_of_container(event, record, cgroup_path, containers)

        _tell(event, (self._errands.ask("the files of container runtimes", look) if self._errands else look()) or {})


def hashes_of_image(record: ExecRecord, hashes: Hashes) -> Hashed:
    """The hashes of the program of that record, if it can still be had: from the process itself, else by its path."""
    file = (record.device, record.inode, record.image_size, record.image_change_time)
    known = hashes.known(*file)
    if known is not None:
        return known
    paths = (f"/proc/{record.tgid}/exe", *places(record.tgid, known_path(record.image)))
    return hashes.of(*paths, expected=Expected(*file))


def _tell(event: Event, facts: Mapping[str, object]) -> None:
    if facts:
        event.extra = {**event.extra, **facts} if event.extra else facts


def _tell_birth(event: FileCreate | FileCreateStreamHash, born: int | None) -> None:
    if born is not None:
        event.CreationUtcTime = utc_text(born)
