"""Records of files, connections and images that the rules drop: judged from bytes; no record and no event is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.image import loaded_path
from pysmon.assemble.network import address, protocol_name
from pysmon.assemble.paths import target
from pysmon.layout.record import Record
from pysmon.pipeline.accounting import Accounting
from pysmon.pipeline.batch import Batch
from pysmon.pipeline.ways import Way, opening, way_of
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import FileCreate, FileDelete, FileDeleteDetected, ImageLoad, NetworkConnect
from pysmon.schema.event import Event
from pysmon.sensor.load_records import ImageLoadRecord
from pysmon.sensor.records import FileCreateRecord, FileDeleteRecord, FlowRecord

_ENDS = ("source", "destination", "family", "protocol", "source_port", "destination_port", "initiated")
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


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """One kind of record, as far as it is looked at, and the events that it may become."""

    record: type[Record]
    members: tuple[str, ...]  # beside those of every record
    file: str = ""  # the path of the file that it is about
    is_more: str = ""  # whether other events may be made of it
    odd: tuple[str, ...] = ()  # if one of these holds, the record goes the long way
    values: Mapping[str, str]
    events: tuple[type[Event], ...]


def _of_file(record: type[Record], *events: type[Event]) -> _Kind:
    return _Kind(
        record=record,
        members=("uid", "path", "directory", "name"),
        odd=("TAILS + path + directory + name > len(data)",),
        file="file_of(data, TAILS, path, directory, name)",
        is_more="has_more_of(file)",
        values=_ACTOR | {"TargetFilename": "file"},
        events=events,
    )


_KINDS = (
    _of_file(FileCreateRecord, FileCreate),
    _of_file(FileDeleteRecord, FileDelete, FileDeleteDetected),
    _Kind(
        record=ImageLoadRecord,
        members=("uid", "links", "path"),
        odd=("TAILS + path > len(data)",),
        file="loaded_path(data[TAILS : TAILS + path], links)",
        values=_ACTOR | {"ImageLoaded": "file"},
        events=(ImageLoad,),
    ),
    _Kind(record=FlowRecord, members=("uid", *_ENDS), values=_OF_FLOW, events=(NetworkConnect,)),
)


def _file_of(data: bytes, begin: int, path: int, directory: int, name: int) -> str:
    """The path from the texts that begin there, of these sizes."""
    at = begin + path
    if path:
        return target(data[begin:at], b"", b"")
    end = at + directory
    return target(b"", data[at:end], data[end : end + name])


class _Mesh:
    """What becomes of one kind of record under some rules, and whether looking first is worth it."""

    __slots__ = ("_events", "_record", "_rest", "_uncounted", "dropped", "kept", "way")

    def __init__(
        self, kind: _Kind, events: Sequence[type[Event]], ruleset: Ruleset, batch: Batch, known: Mapping[str, Any]
    ) -> None:
        """`events` are those that are wanted; `known` tells of processes and users."""
        self._record = kind.record.layout.kind
        self._events = tuple([event.type.id for event in events])
        self.dropped = self.kept = self._rest = self._uncounted = 0
        judges = {f"verdict_{number}": ruleset.by_values(number)[1] for number in self._events}
        lines = _lines(kind, {event: ruleset.by_values(event.type.id)[0] for event in events})
        self.way = way_of(kind.record, kind.members, lines, batch, mesh=self, **judges, **known)

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
        books.records_filtered[self._record] += dropped
        for number in self._events:
            books.events_filtered[number] += dropped
        self._uncounted = self.dropped = 0


class Sieve:
    """Takes records of which nothing is kept. All others are left as they were, and go the long way to the same end."""

    def __init__(self, builder: Builder, batch: Batch) -> None:
        """Nothing is taken before `use`."""
        self._batch = batch
        self._meshes: dict[int, _Mesh] = {}
        self._known: dict[str, Any] = {
            "actor": builder.processes.actor,
            "name_of": builder.users.name,
            "has_more_of": builder.has_more_of,
            "address": address,
            "protocol_name": protocol_name,
            "file_of": _file_of,
            "loaded_path": loaded_path,
        }

    def use(self, ruleset: Ruleset, enricher: Enricher) -> None:
        """Judge by these rules from the next record on."""
        self._meshes = {}
        for kind in _KINDS:
            events = [event for event in kind.events if ruleset.wants(event.type.id)]
            reads = [(event, ruleset.reads(event.type.id)) for event in events]
            if all(of and _can_judge(event, of - kind.values.keys(), enricher) for event, of in reads):
                mesh = _Mesh(kind, events, ruleset, self._batch, self._known)  # without `of` all is kept
                self._meshes[kind.record.layout.kind] = mesh

    def ways(self) -> Mapping[int, Way]:
        """For the next batch: by the first byte of a record, who may take it, and tells whether he has."""
        return {kind: mesh.way for kind, mesh in self._meshes.items() if mesh.pays()}

    def count(self, books: Accounting) -> None:
        """Enter what was taken since the last call, before there are other rules."""
        for mesh in self._meshes.values():
            mesh.count(books)


def _can_judge(event: type[Event], missing: Collection[str], enricher: Enricher) -> bool:
    """Are the values of these fields what they are by default, and stay so until the verdict?"""
    return not missing or (event not in enricher.first and all(_default(event, n) is not MISSING for n in missing))


def _lines(kind: _Kind, reads: Mapping[type[Event], Sequence[str]]) -> list[str]:
    """The way of a record of that kind, under rules that read these fields of its events. Each value is made once."""
    lines = opening(kind.record, kind.members, kind.odd)
    if kind.file:
        lines.append(f"file = {kind.file}")
    if kind.is_more:
        lines += _kept_if(kind.is_more)
    read = dict.fromkeys(name for names in reads.values() for name in names if name in kind.values)
    lines += [f"{name} = {kind.values[name]}" for name in read]
    for event, names in reads.items():
        values = "".join(f"{name if name in read else repr(_default(event, name))}, " for name in names)
        lines += _kept_if(f"verdict_{event.type.id}(({values})).keep")
    return [*lines, "mesh.dropped += 1", "return True"]


def _kept_if(condition: str) -> list[str]:
    return [f"if {condition}:", "    mesh.kept += 1", "    return False"]


def _default(event: type[Event], name: str) -> object:
    return next(f.default for f in fields(event) if f.name == name)
