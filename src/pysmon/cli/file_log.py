"""A file of JSON lines as a log: it answers the same queries as the store, by reading all of it."""

from __future__ import annotations

import os
import re
import sys
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BufferedReader
from pathlib import Path

from pysmon.cli.telling import tell_logs
from pysmon.errors import MisuseError
from pysmon.formats.read_json import read_json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.open import shape_of_head
from pysmon.sources.packed import packing_of
from pysmon.sources.source import Tally
from pysmon.sources.streams import SAMPLE, is_read_once, standard_input
from pysmon.store.query import Condition, Query, holds

STDIN = "-"
OWN = "pysmon"  # the shape of our JSON lines
Row = tuple[int, Entry[Event]]
_GUID_FIELDS = {
    number: tuple(
        f.name for f in made.fields if f.kind.name == "guid" and f.name not in ("LogonGuid", "ParentProcessGuid")
    )
    for number, made in EVENTS.items()
}
_BEGINS = b'{"EventID":'
_ID = re.compile(rb'\{"EventID":(\d+),')  # how our own lines begin
_GUID = re.compile(rb"\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}")
_MARKED = 256  # lines
_WHOLE_NUMBER = re.compile(r"\d+")


class FileLog:
    """The entries of a file; the position of one is the number of its line."""

    def __init__(self, name: str) -> None:
        """`-` is standard input, which is kept in memory. OSError if the file cannot be read."""
        self.name = "standard input" if name == STDIN else name
        self.unreadable: dict[int, str] = {}  # lines that are no entries, with the reason
        self._path = None if name == STDIN else Path(name)
        self._held = standard_input().readlines() if name == STDIN else []
        self._marks = [(0, 0)]  # after so many lines come so many bytes: where a reading may begin
        self._fd = -1
        self._seen, self._upto = len(self._held), 0  # lines that are not blank, up to which number
        if self._path is not None:
            if self._path.is_dir():
                raise MisuseError(f"{name} is a folder", hint="name a file of JSON lines")
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def is_current(self) -> bool:
        """Whether the name still leads to this file, and it only grew; if not, it was rotated: open it anew."""
        if self._path is None:
            return True
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return True  # its successor is still to come
        return os.path.samestat(named, os.fstat(self._fd)) and named.st_size >= self._marks[-1][1]

    def rows(self, query: Query) -> Iterator[Row]:
        """The entries that are wanted, with their positions."""
        if query.order == "newest first":
            newest = self._newest_of_all(query)
            yield from reversed(list(deque(self._matching(query), maxlen=query.limit)) if newest is None else newest)
            return
        found = self._matching(query)
        for number, row in enumerate(found):
            if query.limit is not None and number >= query.limit:
                return
            yield row

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _matching(self, query: Query) -> Iterator[Row]:
        guids = frozenset(guid.encode() for guid in query.processes | query.parents)
        for number, line in self._lines(query.after or 0):
            if query.upto is not None and number > query.upto:
                return
            begins = _ID.match(line)
            if begins and query.ids and int(begins[1]) not in query.ids:
                continue
            if begins and guids and guids.isdisjoint(_GUID.findall(line)):
                continue
            try:
                entry = read_json_line(line)
            except ValueError as error:
                if not line.isspace():
                    self.unreadable[number] = str(error)
                continue
            if matches(query, entry):
                yield number, entry

    def _newest_of_all(self, query: Query) -> list[Row] | None:
        """The last lines read alone, where nothing else is wanted; None if that does not tell."""
        if query.limit is None or replace(query, after=None, order="oldest first", limit=None) != Query():
            return None
        last = deque(self._lines(query.after or 0), maxlen=query.limit)
        try:
            return [(number, read_json_line(line)) for number, line in last]
        except ValueError:
            return None

    def _lines(self, after: int) -> Iterator[tuple[int, bytes]]:
        """The lines behind that number. A last line without its end is one that is still being written: left out."""
        if self._path is None:
            yield from enumerate(self._held[after:], after + 1)
            return
        number, at = self._marks[bisect_right(self._marks, (after, sys.maxsize)) - 1]
        with Path(f"/proc/self/fd/{self._fd}").open("rb") as file:  # this file, also if its name leads elsewhere now
            file.seek(at)
            for line in file:
                if not line.endswith(b"\n") and not line.rstrip().endswith(b"}"):
                    return
                number, at = number + 1, at + len(line)
                if number > self._upto:
                    self._upto, self._seen = number, self._seen + (not line.isspace())
                if number % _MARKED == 0 and number > self._marks[-1][0]:
                    self._marks.append((number, at))
                if number > after:
                    yield number, line

    def tell(self) -> None:
        """Say on standard error which lines are no entries."""
        tell_logs({self.name: self.tally})

    @property
    def tally(self) -> Tally:
        """What was found in it besides entries."""
        found = Tally(entries=self._seen - len(self.unreadable))
        for number in sorted(self.unreadable):
            found.damage(f"line {number}", self.unreadable[number])
        return found


