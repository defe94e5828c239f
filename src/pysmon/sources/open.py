"""Opens logs of others: finds the files, finds out which shape each has, and gives them as sources."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pysmon.errors import MisuseError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.schema.lookup import nearest
from pysmon.sources.evtx import fits_evtx, read_evtx
from pysmon.sources.evtx_dump import evtx_dump
from pysmon.sources.evtxecmd import evtxecmd, read_csv
from pysmon.sources.flat import flat
from pysmon.sources.flat_rows import read_flat
from pysmon.sources.get_winevent import get_winevent
from pysmon.sources.json_rows import LONGEST
from pysmon.sources.own import fits_own, fits_store, read_own, read_store
from pysmon.sources.shape import Sample, Shape, json_shape
from pysmon.sources.source import Source, SourceError, Taken, Tally, Wanted
from pysmon.sources.splunk import fits_keyed, read_keyed, splunk
from pysmon.sources.streams import SAMPLE, STDIN, Bytes, bytes_of
from pysmon.sources.velociraptor import velociraptor
from pysmon.sources.wazuh import wazuh
from pysmon.sources.windows_xml import has_event, read_xml
from pysmon.sources.winlogbeat import winlogbeat


def _has_linux_events(sample: Sample) -> bool:
    return "Linux-Sysmon" in sample.text and has_event(sample.text)


def _nothing(source: Bytes, tally: Tally, _wanted: Wanted) -> Iterator[Taken]:
    if source.trouble:
        tally.damage("all of it", source.trouble)
    return iter(())


_SHAPES = (  # the first that fits is taken
    Shape("evtx", "event log files of Windows (.evtx)", fits_evtx, read_evtx),
    Shape("store", "the event log of pysmon", fits_store, read_store),
    Shape("pysmon", "JSON lines of pysmon", fits_own, read_own),
    json_shape("splunk", "JSON export of Splunk, with the event in _raw", splunk),
    json_shape("winlogbeat", "JSON of winlogbeat and Elastic", winlogbeat),
    json_shape("wazuh", "JSON of Wazuh", wazuh),
    json_shape("evtx_dump", "JSON of evtx_dump", evtx_dump),
    json_shape("velociraptor", "JSON of Velociraptor", velociraptor),
    json_shape("get-winevent", "JSON of Get-WinEvent, by ConvertTo-Json", get_winevent),
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
    Shape("splunk-classic", "key=value lines of Splunk", fits_keyed, read_keyed),
)
_BEFORE_JSON = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"  # marks of encodings and blanks
SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in _SHAPES}
_EMPTY = Shape("empty", "a file without a byte", lambda sample: not sample.head, _nothing)
_UNREADABLE = Shape("unreadable", "what cannot be read", lambda _: False, _nothing)


def open_sources(paths: Sequence[Path | str], form: str | None = None) -> Iterator[Source]:
    """The logs of these files, one after the other: each file once, a folder with all below it, `*` as in a shell.

    `-` is standard input. A file in a folder that is in no shape that is known is left out. What cannot be read is
    a log with nothing in it but damage, if anything else can be read; else SourceError or OSError says why not.
    `form` forces the shape. MisuseError if there is none such, SourceError if a file is not there: both at once,
    before anything is read.
    """
    if form is not None and form not in SHAPES:
        close = nearest(form, SHAPES)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(SHAPES)}"
        raise MisuseError(f"there is no shape of logs {form!r}", hint=hint)
    if [str(given) for given in paths].count(STDIN) > 1:
        raise MisuseError("standard input (-) can be read only once")
    for given in paths:
        _must_exist(given)
    return _opened(paths, form)


class _Refused(NamedTuple):
    """What keeps something from being read, and the name of it."""

    name: str
    error: OSError | SourceError

    @classmethod
    def by(cls, error: OSError | SourceError, name: str) -> _Refused:
        """An error of the system knows its file if the opening fails, but not if the reading does."""
        return cls(name, OSError(error.errno, error.strerror, name) if isinstance(error, OSError) else error)

    def as_log(self) -> Log:
        words = self.error.strerror if isinstance(self.error, OSError) else None
        why = (words or str(self.error)).removeprefix(f"{self.name}: ")
        return Log(Bytes(self.name, Path(self.name), trouble=why), _UNREADABLE)


def _opened(paths: Sequence[Path | str], form: str | None) -> Iterator[Source]:
    refused: list[_Refused] = []  # held back until there is something that can be read
    anything, seen = False, set[str]()
    for path, named in (file for given in paths for file in _files(given)):
        real = "" if isinstance(path, _Refused) else os.path.realpath(path)
        if real in seen:
            continue
        seen.update([real] if real else [])
        for log in [path] if isinstance(path, _Refused) else _logs(path, form, named):
            if isinstance(log, _Refused):
                refused.append(log)
                continue
            anything = True
            yield from (held.as_log() for held in refused)
            refused.clear()
            yield log
    if anything:
        yield from (held.as_log() for held in refused)
    elif refused:
        raise refused[0].error
    else:
        raise SourceError(f"{', '.join(map(str, paths))}: no logs in it", hint=_known())


def _must_exist(given: Path | str) -> None:
    if str(given) == STDIN or glob.has_magic(str(given)):
        return
    if not str(given):
        raise SourceError("a log has an empty name", hint="`-` is standard input")
    try:
        os.lstat(given)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a zero in the name
        raise SourceError(f"{given}: {os.strerror(errno.ENOENT)}") from error


def _logs(path: Path | str, form: str | None, named: bool) -> Iterator[Log | _Refused]:
    """The logs of a file, or what keeps them from being read. One of no known shape is told only if it was named."""
    try:
        streams = list(bytes_of(path))
    except (OSError, SourceError) as error:
        yield _Refused.by(error, str(path))
        return
    for stream in streams:
        try:
            head = stream.beginning()
            shape = _EMPTY if not head else SHAPES[form] if form is not None else _shape_of(stream, head)
        except (OSError, SourceError) as error:
            yield _Refused.by(error, stream.name)
            continue
        if shape is not None and (shape is not _EMPTY or named):
            yield Log(stream, shape)
        elif named and len(streams) == 1:
            hint = "that is a configuration" if b"<Sysmon" in head else _known()
            unknown = SourceError(f"{stream.name}: in no shape of logs that is known", hint=hint)
            yield _Refused(stream.name, unknown)


def _known() -> str:
    return f"name the shape if it has one of these: {', '.join(SHAPES)}"


def shape_of(stream: Bytes) -> Shape | None:
    """The shape of a stream by what it begins with; None if it is none that is known."""
    return shape_of_head(stream.sample())


def _shape_of(stream: Bytes, head: bytes) -> Shape | None:
    """The same; of JSON whose first object is not whole in the usual sample, a larger one is looked at."""
    found = shape_of_head(head)
    if found is None and len(head) >= SAMPLE and head.lstrip(_BEFORE_JSON)[:1] in (b"{", b"["):
        return shape_of_head(stream.beginning(LONGEST))
    return found


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


def shape_named(name: str) -> Shape:
    """The shape that a log says it has."""
    return {_EMPTY.name: _EMPTY, _UNREADABLE.name: _UNREADABLE}.get(name) or SHAPES[name]


def _files(given: Path | str) -> Iterator[tuple[Path | str | _Refused, bool]]:
    """The files, and whether each was named by itself; instead of a folder that cannot be read, the reason."""
    if str(given) == STDIN:
        yield STDIN, True
    elif Path(given).is_dir():
        yield from ((path, False) for path in _below(Path(given)))
    elif os.path.lexists(given) or not glob.has_magic(str(given)):
        yield Path(given), True
    else:
        found = [Path(name) for name in sorted(glob.glob(str(given), recursive=True)) if not Path(name).is_dir()]
        if not found:
            raise SourceError(f"{given}: {os.strerror(errno.ENOENT)}", hint="a pattern that no file's name fits")
        yield from ((path, False) for path in found)


def _below(folder: Path) -> Iterator[Path | _Refused]:
    refused: list[OSError] = []
    for top, folders, names in os.walk(folder, onerror=refused.append):
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(top, name)).is_file())
    yield from (_Refused(error.filename or str(folder), error) for error in refused)
