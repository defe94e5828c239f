"""One of every sink, with a way to read what came out: what the contract is tested on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pysmon.formats.table import FORMATS
from pysmon.sinks.console import terminal_text
from pysmon.sinks.file import FileSink
from pysmon.sinks.sink import Sink
from pysmon.sinks.stream import StreamSink


@dataclass(frozen=True)
class Outlet:
    """A sink and its output so far."""

    sink: Sink
    read: Callable[[], bytes]


def file_outlet(folder: Path) -> Outlet:
    path = folder / "events.json"
    return Outlet(FileSink(path, FORMATS["json"].render), path.read_bytes)


def rotating_outlet(folder: Path) -> Outlet:
    path = folder / "events.xml"
    sink = FileSink(path, FORMATS["xml"].render, rotate=100_000, keep=9)

    def read() -> bytes:
        older = sorted(folder.glob("events.xml.*"), reverse=True)
        return b"".join(p.read_bytes() for p in (*older, path) if p.exists())

    return Outlet(sink, read)


def stream_outlet(folder: Path) -> Outlet:
    path = folder / "stream"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return Outlet(StreamSink(fd, "standard output", FORMATS["text"].render), path.read_bytes)


def terminal_outlet(folder: Path) -> Outlet:
    path = folder / "terminal"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return Outlet(StreamSink(fd, "standard error", terminal_text(lambda: 80, colour=True)), path.read_bytes)


OUTLETS: dict[str, Callable[[Path], Outlet]] = {
    "file": file_outlet,
    "rotating file": rotating_outlet,
    "stream": stream_outlet,
    "terminal": terminal_outlet,
}
FULL = Path("/dev/full")  # a device on which every write finds the disk full
