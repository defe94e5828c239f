"""Finds processes in a log with their ancestors, their descendants, and what they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pysmon.cli.reading import Log, guid, is_guid
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
_OLDEST = 200  # generations of ancestors that are looked for


def asked_for(log: Log, who: str) -> tuple[Lineage, list[Process]]:
    """The processes that a process id or a guid means, the newest last; MisuseError if it is neither.

    They are known with all programs that they ran, and with their ends.
    """
    if is_guid(who):
        known = _entries(log, Query(processes=frozenset([guid(who)]), limit=1))
        pids = [actor(entry.event)[1] for entry in known if actor(entry.event)[0] == guid(who)]
        if not pids:
            children = _entries(log, Query(ids=BEGINNINGS, parents=frozenset([guid(who)])))
            lineage = Lineage(children)
            found = lineage.get(guid(who))
            return lineage, [found] if found else []
        lineage = Lineage(_of_pid(log, pids[0]))
        found = lineage.get(guid(who))
        if found is None:
            lineage = Lineage(known)
            found = lineage.get(guid(who))
        return lineage, [found] if found else []
    if not who.isascii() or not who.isdigit():
        raise MisuseError(f"{who!r} is neither a process id nor a guid", hint="pysmon tree shows both kinds of process")
    lineage = Lineage(_of_pid(log, who))
    processes = lineage.of_pid(int(who))
    if not processes:  # no beginning and no end: is it the parent of somebody, or did it do anything?
        parent = Query(ids=BEGINNINGS, conditions=(Condition("ParentProcessId", "is", who),))
        deed = Query(conditions=(Condition("ProcessId", "is", who),), order="newest first", limit=1)
        lineage = Lineage([*_entries(log, parent), *_entries(log, deed)])
        processes = lineage.of_pid(int(who))
    return lineage, processes


def with_descendants(log: Log, process: Process) -> Lineage:
    """The lineage of a process and of all that came of it, their ends included."""
    lineage = Lineage(process.programs)
    lineage.adopt(process)
    known = set(process.guids)
    parents = set(known)
    while parents:
        born = [entry for entry in _by_parent(log, parents) if _guid_of(entry) not in known]
        for entry in born:
            lineage.take(entry)
        parents = {_guid_of(entry) for entry in born}
        known |= parents
    for entry in _by_process(log, known, _ENDS):
        lineage.take(entry)
    return lineage


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


def deeds_of(log: Log, guids: Iterable[str], query: Query) -> Iterator[tuple[int, Entry[Event]]]:
    """What these programs did, of what the query asks for, with positions; not what was done to them."""
    wanted = set(guids)
    for part in _parts(wanted):
        for position, entry in log.rows(replace(query, processes=part)):
            if actor(entry.event)[0] in part:
                yield position, entry


def ends_of(log: Log, guids: Iterable[str]) -> list[Entry[Event]]:
    """The ends of these programs."""
    return _by_process(log, guids, _ENDS)


def count_deeds(log: Log, lineage: Lineage, guids: Iterable[str]) -> None:
    """Let a lineage know how much these programs did."""
    for (guid_, event_id), number in Counter(
        (actor(entry.event)[0], entry.event.type.id) for _, entry in deeds_of(log, guids, Query(ids=_DEEDS))
    ).items():
        lineage.count(guid_, event_id, number)


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
