"""What it costs the thread that judges to hand entries to four outputs, and what the disk takes when one is away.

    python -m bench.fanout [ENTRIES]

`put` is called with batches as they come: of 5 entries when little happens, of 200 and 2,000 when much does. The four
outputs take everything and do nothing, are away and spill, or are real: event log, file, syslog, followers. Medians.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench.machine import description
from bench.parts.day import Day
from bench.parts.table import table

from pysmon.errors import SinkError
from pysmon.formats.table import FORMATS
from pysmon.pipeline.fanout import Fanout, LaneLimits, weigh
from pysmon.pipeline.spill import Spill
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.file import FileSink
from pysmon.sinks.follow import FollowSink
from pysmon.sinks.sink import Sink
from pysmon.sinks.store import StoreSink
from pysmon.sinks.syslog import SyslogSink, Target

ENTRIES, ROUNDS, LANES = 100_000, 3, 4
ROOMY = LaneLimits(entries=10_000_000, bytes=8 << 30, spill=4 << 30)


class Idle:
    """Takes everything at once."""

    def __init__(self, name: str, *, away: bool = False) -> None:
        """`away`: takes nothing."""
        self.name, self._away = name, away

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Take them, or not."""
        if self._away and entries:
            raise SinkError("away")

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    sys.stdout.write(f"{description()}\n\n")
    entries = list(Day().entries(count))
    rows = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        place = Path(folder)
        for what, make in _CASES.items():
            for size in (5, 200, 2000):
                found = [_put(entries, size, make, place / f"{what}-{size}-{n}") for n in range(ROUNDS)]
                cpu, wall, slowest = (median(column) for column in zip(*found, strict=True))
                rows.append((what, f"{size:,}", f"{cpu:.2f}", f"{wall:.2f}", f"{slowest:.1f}"))
        columns = ["batch", "CPU us/entry", "wall us/entry", "slowest put ms"]
        table(f"put to {LANES} outputs that", columns, rows)
        _spill(entries, place / "spill")
    began = time.perf_counter()
    weigh(entries)
    table("of this", ["us/entry"], [("weighing, once for all", f"{(time.perf_counter() - began) / count * 1e6:.2f}")])


def _idle(_: Path) -> list[Sink]:
    return [Idle(str(n)) for n in range(LANES)]


def _away(_: Path) -> list[Sink]:
    return [Idle(str(n), away=True) for n in range(LANES)]


def _real(folder: Path) -> list[Sink]:
    _drain(folder / "log")
    json, xml = FORMATS["json"].render, FORMATS["xml"].render
    followed = FollowSink(folder / "events.sock")
    _follow(folder / "events.sock")
    return [
        StoreSink(folder / "events.db"),
        FileSink(folder / "events.json", json),
        SyslogSink(Target("unix", path=str(folder / "log")), xml),
        followed,
    ]


_CASES: dict[str, Callable[[Path], list[Sink]]] = {"do nothing": _idle, "are away and spill": _away, "are real": _real}


def _put(entries: list[Entry[Event]], size: int, make: Callable[[Path], list[Sink]], folder: Path) -> tuple[float, ...]:
    folder.mkdir()
    fanout = Fanout([(sink, ROOMY) for sink in make(folder)], folder / "spill")
    batches = [entries[first : first + size] for first in range(0, len(entries), size)]
    wall = cpu = slowest = 0.0
    for batch in batches:
        began, began_cpu = time.perf_counter(), time.thread_time()
        fanout.put(batch)
        took = time.perf_counter() - began
        wall, cpu, slowest = wall + took, cpu + time.thread_time() - began_cpu, max(slowest, took)
    fanout.close(600.0)
    return cpu / len(entries) * 1e6, wall / len(entries) * 1e6, slowest * 1e3


def _spill(entries: list[Entry[Event]], folder: Path) -> None:
    spill = Spill(folder, 4 << 30)
    began = time.perf_counter()
    for first in range(0, len(entries), 200):
        spill.append(entries[first : first + 200])
    wrote = time.perf_counter() - began
    size, began = spill.bytes, time.perf_counter()
    while spill.entries:
        spill.delivered(len(spill.read(2000)[0]))
    read = time.perf_counter() - began
    spill.close()
    count = len(entries)
    row = (f"{wrote / count * 1e6:.1f}", f"{read / count * 1e6:.1f}", f"{size / count:.0f}")
    table("the disk", ["writing us/entry", "reading us/entry", "bytes/entry"], [("one output", *row)])


def _drain(path: Path) -> None:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(path))

    def take() -> None:
        while True:
            made.recv(1 << 17)

    threading.Thread(target=take, daemon=True).start()


def _follow(path: Path) -> None:
    follower = socket.socket(socket.AF_UNIX)
    follower.connect(str(path))

    def take() -> None:
        while follower.recv(1 << 20):
            continue

    threading.Thread(target=take, daemon=True).start()


if __name__ == "__main__":
    main()
