"""Where commands put the entries that they chose: a file in any output format, an event log, standard output."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from pysmon.cli.deliver import must_have_a_name
from pysmon.errors import MisuseError, SinkError
from pysmon.formats.table import FORMATS
from pysmon.formats.visible import visible
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sinks.file import FileSink
from pysmon.sinks.sink import Remarks, Sink
from pysmon.sinks.store import StoreSink
from pysmon.sinks.stream import StreamSink
from pysmon.store.classes import Limits

_EVTX = "evtx"
_BY_SUFFIX = {".evtx": _EVTX, ".xml": "xml", ".txt": "text", ".log": "text"}
_USUAL = "json"
_STDOUT = "-"
_OF_GROWING = re.compile(r"(?:, or|;) bound .*")  # in a hint: for logs that go on and on
_UNBOUNDED = Limits(total=1 << 60)


def output_forms() -> list[str]:
    """The names of the formats."""
    return [*FORMATS, _EVTX]


class Output:
    """Sinks that all get the same."""

    def __init__(self, sinks: Sequence[Sink], renamed: tuple[str, str] = ("", "")) -> None:
        """They are open. `renamed` is the name of a file for now, and the one that the user knows."""
        self._sinks = sinks
        self._renamed = renamed

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Write entries. SinkError."""
        for sink in self._sinks:
            sink.write(entries)

    def close(self) -> None:
        """Close all in good order, and tell what was done to entries. SinkError."""
        for sink in self._sinks:
            sink.flush()
            sink.close()
            if isinstance(sink, Remarks):
                for remark in sink.remarks():
                    click.echo(f"pysmon: {visible(self.in_words_of_the_user(remark))}", err=True)

    def in_words_of_the_user(self, text: str) -> str:
        """A text about the file, with the name that he knows."""
        now, then = self._renamed
        return text.replace(now, then) if now else text


@contextmanager
def output_to(to: str | None, form: str | None, store: str | None) -> Iterator[Output | None]:
    """What is written to the file `to` and the event log `store`; None if there is neither.

    A file keeps its old content until the new one is written whole.
    """
    if form is not None and to is None:
        raise MisuseError("--format says how -o writes", hint="name a file: -o FILE")
    if to is None and store is None:
        yield None
        return
    for name in (to, store):
        if name is not None:
            must_have_a_name(name)
    sinks: list[Sink] = [StoreSink(Path(store), _UNBOUNDED)] if store is not None else []
    if to is None:
        yield from _closing(Output(sinks))
        return
    chosen = form or _BY_SUFFIX.get(Path(to).suffix.lower(), _USUAL)
    if to == _STDOUT:
        if chosen == _EVTX:
            raise MisuseError("EVTX cannot be written to standard output", hint="-o FILE.evtx")
        sinks.append(StreamSink(sys.stdout.fileno(), "standard output", FORMATS[chosen].render))
        yield from _closing(Output(sinks))
        return
    path = Path(to)
    if path.exists() and not path.is_file():  # a device, a pipe
        sinks.append(_file(path, chosen))
        yield from _closing(Output(sinks))
        return
    target = path.resolve()
    try:
        beside = tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise OSError(error.errno, error.strerror, to) from error  # the user knows the name of his file
    with beside as folder:
        part = Path(folder, target.name)
        output = Output(sinks, (str(part), to))
        try:
            sinks.append(_file(part, chosen))
            yield from _closing(output)
        except SinkError as error:
            raise SinkError(output.in_words_of_the_user(str(error)), hint=_OF_GROWING.sub("", error.hint)) from error
        if target.exists():
            with suppress(OSError):
                part.chmod(target.stat().st_mode & 0o7777)
        os.replace(part, target)


def same_file(one: Path, other: str) -> bool:
    """Whether both names lead to one file."""
    with suppress(OSError):
        return one.samefile(other)
    return False


def _file(path: Path, form: str) -> Sink:
    return EvtxFileSink(path) if form == _EVTX else FileSink(path, FORMATS[form].render)


def _closing(output: Output) -> Iterator[Output]:
    try:
        yield output
    except BaseException:
        with suppress(SinkError):
            output.close()
        raise
    output.close()
