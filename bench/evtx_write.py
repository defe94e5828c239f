"""How fast event log files of Windows are written, and how large they become: entries a second, bytes an entry.

    python -m bench.evtx_write [ENTRIES]

Two kinds of entries: a made-up day of a Linux machine (bench/parts/day.py), and one of a Windows machine in the shares
that logs have (bench/evtx_read.py). Batches of 200 are what a busy sensor brings; of 5, what a calm one does: each
batch is in the file when the call returns. Nobody else writes typed EVTX, so there is no peer.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.evtx_read import made_up
from bench.machine import description
from bench.parts.day import Day
from bench.parts.table import table

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.evtx import EvtxFileSink

ENTRIES, ROUNDS, AIM = 100_000, 3, 40_000


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    sys.stdout.write(f"{description()}\n\n")
    rows = []
    for name, entries in (("Linux", list(Day().entries(count))), ("Windows", list(made_up(count)))):
        for batch in (5, 200, count):
            cpu, size = _written(entries, batch)
            figures = (f"{count / cpu:,.0f}", f"{cpu / count * 1e6:.1f}", f"{size / count:.0f}")
            rows.append((f"{name}, batches of {batch:,}", *figures))
    table("writing EVTX", ["entries/s", "CPU us/entry", "bytes/entry"], rows)
    sys.stdout.write(f"The aim: {AIM:,} entries/s in batches of 200.\n")


def _written(entries: Sequence[Entry[Event]], batch: int) -> tuple[float, int]:
    times = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log.evtx"
            sink = EvtxFileSink(path)
            began = time.process_time()
            for at in range(0, len(entries), batch):
                sink.write(entries[at : at + batch])
            times.append(time.process_time() - began)
            sink.close()
            size = path.stat().st_size
    return median(times), size


if __name__ == "__main__":
    main()
