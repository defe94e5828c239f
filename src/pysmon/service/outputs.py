"""The outputs that the settings ask for, opened as soon as that is possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pysmon.errors import MisuseError, SinkError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.service.settings import Output, Settings
from pysmon.sinks.kinds import OUTPUTS, OutputKind
from pysmon.sinks.sink import Changing, Makes, Remarks, Reopens, Sink, WriteError, unwatched
from pysmon.sinks.store import StoreSink


class LateSink:
    """A sink that could not be opened yet: it is tried anew at each use, and entries are refused meanwhile."""

    def __init__(self, name: str, make: Callable[[], Sink]) -> None:
        """`make` opens it; SinkError if that still cannot be."""
        self.name = name
        self._make = make
        self._sink: Sink | None = None
        self._closed = False

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Open it if need be, and write."""
        try:
            sink = self._opened()
        except SinkError as error:
            raise WriteError(str(error), written=0, hint=error.hint) from error
        sink.write(entries)

    def flush(self) -> None:
        """Open it if need be, and flush."""
        if not self._closed:
            self._opened().flush()

    def reopen(self) -> None:
        """Open its file anew."""
        if isinstance(self._sink, Reopens):
            self._sink.reopen()

    @property
    def opened(self) -> Sink | None:
        """The sink itself, once it could be opened."""
        return self._sink

    def remarks(self) -> list[str]:
        """What happened to entries on their way."""
        return self._sink.remarks() if isinstance(self._sink, Remarks) else []

    def close(self) -> None:
        """Close it, if it ever was open."""
        self._closed = True
        if self._sink is not None:
            self._sink.close()

    def _opened(self) -> Sink:
        if self._closed:
            raise SinkError(f"{self.name} is closed")
        if self._sink is None:
            self._sink = self._make()
        return self._sink


def open_outputs(settings: Settings, changing: Changing = unwatched) -> list[Sink]:
    """All of them. MisuseError if one of them is asked for what cannot be; one that is in trouble may come later.

    `changing` is entered whenever one of them makes its file or moves it.
    """
    return [_opened(output, changing) for output in settings.outputs]


def event_log(sinks: Sequence[Sink]) -> StoreSink | None:
    """The event log among them, if it could be opened."""
    opened = (sink.opened if isinstance(sink, LateSink) else sink for sink in sinks)
    return next((sink for sink in opened if isinstance(sink, StoreSink)), None)


def last_number(settings: Settings, sinks: Sequence[Sink]) -> int | None:
    """The number of the last entry in the event log, 0 if none is asked for; None if it cannot be told."""
    if log_path(settings) is None:
        return 0
    log = event_log(sinks)
    return log.last_record_id if log and log.is_open and not log.damaged else None


def log_path(settings: Settings) -> Path | None:
    """Where the event log is."""
    found = next((output for output in settings.outputs if output.type == "store"), None)
    return Path(str(found.options["path"])) if found else None


def check_outputs(settings: Settings) -> None:
    """Look at what is asked for without opening anything; MisuseError if one is of no known type or an option wrong."""
    for output in settings.outputs:
        _kind_of(output).read(output.options)


def _kind_of(output: Output) -> OutputKind:
    kind = OUTPUTS.get(output.type)
    if kind is None:
        raise MisuseError(f"there is no type of output called {output.type!r}", hint=f"known: {', '.join(OUTPUTS)}")
    return kind


def _opened(output: Output, changing: Changing) -> Sink:
    kind = _kind_of(output)
    place = Path(str(kind.read(output.options).values.get("path", "")))

    def make() -> Sink:
        with changing(place):
            made = kind.make(output.options)
        if isinstance(made, Makes):
            made.changing = changing
        return made

    try:
        return make()
    except SinkError:
        named = output.options.get("path") or output.options.get("address") or ""
        return LateSink(f"{output.type} {named}".strip(), make)
