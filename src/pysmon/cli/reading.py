"""What the commands that read a log have in common: where it is, what of it is wanted, and how it is shown."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from glob import has_magic
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import click

from pysmon.cli.file_log import OWN, STDIN, FileLog, has_own_lines
from pysmon.cli.moments import moment
from pysmon.cli.shape_option import input_format, input_format_alone
from pysmon.cli.source_log import SourceLog
from pysmon.cli.where import Clause, Clauses, clauses
from pysmon.errors import MisuseError
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event, EventType
from pysmon.schema.lookup import TAGS, by_tag, nearest
from pysmon.store.query import Condition, Query
from pysmon.store.store import Store

DEFAULT_STORE = "/var/lib/pysmon/log"
STORE_VARIABLE = "PYSMON_LOG"
_ENOUGH = 20  # entries that are shown if nobody says how many
_GUID = re.compile(r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?", re.IGNORECASE)

Row = tuple[int, Entry[Event]]


class Log(Protocol):
    """Something that holds entries: the store, or a file."""

    def rows(self, query: Query) -> Iterator[Row]:
        """The entries that are wanted, in the order that the query asks for, with their positions."""

    @property
    def is_current(self) -> bool:
        """Whether its name still leads to it; if not, whoever follows it opens it anew."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a log is wanted."""

    query: Query
    rest: tuple[Clause, ...] = ()  # what the log cannot look for by itself

    def of(self, log: Log, last: int | None = None) -> list[Row]:
        """The rows, oldest first; with `last` only so many, the newest."""
        if last is None:
            return list(self.all(log))
        if self.rest and not isinstance(log, Store):
            return list(deque(self.all(log), maxlen=last))  # a file is read from its beginning: it holds no more
        query = replace(self.query, order="newest first", limit=None if self.rest else last)
        return list(islice(self._passing(log.rows(query)), last))[::-1]

    def all(self, log: Log) -> Iterator[Row]:
        """The rows one after the other, oldest first."""
        return self._passing(log.rows(self.query))

    def _passing(self, rows: Iterator[Row]) -> Iterator[Row]:
        if not self.rest:
            return rows
        return (row for row in rows if all(asked.holds(row[1].event) for asked in self.rest))


_SOURCE = (
    click.option(
        "--store",
        metavar="PATH",
        help=f"The event log to read. Without it ${STORE_VARIABLE}, or {DEFAULT_STORE}.",
    ),
    click.option("--from", "file", metavar="FILE", help="Read that file instead, as FILE does; `-`: standard input."),
    click.option("--since", metavar="TIME", help="Not what is older: 2h, yesterday, 08:15, 2026-11-21T08:15. UTC."),
    click.option("--until", metavar="TIME", help="Only what is older than that."),
)
_FILTERS = (
    click.option("--id", "ids", multiple=True, metavar="ID", help="Only these events, by number: 1, or 11,23,26."),
    click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only these events, by name: FileCreate."),
    click.option(
        "--where",
        "where",
        multiple=True,
        metavar="CONDITION",
        help="Only events that meet it: 'Image end with /curl', in the words of Sysmon's rules. Several: all of them.",
    ),
    click.option("--guid", "guids", multiple=True, metavar="GUID", help="Only events of the process with that guid."),
    click.option("--pid", "pids", multiple=True, type=int, metavar="PID", help="Only events of that process id."),
    click.option("--text", metavar="TEXT", default="", help="Only events in which that text stands anywhere."),
)


JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")


