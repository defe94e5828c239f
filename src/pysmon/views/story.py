"""What processes did, in order and in words, indented by descent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pysmon.formats.describe import Piece
from pysmon.formats.visible import visible
from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.views.lineage import Process
from pysmon.views.sentences import NONE, actor, predicate, subject
from pysmon.views.words import Line, clock, day, lifetime, named, span

_STEP = "  "
_DEEPEST = 12  # levels that are indented; what is deeper stands as far to the right as those
_HANG = len("08:15:02.123 ") + 4


def story(entries: Iterable[Entry[Event]], depths: Mapping[str, int], lineage: Mapping[str, Process]) -> Iterator[Line]:
    """The lines of these entries, which are in the order of time.

    `depths` and `lineage` tell of a ProcessGuid how far to indent it and what process it is of; both must know every
    process that acts.
    """
    today = ""
    begun: set[int] = set()  # processes that were told to begin, by identity
    for entry in entries:
        event = entry.event
        guid, _, _ = actor(event)
        process = lineage.get(guid)
        depth = min(depths.get(guid, 0), _DEEPEST)
        if isinstance(event, ProcessCreate) and process is not None:
            again = id(process) in begun
            begun.add(id(process))
            words = _became(process, event) if again else _began(event, depth)
            depth = depth if again else max(depth - 1, 0)
        else:
            words = sentence(event, process)
        time = event.text("UtcTime")
        if day(time) != today:
            today = day(time)
            yield Line([Piece(today, "time")])
        indent = _STEP * depth
        yield Line([Piece(f"{clock(time)} ", "time"), Piece(indent, "quiet"), *words], _HANG + len(indent))


def sentence(event: Event, process: Process | None = None) -> list[Piece]:
    """One event in words: `curl (4711) created /tmp/x`."""
    other = subject(event)
    if other is not None:
        words = [Piece(other, "name")]
    else:
        _, pid, image = actor(event)
        words = _named(image if image != NONE or process is None else process.image, pid)
    words += (Piece(" ", "quiet"), *predicate(event))
    if isinstance(event, ProcessTerminate) and process is not None:
        lived = lifetime(process)
        if lived is not None:
            words.append(Piece(f" after {span(lived)}", "quiet"))
    return words


def _began(event: ProcessCreate, depth: int) -> list[Piece]:
    if event.ParentImage == NONE and not depth:
        words = [*_named(event.Image, str(event.ProcessId), event.User), Piece(" began", "value")]
    else:
        words = _named(event.ParentImage, str(event.ParentProcessId), event.ParentUser)
        words.append(Piece(" ran ", "value"))
        words += _named(event.Image, str(event.ProcessId), event.User if event.User != event.ParentUser else NONE)
    return words + _command(event)


def _became(process: Process, event: ProcessCreate) -> list[Piece]:
    guids = [entry.event.text("ProcessGuid") for entry in process.programs]
    at = guids.index(event.ProcessGuid) if event.ProcessGuid in guids else 0
    before = process.programs[max(at - 1, 0)].event
    words = _named(before.text("Image"), str(event.ProcessId))
    return [*words, Piece(" became ", "value"), Piece(named(event.Image), "name"), *_command(event)]


def _command(event: ProcessCreate) -> list[Piece]:
    words: list[Piece] = []
    if event.CurrentDirectory != NONE:
        words += (Piece(" in ", "value"), Piece(visible(event.CurrentDirectory), "path"))
    return [*words, Piece(": ", "value"), Piece(visible(event.CommandLine), "command")]


def _named(image: str, pid: str, user: str = NONE) -> list[Piece]:
    words = [Piece(named(image), "name"), Piece(f" ({visible(pid)}", "id")]
    if user != NONE:
        words += (Piece(", ", "id"), Piece(visible(user), "user"))
    return [*words, Piece(")", "id")]
