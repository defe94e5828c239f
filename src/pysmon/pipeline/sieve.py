"""Records of files, connections and images that the rules drop: judged from bytes; no record and no event is made."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import partial
from typing import Any

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.image import loaded_path
from pysmon.assemble.network import address, protocol_name
from pysmon.assemble.paths import target
from pysmon.compiled import compiled
from pysmon.layout.record import Record
from pysmon.layout.selection import head_of
from pysmon.pipeline.accounting import Accounting
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import FileCreate, FileDelete, FileDeleteDetected, ImageLoad, NetworkConnect
from pysmon.schema.event import Event
from pysmon.sensor.load_records import ImageLoadRecord
from pysmon.sensor.records import ASKS, FileCreateRecord, FileDeleteRecord, FlowRecord

_HEAD, _WHO = ("cpu", "time", "start", "exec_id", "tgid"), ("start", "exec_id", "tgid", "uid")
_PLACE = ("uid", "path", "directory", "name")
_ENDS = ("source", "destination", "uid", "family", "protocol", "source_port", "destination_port", "initiated")
# By field of an event, what its value is made of: what is read of a record, and what is known of processes and users.
_ACTOR = {"Image": "actor(tgid, start, exec_id).image", "User": "name_of(uid)", "ProcessId": "tgid"}
_OF_FLOW = _ACTOR | {
    "Protocol": "protocol_name(protocol)",
    "Initiated": "initiated != 0",
    "SourceIsIpv6": "address(family, source)[1]",
    "SourceIp": "address(family, source)[0]",
    "SourcePort": "source_port",
    "DestinationIsIpv6": "address(family, destination)[1]",
    "DestinationIp": "address(family, destination)[0]",
    "DestinationPort": "destination_port",
}
_FEW, _REST = 64, 15  # records that say nothing about the next ones; batches after which it is tried again


@dataclass(frozen=True)
class _Kind:
    """One kind of record, as far as it is looked at, and the events that it may become."""

    record: type[Record]
    members: tuple[str, ...]  # beside those of every record
    given: tuple[str, ...]  # what the values of fields are made of
    values: Mapping[str, str]
    events: tuple[type[Event], ...]


_OF_FILE = (_PLACE, (*_WHO, "file"), _ACTOR | {"TargetFilename": "file"})
_CREATED = _Kind(FileCreateRecord, *_OF_FILE, (FileCreate,))
_DELETED = _Kind(FileDeleteRecord, *_OF_FILE, (FileDelete, FileDeleteDetected))
_LOADED = _Kind(
    ImageLoadRecord, ("uid", "links", "path"), (*_WHO, "file"), _ACTOR | {"ImageLoaded": "file"}, (ImageLoad,)
)
_CONNECTED = _Kind(FlowRecord, _ENDS, ("start", "exec_id", "tgid", *_ENDS), _OF_FLOW, (NetworkConnect,))


class _Mesh:
    """What becomes of one kind of record under some rules, and whether looking first is worth it."""

    __slots__ = ("_events", "_kind", "_rest", "_uncounted", "dropped", "drops", "kept", "tails", "unpack")

    def __init__(self, kind: _Kind, events: Sequence[type[Event]], ruleset: Ruleset, known: Mapping[str, Any]) -> None:
        """`events` are those that are wanted; `known` tells of processes and users."""
        layout = kind.record.layout
        self._kind, self.tails = layout.kind, layout.head.size
        self._events = tuple([event.type.id for event in events])
        self.unpack = head_of(kind.record, *_HEAD, *kind.members).unpack_from
        self.drops = _judge(kind, events, ruleset, known)  # by what is given: is nothing kept?
        self.dropped = self.kept = self._rest = self._uncounted = 0

    def pays(self) -> bool:
        """Is it worth looking at the records of the next batch? What is kept goes the long way after that look."""
        if self._rest:
            self._rest -= 1
        elif self.kept + self.dropped >= _FEW and self.dropped * 3 < self.kept:
            self._rest = _REST
        self._uncounted += self.dropped
        self.dropped = self.kept = 0
        return not self._rest

    def count(self, books: Accounting) -> None:
        """Enter what was dropped since the last call."""
        dropped = self._uncounted + self.dropped
        books.records_filtered[self._kind] += dropped
        for number in self._events:
            books.events_filtered[number] += dropped
        self._uncounted = self.dropped = 0


class Sieve:
    """Takes records of which nothing is kept. All others are left as they were, and go the long way to the same end."""

    def __init__(self, builder: Builder) -> None:
        """Nothing is taken before `use`."""
        self._builder = builder
        self._apart: Collection[int] = ()
        self._until = 0  # the time of records from which the builder has more to do
        self._ways: dict[int, tuple[_Mesh, Callable[[bytes], bool]]] = {}
        self._known: dict[str, Any] = {"actor": builder.processes.actor, "name_of": builder.users.name}
        self._known |= {"address": address, "protocol_name": protocol_name}

    def use(self, ruleset: Ruleset, enricher: Enricher) -> None:
        """Judge by these rules from the next record on."""
        self._ways = {}
        for way, kind in (
            (self._file, _CREATED),
            (self._file, _DELETED),
            (self._load, _LOADED),
            (self._flow, _CONNECTED),
        ):
            events = [event for event in kind.events if ruleset.wants(event.type.id)]
            reads = [(event, ruleset.reads(event.type.id)) for event in events]
            if all(of and _can_judge(event, of - kind.values.keys(), enricher) for event, of in reads):
                mesh = _Mesh(kind, events, ruleset, self._known)  # without `of` all is kept
                self._ways[kind.record.layout.kind] = mesh, partial(way, mesh)

    def ways(self, *, apart: Collection[int] = ()) -> Mapping[int, Callable[[bytes], bool]]:
        """For the next batch: by the first byte of a record, who may take it, and tells whether he has.

        Of the processes `apart` somebody else wants to hear.
        """
        self._apart = apart
        return {kind: way for kind, (mesh, way) in self._ways.items() if mesh.pays()}

    def count(self, books: Accounting) -> None:
        """Enter what was taken since the last call, before there are other rules."""
        for mesh, _ in self._ways.values():
            mesh.count(books)

    def _file(self, mesh: _Mesh, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, uid, path, directory, name = mesh.unpack(data)
        except struct.error:
            return False
        if cpu & ASKS or tgid in self._apart or (time >= self._until and self._is_due(time)):
            return False
        begin = mesh.tails
        at = begin + path
        end = at + directory + name
        if end > len(data):
            return False
        given = (b"", b"") if path else (data[at : end - name], data[end - name : end])
        file = target(data[begin:at], *given)
        if self._builder.has_more_of(file) or not mesh.drops(start, exec_id, tgid, uid, file):
            mesh.kept += 1
            return False
        mesh.dropped += 1
        return True

    def _load(self, mesh: _Mesh, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, uid, links, path = mesh.unpack(data)
        except struct.error:
            return False
        if cpu & ASKS or tgid in self._apart or (time >= self._until and self._is_due(time)):
            return False
        end = mesh.tails + path
        if end > len(data):
            return False
        if not mesh.drops(start, exec_id, tgid, uid, loaded_path(data[mesh.tails : end], links)):
            mesh.kept += 1
            return False
        mesh.dropped += 1
        return True

    def _flow(self, mesh: _Mesh, data: bytes) -> bool:
        try:
            cpu, time, *given = mesh.unpack(data)
        except struct.error:
            return False
        if cpu & ASKS or given[2] in self._apart or (time >= self._until and self._is_due(time)):
            return False
        if not mesh.drops(*given):
            mesh.kept += 1
            return False
        mesh.dropped += 1
        return True

    def _is_due(self, time: int) -> bool:
        """Has the builder more to do at that time?"""
        self._until = self._builder.due
        return time >= self._until


def _can_judge(event: type[Event], missing: Collection[str], enricher: Enricher) -> bool:
    """Are the values of these fields what they are by default, and stay so until the verdict?"""
    return not missing or (event not in enricher.first and all(_default(event, n) is not MISSING for n in missing))


def _judge(
    kind: _Kind, events: Sequence[type[Event]], ruleset: Ruleset, known: Mapping[str, Any]
) -> Callable[..., bool]:
    """A function of what is `given` of that kind: do the rules drop all of these events? Each value is made once."""
    made: dict[str, str] = {}
    asked, others = [], dict(known)
    for event in events:
        names, others[f"verdict_{event.type.id}"] = ruleset.by_values(event.type.id)
        made |= {name: kind.values[name] for name in names if name in kind.values}
        default = {name: f"default_{event.type.id}_{name}" for name in names if name not in kind.values}
        others |= {place: _default(event, name) for name, place in default.items()}
        values = "".join(f"{default.get(name, name)}, " for name in names)
        asked.append(f"verdict_{event.type.id}(({values})).keep")
    lines = [*(f"{name} = {value}" for name, value in made.items()), f"return not ({' or '.join(asked) or False})"]
    function: Callable[..., bool] = compiled(f"drops({', '.join(kind.given)})", lines, [*made, *kind.given], **others)
    return function


def _default(event: type[Event], name: str) -> object:
    return next(f.default for f in fields(event) if f.name == name)