def has_own_lines(name: str) -> bool:
    """Whether a file has our JSON lines, or is to get some: it is not packed, and nothing in it is of another shape.

    Of standard input only as much is looked at as has come, and none of it is taken.
    """
    if name == STDIN:
        stream = standard_input()
        head = stream.peek(SAMPLE) if isinstance(stream, BufferedReader) else b""
        return not packing_of(head) and _is_own(head)
    path = Path(name)
    if not path.exists() or path.is_dir() or is_read_once(path):
        return False
    try:
        with path.open("rb") as file:
            head = file.read(SAMPLE)
    except OSError:
        return False  # told by who reads logs of any shape
    return not packing_of(head) and _is_own(head)


def _is_own(head: bytes) -> bool:
    shape = shape_of_head(head)
    if shape is not None:
        return shape.name == OWN
    begin = head.lstrip()[: len(_BEGINS)]
    return _BEGINS.startswith(begin)  # nothing yet, or a first line that is being written


def matches(query: Query, entry: Entry[Event]) -> bool:
    """Whether an entry is wanted, its position aside."""
    event = entry.event
    made = event.type
    return (
        (not query.ids or made.id in query.ids)
        and (query.since is None or entry.time >= query.since)
        and (query.until is None or entry.time < query.until)
        and (not query.record_ids or entry.record_id in query.record_ids)
        and (not query.processes or any(getattr(event, name) in query.processes for name in _GUID_FIELDS[made.id]))
        and (not query.parents or getattr(event, "ParentProcessGuid", None) in query.parents)
        and all(_meets(event, condition) for condition in query.conditions)
        and (not query.any_of or any(_meets(event, condition) for condition in query.any_of))
        and (not query.text or _speaks_of(entry, query.text))
    )


def _meets(event: Event, condition: Condition) -> bool:
    field = event.type.field(condition.field)
    if field is None:
        return False
    text = event.text(condition.field)
    if (
        field.kind.sql == "INTEGER"
        and field.kind.name != "boolean"
        and condition.positive in ("less than", "more than")
    ):
        try:
            number, limit = int(text, 0), int(condition.value, 0)
        except ValueError:
            return False
        held = number < limit if condition.positive == "less than" else number > limit
    else:
        held = holds(condition.positive, text, condition.value)
    return held is not condition.negated


def _speaks_of(entry: Entry[Event], text: str) -> bool:
    event = entry.event
    extra: Iterable[object] = (event.extra or {}).values()
    values = [*event.texts(), *map(str, extra)]
    if _WHOLE_NUMBER.fullmatch(text) and text in values:
        return True
    texts = [event.text(f.name) for f in event.type.fields if f.kind.name in ("text", "hexint32", "hexint64", "guid")]
    return any(holds("contains", value, text) for value in [*texts, *map(str, extra)])
