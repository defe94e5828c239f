"""Finds processes in a log with their ancestors, their descendants, and what they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from pysmon.cli.reading import Log, Wanted, guid, is_guid
from pysmon.errors import MisuseError
from pysmon.schema.catalogue import ProcessCreate
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.store.query import Condition, Query
from pysmon.views.lineage import NO_GUID, Lineage, Process
from pysmon.views.sentences import actor

BEGINNINGS = frozenset([ProcessCreate.type.id])
_LIFE = frozenset([1, 5])  # beginnings and ends
_ENDS = frozenset([5])
_DEEDS = frozenset(EVENTS) - _LIFE
_AT_ONCE = 2000  # guids of one query
_AT_FIRST = frozenset([3, 11, 22])  # what a shell does for a redirection, also to /dev/tcp
_LARGE = 100  # processes
_WINDOW = 50  # processes of one query by process ids
_SOON = 1_000_000_000  # ns that a process is given to run its first program
_OLDEST = 200  # generations of ancestors that are looked for


def check_who(who: str) -> None:
    """MisuseError if that is neither a process id nor a guid."""
    if is_guid(who) or (who.isascii() and who.isdigit()):
        return
    file = Path(who).exists()
    hint = f"pysmon story PID {who}" if file else "no file has that name, and pysmon tree shows the ids of processes"
    raise MisuseError(f"{who!r} is neither a process id nor a guid", hint=hint)


def asked_for(log: Log, who: str) -> tuple[Lineage, list[Process]]:
    """The processes that a process id or a guid means (`check_who`), the newest last.

    They are known with all programs that they ran, and with their ends.
    """
    if is_guid(who):
        return _asked_by_guid(log, guid(who))
    lineage = Lineage(_of_pid(log, who))
    processes = lineage.of_pid(int(who))
    if not processes:  # no beginning and no end: is it the parent of somebody, or did it do anything?
        parent = Query(ids=BEGINNINGS, conditions=(Condition("ParentProcessId", "is", who),))
        deed = Query(conditions=(Condition("ProcessId", "is", who),), order="newest first", limit=1)
        lineage = Lineage([*_entries(log, parent), *_entries(log, deed)])
        processes = lineage.of_pid(int(who))
    return lineage, processes


def _asked_by_guid(log: Log, wanted: str) -> tuple[Lineage, list[Process]]:
    named = (entry for _, entry in log.rows(Query(processes=frozenset([wanted]))))
    deed = next((entry for entry in named if _guid_of(entry) == wanted), None)
    if deed is None:  # nothing that it did: is it the parent of somebody?
        lineage = Lineage(_by_parent(log, [wanted]))
    else:
        lineage = Lineage(_of_pid(log, actor(deed.event)[1]))
        if lineage.get(wanted) is None:
            lineage = Lineage([deed])
    found = lineage.get(wanted)
    return lineage, [found] if found else []


def with_descendants(log: Log, process: Process, most: int | None = None) -> tuple[Lineage, bool]:
    """The lineage of a process and of all that came of it, their ends included; and whether that is not all.

    With `most`, no further generation is looked for once there are so many programs, and of the last one the first.
    """
    lineage = Lineage(process.programs)
    lineage.adopt(process)
    known = dict.fromkeys(process.guids)
    parents = list(known)
    complete = True
    while parents and complete:
        born = [entry for entry in _by_parent(log, parents) if _guid_of(entry) not in known]
        if most is not None and len(known) + len(born) > most:
            complete = False
            born = sorted(born, key=lambda entry: entry.time)[: max(most - len(known), 0)]
        for entry in born:
            lineage.take(entry)
        parents = [_guid_of(entry) for entry in born]
        known.update(dict.fromkeys(parents))
    for event in (entry.event for entry in _before_their_programs(log, lineage)):
        lineage.know(*actor(event)[:2])
    for entry in _by_process(log, known, _ENDS):
        lineage.take(entry)
    return lineage, complete


def _before_their_programs(log: Log, lineage: Lineage) -> Iterator[Entry[Event]]:
    """What processes did between their making and their first program: a shell opens what a redirection names so.

    Until then a process has the guid of a program that no event tells the beginning of. No index helps to find it, so
    it is done for the first processes of a large family only.
    """
    begun = sorted((p for p in lineage.processes if p.began), key=lambda p: p.programs[0].time)[:_LARGE]
    for at in range(0, len(begun), _WINDOW):
        part = begun[at : at + _WINDOW]
        asked = Query(
            ids=_AT_FIRST,
            any_of=tuple(Condition("ProcessId", "is", process.pid) for process in part),
            since=part[0].programs[0].time - _SOON,
            until=part[-1].programs[0].time,
        )
        for entry in _entries(log, asked):
            found, pid, _ = actor(entry.event)
            if lineage.get(found) is None and lineage.of_key(found, pid) is not None:
                yield entry


def with_ancestors(log: Log, guids: Iterable[str]) -> Lineage:
    """The lineage of these programs upward, as far as the log knows it."""
    found: dict[str, Entry[Event]] = {}
    wanted = {text for text in guids if text != NO_GUID}
    asked: set[str] = set()
    for _ in range(_OLDEST):
        asked |= wanted
        born = _by_process(log, wanted, BEGINNINGS)
        found.update((_guid_of(entry), entry) for entry in born)
        wanted = {_parent_of(entry) for entry in born} - asked - {NO_GUID}
        if not wanted:
            break
    lineage = Lineage(sorted(found.values(), key=lambda entry: entry.time))
    for entry in _by_process(log, found, _ENDS):
        lineage.take(entry)
    return lineage


def deeds_of(log: Log, guids: Iterable[str], wanted: Wanted, most: int | None = None) -> list[Entry[Event]]:
    """What these programs did, of what is wanted, in order: all or the first. Not what was done to them."""
    found: list[tuple[int, int, Entry[Event]]] = []
    for part in _parts(guids):
        rows = replace(wanted, query=replace(wanted.query, processes=part)).all(log)
        own = ((entry.time, position, entry) for position, entry in rows if actor(entry.event)[0] in part)
        found += islice(own, most)
    found.sort(key=lambda row: row[:2])
    return [entry for _, _, entry in found[:most]]


def ends_of(log: Log, guids: Iterable[str]) -> list[Entry[Event]]:
    """The ends of these programs."""
    return _by_process(log, guids, _ENDS)


def count_deeds(log: Log, lineage: Lineage, guids: Iterable[str]) -> None:
    """Let a lineage know how much these programs did."""
    deeds = deeds_of(log, guids, Wanted(Query(ids=_DEEDS)))
    for (who, event_id), number in Counter((_guid_of(entry), entry.event.type.id) for entry in deeds).items():
        lineage.count(who, event_id, number)


def _of_pid(log: Log, pid: str) -> list[Entry[Event]]:
    return _entries(log, Query(ids=_LIFE, conditions=(Condition("ProcessId", "is", pid),)))


def _by_process(log: Log, guids: Iterable[str], ids: frozenset[int]) -> list[Entry[Event]]:
    return [e for part in _parts(guids) for e in _entries(log, Query(ids=ids, processes=part))]


def _by_parent(log: Log, guids: Iterable[str]) -> list[Entry[Event]]:
    return [e for part in _parts(guids) for e in _entries(log, Query(ids=BEGINNINGS, parents=part))]


def _entries(log: Log, query: Query) -> list[Entry[Event]]:
    return [entry for _, entry in log.rows(query)]


def _parts(guids: Iterable[str]) -> Iterator[frozenset[str]]:
    listed = sorted(guids)
    for begin in range(0, len(listed), _AT_ONCE):
        yield frozenset(listed[begin : begin + _AT_ONCE])


def _guid_of(entry: Entry[Event]) -> str:
    return actor(entry.event)[0]


def _parent_of(entry: Entry[Event]) -> str:
    event = entry.event
    return event.ParentProcessGuid if isinstance(event, ProcessCreate) else NO_GUID
