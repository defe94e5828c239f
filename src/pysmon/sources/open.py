"""Opens logs of others: finds the files, finds out which shape each has, and gives them as sources."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pysmon.errors import MisuseError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.schema.lookup import nearest
from pysmon.sources.evtx import fits_evtx, read_evtx
from pysmon.sources.evtx_dump import evtx_dump
from pysmon.sources.evtxecmd import evtxecmd, read_csv
from pysmon.sources.flat import flat
from pysmon.sources.flat_rows import read_flat
from pysmon.sources.own import fits_own, fits_store, read_own, read_store
from pysmon.sources.shape import Sample, Shape, json_shape
from pysmon.sources.source import Source, SourceError, Taken, Tally, Wanted
from pysmon.sources.splunk import read_keyed, splunk
from pysmon.sources.streams import STDIN, Bytes, bytes_of
from pysmon.sources.velociraptor import velociraptor
from pysmon.sources.wazuh import wazuh
from pysmon.sources.windows_xml import has_event, read_xml
from pysmon.sources.winlogbeat import winlogbeat


def _has_linux_events(sample: Sample) -> bool:
    return "Linux-Sysmon" in sample.text and has_event(sample.text)


_SHAPES = (  # the first that fits is taken
    Shape("evtx", "event log files of Windows (.evtx)", fits_evtx, read_evtx),
    Shape("store", "the event log of pysmon", fits_store, read_store),
    Shape("pysmon", "JSON lines of pysmon", fits_own, read_own),
    json_shape("splunk", "JSON export of Splunk, with the event in _raw", splunk),
    json_shape("winlogbeat", "JSON of winlogbeat and Elastic", winlogbeat),
    json_shape("wazuh", "JSON of Wazuh", wazuh),
    json_shape("evtx_dump", "JSON of evtx_dump", evtx_dump),
    json_shape("velociraptor", "JSON of Velociraptor", velociraptor),
    json_shape("evtxecmd", "JSON of EvtxECmd", evtxecmd),
    replace(json_shape("nxlog", "flat JSON of NXLog, Mordor, Security-Datasets", flat), read=read_flat),
    Shape("evtxecmd-csv", "CSV of EvtxECmd", lambda sample: "Payload" in sample.text.partition("\n")[0], read_csv),
    Shape("linux", "lines of Sysmon for Linux in a syslog", _has_linux_events, read_xml),
    Shape(
        "xml",
        "event XML of Windows: wevtutil, Get-WinEvent, Event Viewer",
        lambda sample: has_event(sample.text),
        read_xml,
    ),
    Shape("splunk-classic", "key=value lines of Splunk", lambda sample: "LogName=" in sample.text, read_keyed),
)
SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in _SHAPES}


def open_sources(paths: Sequence[Path | str], form: str | None = None) -> Iterator[Source]:
    """The logs of these files, one after the other: each file once, a folder with all below it, `*` as in a shell.

    `-` is standard input. A file in a folder that is in no shape that is known is left out; one that was named is a
    SourceError. `form` forces the shape; MisuseError if there is none such. OSError if a file cannot be read.
    """
    if form is not None and form not in SHAPES:
        close = nearest(form, SHAPES)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(SHAPES)}"
        raise MisuseError(f"there is no shape of logs {form!r}", hint=hint)
    for given in paths:
        found = False
        for path, named in _files(given):
            for log in _logs(path, form, named):
                found = True
                yield log
        if not found:
            raise SourceError(f"{given}: no logs in it", hint=_known())


def _logs(path: Path | str, form: str | None, named: bool) -> Iterator[Log]:
    try:
        streams = list(bytes_of(path))
    except SourceError:
        if named:
            raise
        return
    for stream in streams:
        shape = SHAPES[form] if form is not None else shape_of(stream)
        if shape is not None:
            yield Log(stream, shape)
        elif named and len(streams) == 1:
            raise SourceError(f"{stream.name}: in no shape of logs that is known", hint=_known())


def _known() -> str:
    return f"name the shape if it has one of these: {', '.join(SHAPES)}"


def shape_of(stream: Bytes) -> Shape | None:
    """The shape of a stream by what it begins with; None if it is none that is known."""
    return shape_of_head(stream.sample())


def shape_of_head(head: bytes) -> Shape | None:
    """The same by the first bytes, which are not packed."""
    sample = Sample(head)
    return next((shape for shape in _SHAPES if shape.fits(sample)), None)


class Log:
    """A stream in a shape, as a source."""

    def __init__(self, stream: Bytes, shape: Shape) -> None:
        """Nothing is read yet."""
        self.name = stream.name
        self.form = shape.name
        self.tally = Tally()
        self.stream = stream
        self._shape = shape

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.stream.size

    @property
    def done(self) -> int:
        """Bytes of the file that were read so far."""
        return self.stream.done

    def entries(self) -> Iterator[Entry[Event]]:
        """The entries in the order of the log."""
        return (make() for _, _, make in self.rows({}))

    def rows(self, wanted: Wanted) -> Iterator[Taken]:
        """Of each event its id, the values of the fields that are wanted of it, and what makes an entry of it."""
        self.tally = Tally()
        return self._shape.read(self.stream, self.tally, wanted)


def _files(given: Path | str) -> Iterator[tuple[Path | str, bool]]:
    """The files, and whether each was named by itself."""
    if str(given) == STDIN:
        yield STDIN, True
    elif Path(given).is_dir():
        yield from ((path, False) for path in _below(Path(given)))
    elif Path(given).exists() or not glob.has_magic(str(given)):
        yield Path(given), True
    else:
        found = [Path(name) for name in sorted(glob.glob(str(given), recursive=True)) if not Path(name).is_dir()]
        if not found:
            raise SourceError(f"{given}: no such file", hint="a pattern that no file's name fits")
        yield from ((path, False) for path in found)


def _below(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(top, name)).is_file())
