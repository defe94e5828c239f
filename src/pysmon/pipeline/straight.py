"""Files and connections from the bytes of their records to the events that are kept, where no more is to be done.

Nearly all go this way: the process is known, the path is whole, nobody waits for an answer, and nothing is looked up on
the machine for what the event says. All others go the long way (`flow.py`), with the same outcome.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Mapping
from posixpath import normpath
from typing import Any, TypeAlias

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.network import address, protocol_name
from pysmon.assemble.paths import folder_path
from pysmon.assemble.processes import UNKNOWN_YET, ProcessImage
from pysmon.assemble.utc import UtcTexts
from pysmon.host.triggers.places import BEGINNINGS, is_hinted
from pysmon.layout.selection import head_of, span_of
from pysmon.pipeline.accounting import Accounting
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.verdict import Verdict
from pysmon.schema.catalogue import FileCreate, FileDelete, FileDeleteDetected, NetworkConnect
from pysmon.schema.event import Event
from pysmon.sensor.records import ASKS, OPENED, FileCreateRecord, FileDeleteRecord, FlowRecord, decode

Way: TypeAlias = Callable[[bytes], bool]
_Extra: TypeAlias = tuple[Mapping[str, object] | None, ...]  # what `extra` is; none if more is done with the event
# What is said of an actor: user id, ProcessGuid, Image, User, the verdict if it hangs on these alone, and what `extra`
# is, by the number of the record that it hangs on.
_Said: TypeAlias = tuple[int, str, str, str, Verdict | None, dict[int, _Extra]]

_OF_ACTOR = frozenset({"ProcessGuid", "ProcessId", "Image", "User"})
_REMEMBERED = 2048  # actors, folders, ends of connections; numbers of one actor
_HEAD, _PATHS = ("cpu", "time", "start", "exec_id", "tgid", "uid"), ("path", "directory", "name")
_CREATE = head_of(FileCreateRecord, *_HEAD, "mode", "how", *_PATHS).unpack_from
_DELETE = head_of(FileDeleteRecord, *_HEAD, "inode", "device", "links", *_PATHS).unpack_from
_FLOW = head_of(FlowRecord, *_HEAD, "source_port", "destination_port", "initiated").unpack_from
_ENDS = span_of(FlowRecord, "source", "protocol")
_OF_CREATE, _OF_DELETE = FileCreateRecord.layout.head.size, FileDeleteRecord.layout.head.size
_CREATED, _DELETED, _FLOWED = (cls.layout.kind for cls in (FileCreateRecord, FileDeleteRecord, FlowRecord))
_EVENTS: dict[int, type[Event]] = {_CREATED: FileCreate, _DELETED: FileDeleteDetected, _FLOWED: NetworkConnect}
_BEGINNINGS = tuple(beginning.encode() for beginning in BEGINNINGS)
_SLASH = ord("/")  # a number: to look for bytes in bytes begins with an exception in C, for 1,600 instructions
_NOT_PLAIN = (b"", b".", b"..")  # as names in a folder
_MILLI = 1_000_000
_new = object.__new__  # what a class call does, without a dictionary of its arguments


def _nowhere(_: object) -> None:
    """Nothing is taken yet."""


class Straight:
    """Takes records as bytes and makes their events, as long as nobody must be asked.

    What is said of a process is remembered for a second of record time: until users may have other names.
    """

    def __init__(self, builder: Builder) -> None:
        """Nothing is taken before `use`."""
        self._builder, self._users, self._questions = builder, builder.users, builder.questions
        self._actor = builder.processes.find
        self._utc, self._milli, self._now = UtcTexts(), -1, ""
        self._until = 0  # the time of records from which the builder has more to do
        self._folders: dict[bytes, tuple[str, bool, bool]] = {}  # by components: the text, is it plain, is it hinted
        self._ends: dict[bytes, tuple[str, bool, str, bool, str]] = {}  # source, destination and protocol
        self._creates: dict[ProcessImage, _Said] = {}
        self._deletes: dict[ProcessImage, _Said] = {}
        self._flows: dict[ProcessImage, _Said] = {}
        self._apart: Collection[int] = ()
        self._keep_event: Callable[[Event], None] = _nowhere
        self._keep_time: Callable[[int], None] = _nowhere
        self._offset = 0
        self._kept_creates = self._kept_deletes = self._kept_flows = 0  # since they were counted
        self._dropped_creates = self._dropped_deletes = self._dropped_flows = 0

    def use(self, ruleset: Ruleset, enricher: Enricher) -> None:
        """Make the events that these rules keep, from the next record on."""
        self._ruleset, self._decide, self._enricher = ruleset, ruleset.decide, enricher
        self._minds_triggers = self._builder.tells_triggers
        self._forget()

    def ways(self, times: list[int], events: list[Event], *, apart: Collection[int] = ()) -> Mapping[int, Way]:
        """By the first byte of a record, who may take it, and tells whether he has; if not, it is untouched.

        What is kept goes to `events`, and when it happened (ns since 1970) to `times`. Of the processes `apart`
        somebody else wants to hear. Ask again with each batch, and after `use`.
        """
        self._keep_event, self._keep_time, self._apart = events.append, times.append, apart
        self._offset = self._builder.clock_offset
        wants, is_plain = self._ruleset.wants, self._enricher.is_plain
        found: dict[int, Way] = {}
        if wants(FileCreate.type.id) and is_plain(FileCreate):
            found[_CREATED] = self._create
        if wants(FileDeleteDetected.type.id) and not wants(FileDelete.type.id) and is_plain(FileDeleteDetected):
            found[_DELETED] = self._delete
        if wants(NetworkConnect.type.id) and is_plain(NetworkConnect):
            found[_FLOWED] = self._flow
        return found

    def with_sieve(self, kind: int, way: Way, sieve: Way | None) -> Way:
        """That way, and that of who takes what is dropped: first the one that drops at less cost."""
        if sieve is None:
            return way
        first, then = (way, sieve) if self._ruleset.reads(_EVENTS[kind].type.id) <= _OF_ACTOR else (sieve, way)
        return lambda data: first(data) or then(data)

    def count(self, books: Accounting) -> None:
        """Enter what was taken since the last call."""
        for kind, event_id, kept, dropped in (
            (_CREATED, FileCreate.type.id, self._kept_creates, self._dropped_creates),
            (_DELETED, FileDeleteDetected.type.id, self._kept_deletes, self._dropped_deletes),
            (_FLOWED, NetworkConnect.type.id, self._kept_flows, self._dropped_flows),
        ):
            books.records_kept[kind] += kept
            books.events_kept[event_id] += kept
            books.records_filtered[kind] += dropped
            books.events_filtered[event_id] += dropped
        self._kept_creates = self._kept_deletes = self._kept_flows = 0
        self._dropped_creates = self._dropped_deletes = self._dropped_flows = 0

    def _create(self, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, mode, uid, how, size, directory, name = _CREATE(data)
        except struct.error:
            return False
        actor = self._actor((tgid, start, exec_id))
        if actor is None or how != OPENED or _OF_CREATE + size + directory + name > len(data):
            return False
        if cpu & ASKS or tgid in self._apart or (time >= self._until and self._is_due(time)):
            return False
        if time >= self._questions.due:
            return False
        said = self._creates.get(actor)
        if said is None or said[0] != uid:
            said = self._learn(FileCreate, self._creates, actor, uid)
        if said is None:
            return False
        _, guid, image, user, verdict, told = said
        if verdict is not None and not verdict.keep:
            self._dropped_creates += 1
            return True
        extra = told.get(mode) or self._tell(told, mode, data)
        path = self._path(data, _OF_CREATE, size, directory, name)
        if not extra or not path:
            return False
        when = self._offset + time
        if when // _MILLI != self._milli:
            self._tick(when)
        event = _new(FileCreate)
        event.RuleName = "-"
        event.UtcTime = event.CreationUtcTime = self._now
        event.ProcessGuid = guid
        event.ProcessId = tgid
        event.Image = image
        event.TargetFilename = path
        event.User = user
        if verdict is None:
            verdict = self._decide(event)
            if not verdict.keep:
                self._dropped_creates += 1
                return True
        event.RuleName = verdict.rule_name
        (event.extra,) = extra
        self._keep_event(event)
        self._keep_time(when)
        self._kept_creates += 1
        return True

    def _delete(self, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, inode, device, uid, links, size, directory, name = _DELETE(data)
        except struct.error:
            return False
        actor = self._actor((tgid, start, exec_id))
        if actor is None or _OF_DELETE + size + directory + name > len(data):
            return False
        if cpu & ASKS or tgid in self._apart or (time >= self._until and self._is_due(time)):
            return False
        if time >= self._questions.due:
            return False
        said = self._deletes.get(actor)
        if (said is None or said[0] != uid) and not (
            said := self._learn(FileDeleteDetected, self._deletes, actor, uid)
        ):
            return False
        _, guid, image, user, verdict, told = said
        if verdict is not None and not verdict.keep:
            self._dropped_deletes += 1
            return True
        extra = told.get(links) or self._tell(told, links, data)
        path = self._path(data, _OF_DELETE, size, directory, name)
        if not extra or not path:
            return False
        when = self._offset + time
        if when // _MILLI != self._milli:
            self._tick(when)
        event = _new(FileDeleteDetected)
        event.RuleName = event.Hashes = "-"
        event.UtcTime = self._now
        event.ProcessGuid = guid
        event.ProcessId = tgid
        event.User = user
        event.Image = image
        event.TargetFilename = path
        event.IsExecutable = None
        if verdict is None:
            verdict = self._decide(event)
            if not verdict.keep:
                self._dropped_deletes += 1
                return True
        if self._enricher.holds(device, inode, path):
            return False
        event.RuleName = verdict.rule_name
        (event.extra,) = extra
        self._keep_event(event)
        self._keep_time(when)
        self._kept_deletes += 1
        return True

    def _flow(self, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, uid, source_port, destination_port, initiated = _FLOW(data)
        except struct.error:
            return False
        actor = self._actor((tgid, start, exec_id))
        if actor is None:
            return False
        if cpu & ASKS or tgid in self._apart or (time >= self._until and self._is_due(time)):
            return False
        if time >= self._questions.due:
            return False
        said = self._flows.get(actor)
        if said is None or said[0] != uid:
            said = self._learn(NetworkConnect, self._flows, actor, uid)
        if said is None:
            return False
        _, guid, image, user, verdict, told = said
        if verdict is not None and not verdict.keep:
            self._dropped_flows += 1
            return True
        extra, ends = told.get(0) or self._tell(told, 0, data), self._ends.get(data[_ENDS]) or self._meet(data)
        if not extra:
            return False
        when = self._offset + time
        if when // _MILLI != self._milli:
            self._tick(when)
        event = _new(NetworkConnect)
        event.RuleName = event.SourceHostname = event.SourcePortName = "-"
        event.DestinationHostname = event.DestinationPortName = "-"
        event.UtcTime = self._now
        event.ProcessGuid = guid
        event.ProcessId = tgid
        event.Image = image
        event.User = user
        event.SourceIp, event.SourceIsIpv6, event.DestinationIp, event.DestinationIsIpv6, event.Protocol = ends
        event.Initiated = initiated != 0
        event.SourcePort = source_port
        event.DestinationPort = destination_port
        if verdict is None:
            verdict = self._decide(event)
            if not verdict.keep:
                self._dropped_flows += 1
                return True
        event.RuleName = verdict.rule_name
        (event.extra,) = extra
        self._keep_event(event)
        self._keep_time(when)
        self._kept_flows += 1
        return True

    def _path(self, data: bytes, begin: int, size: int, directory: int, name: int) -> str:
        """The path from the texts that begin there, of these sizes; empty if it must be looked at more closely."""
        if size:  # from leaf to root
            leaf, ended, components = data[begin : begin + size].partition(b"\0")
        else:  # the directory, then the name in it
            components, begin = data[begin : begin + directory], begin + directory
            leaf, ended, _ = data[begin : begin + name].partition(b"\0")
        folder, is_plain, hinted = self._folders.get(components) or self._enter(components)
        if not ended or not (size or (is_plain and leaf not in _NOT_PLAIN and _SLASH not in leaf)):
            return ""
        if self._minds_triggers and (hinted or leaf.startswith(_BEGINNINGS)):
            return ""
        try:
            return folder + leaf.decode()
        except UnicodeDecodeError:
            return folder + leaf.decode("utf-8", "surrogateescape")

    def _enter(self, components: bytes) -> tuple[str, bool, bool]:
        folder = folder_path(components)
        if len(self._folders) >= _REMEMBERED:
            self._folders.clear()
        is_plain = bool(components) and f"{normpath(folder)}/" == folder
        found = self._folders[components] = folder, is_plain, is_hinted(folder)
        return found

    def _meet(self, data: bytes) -> tuple[str, bool, str, bool, str]:
        record = FlowRecord.decode(data)
        if len(self._ends) >= _REMEMBERED:
            self._ends.clear()
        source, destination = address(record.family, record.source), address(record.family, record.destination)
        found = self._ends[data[_ENDS]] = *source, *destination, protocol_name(record.protocol)
        return found

    def _learn(
        self, kind: type[Event], known: dict[ProcessImage, _Said], actor: ProcessImage, uid: int
    ) -> _Said | None:
        """What is said of the actor in events of that kind; None if that may come to be something else."""
        user = self._users.name(uid)
        if user == str(uid) or actor.image == UNKNOWN_YET:
            return None
        values: dict[str, Any] = {
            "ProcessGuid": actor.guid,
            "ProcessId": actor.key[0],
            "Image": actor.image,
            "User": user,
        }
        verdict = None
        if self._ruleset.reads(kind.type.id) <= _OF_ACTOR:
            names, judge = self._ruleset.by_values(kind.type.id)
            verdict = judge(tuple([values[name] for name in names]))
        if len(known) >= _REMEMBERED:
            known.clear()
        known[actor] = found = uid, actor.guid, actor.image, user, verdict, dict[int, _Extra]()
        return found

    def _tell(self, told: dict[int, _Extra], number: int, data: bytes) -> _Extra:
        if len(told) >= _REMEMBERED:
            told.clear()
        facts = self._enricher.facts(decode(data))
        found = told[number] = () if facts is None else (facts or None,)
        return found

    def _tick(self, when: int) -> None:
        self._milli, self._now = when // _MILLI, self._utc.text(when)

    def _is_due(self, time: int) -> bool:
        """Has the builder more to do at that time? Users may have other names since the last."""
        self._until = self._builder.due
        self._forget()
        return time >= self._until

    def _forget(self) -> None:
        for known in (self._creates, self._deletes, self._flows):
            known.clear()