def reading_options(
    *, filters: bool = True, formats: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options that say where to read and what; they reach it as `Selection` takes them.

    `formats`: it has a `--format` of its own, so that one is not another name for that of the input.
    """

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        shape = input_format_alone if formats else input_format
        for option in reversed((*_SOURCE, shape, *(_FILTERS if filters else ()), JSON)):
            command = option(command)
        return command

    return add


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The options that the reading commands share, as they were given."""

    store: str | None = None
    file: str | None = None
    files: Sequence[str] = ()
    shape: str | None = None
    since: str | None = None
    until: str | None = None
    ids: Sequence[str] = ()
    tags: Sequence[str] = ()
    where: Sequence[str] = ()
    guids: Sequence[str] = ()
    pids: Sequence[int] = ()
    text: str = ""

    @property
    def bounded(self) -> bool:
        """Whether it says from when on."""
        return self.since is not None

    def wanted(self, any_of: Iterable[Condition] = ()) -> Wanted:
        """What these options ask for; with `any_of`, one of those must hold besides. MisuseError."""
        asked: Clauses = clauses(self.where, any_of=any_of)
        pids = [Condition(name, "is", str(pid)) for pid in self.pids for name in ("ProcessId", "SourceProcessId")]
        if pids and asked.any_of:
            raise MisuseError("--pid cannot be combined with this", hint="use --where 'ProcessId is ...' instead")
        now = datetime.now(UTC)
        query = Query(
            ids=frozenset(_ids(self.ids)) | frozenset(_ids_of_tags(self.tags)),
            conditions=tuple(asked.conditions),
            any_of=tuple(asked.any_of or pids),
            since=moment(self.since, now) if self.since is not None else None,
            until=moment(self.until, now) if self.until is not None else None,
            processes=frozenset(guid(text) for text in self.guids),
            text=self.text,
        )
        return Wanted(query, tuple(asked.rest))

    @contextmanager
    def log(self, *, often: bool = False) -> Iterator[Log]:
        """Open what is to be read, and close it; what of a file is no event is told at the end.

        `often`: it will be asked many times. Files of others are then copied into a store that is thrown away after.
        """
        names = [*self.files, *([] if self.file is None else [self.file])]
        if names and self.store is not None:
            raise MisuseError("files and --store exclude each other")
        if not names:
            with Store(_store(self.store)) as store:
                yield store
            return
        read = _opened(names, self.shape, often)
        try:
            yield read
        finally:
            read.close()
            read.tell()


def _opened(names: Sequence[str], form: str | None, often: bool) -> FileLog | SourceLog:
    """One file of our own JSON lines is read where it lies, also while it grows; anything else as sources are."""
    if len(names) == 1 and form in (None, OWN) and has_own_lines(names[0]):
        return FileLog(names[0])
    return SourceLog(names, form, often=often)


def guid(text: str) -> str:
    """A guid as the log writes it; MisuseError if the text is none."""
    found = _GUID.fullmatch(text.strip())
    if not found:
        raise MisuseError(f"{text!r} is no guid (expected {{8-4-4-4-12}} hex digits)")
    return f"{{{found[1].lower()}}}"


def is_guid(text: str) -> bool:
    """Whether the text is a guid."""
    return _GUID.fullmatch(text.strip()) is not None


def _store(named: str | None) -> Path:
    if named == "":
        raise MisuseError("the event log has an empty name", hint=f"without --store it is {DEFAULT_STORE}")
    path = Path(named or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE)
    if path.is_dir():
        raise MisuseError(
            f"{path} is a folder", hint="an event log is a file; logs of others are named without --store"
        )
    return path


def names_file(text: str) -> bool:
    """Whether an argument is a file and no process: it is no number and no guid, and there is such a file."""
    if not text or (text.isascii() and text.isdigit()) or is_guid(text):
        return False
    return text == STDIN or has_magic(text) or Path(text).exists()


def enough(last: int | None, everything: bool, selection: Selection) -> int | None:
    """How many entries to show: as many as were asked for, all of a time that was named, else the last few."""
    if last is not None and everything:
        raise MisuseError("--last and --all exclude each other")
    if last is not None:
        return last
    return None if everything or selection.bounded else _ENOUGH


def _ids(texts: Iterable[str]) -> Iterator[int]:
    for part in (part.strip() for text in texts for part in text.split(",")):
        if not part.isascii() or not part.isdigit() or int(part) not in EVENTS:
            known = f"{', '.join(str(i) for i in sorted(EVENTS))}"
            raise MisuseError(f"there is no event {part!r}", hint=f"known: {known}")
        yield int(part)


def _ids_of_tags(texts: Iterable[str]) -> Iterator[int]:
    names: dict[str, tuple[EventType, ...]] = {made.cls.__name__.lower(): (made,) for made in EVENTS.values()}
    names.update({tag.lower(): by_tag(tag) for tag in TAGS})
    for text in (part.strip() for given in texts for part in given.split(",")):
        found = names.get(text.lower())
        if found is None:
            known = [*TAGS, *(made.cls.__name__ for made in EVENTS.values())]
            close = nearest(text, known)
            hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(dict.fromkeys(known))}"
            raise MisuseError(f"there is no event {text!r}", hint=hint)
        yield from (made.id for made in found)
