"""Every event of Sysmon in the real logs is written as EVTX and read by three readers of others: `make judge-evtx`.

    python -m tests.formats.judge_evtx [--jobs N] [--log PATTERN...] [READER...]

Nearly all of its time is that of python-evtx, 4 to 10 ms of processor time for an event, so it reads chunk by chunk in
`--jobs` processes. Name `evtx libevtx` for a minute or two, or some logs: `--log 'otrf-psh*'`. At the end of all logs
stands a file of half a million events. The exit status is 1 if a reader shows anything else than what was written.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from tests.conftest import SHARED
from tests.formats.entries import any_event, entry
from tests.formats.evtx_readers import READERS, Seen, by_python_evtx_in_processes, shown_by
from tests.formats.evtx_written import expected

from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sources.open import open_sources

MANY = 500_000
Reader = Callable[[Path], Iterator[Seen]]
_FAST = ("evtx", "libevtx")


def main() -> int:
    """Judge, and print a line for each log."""
    parser = argparse.ArgumentParser(description="Write real events as EVTX and let readers of others read them.")
    parser.add_argument("readers", nargs="*", metavar="READER", help=", ".join(READERS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes of python-evtx")
    parser.add_argument("--log", nargs="+", default=(), metavar="PATTERN", help="only these logs")
    said = parser.parse_args()
    readers: dict[str, Reader] = {**READERS, "python-evtx": partial(by_python_evtx_in_processes, jobs=said.jobs)}
    readers = {name: readers[name] for name in said.readers or readers}
    logs = [path for pattern in ("data/evtx/*", "data/json/*") for path in sorted(SHARED.glob(pattern))]
    logs = [path for path in logs if not said.log or any(path.match(pattern) for pattern in said.log)]
    total = wrong = 0
    many = 0 if said.log else MANY
    with tempfile.TemporaryDirectory() as folder:
        for path in logs:
            entries = [found for source in open_sources([path]) for found in source.entries()]
            wrong += _judge(path.name, Path(folder) / "log.evtx", entries, readers)
            total += len(entries)
        if many:
            fast = {name: read for name, read in readers.items() if name in _FAST}
            wrong += _judge("made up", Path(folder) / "many.evtx", _many(), fast)
    sys.stdout.write(f"{total} events of {len(logs)} logs, and {many} made up: {wrong} not as they were written\n")
    return 1 if wrong else 0


def _many() -> list[Entry[Event]]:
    kinds = list(EVENTS.values())
    events = [any_event(kinds[number % len(kinds)], UtcTime=f"number {number}") for number in range(MANY)]
    return [entry(event, number) for number, event in enumerate(events, 1)]


def _judge(name: str, path: Path, entries: list[Entry[Event]], readers: Mapping[str, Reader]) -> int:
    path.unlink(missing_ok=True)
    began = time.process_time()
    sink = EvtxFileSink(path)
    sink.write(entries)
    sink.close()
    took = time.process_time() - began
    wrong, told = 0, []
    for reader, read in readers.items():
        began = time.monotonic()
        count = sum(1 for words in _differences(reader, read(path), entries) if words)
        told.append(f"{reader} {count} differ, {time.monotonic() - began:.0f} s")
        wrong += count
    sys.stdout.write(f"{name[:60]}: {len(entries)} in {took:.1f} s; {'; '.join([*told, *sink.remarks()])}\n")
    sys.stdout.flush()
    return wrong


def _differences(reader: str, seen: Iterator[Seen], entries: list[Entry[Event]]) -> Iterator[str]:
    number = 0
    for number, (written, found) in enumerate(zip(entries, seen, strict=False), 1):
        words = shown_by(reader, expected(written, None if written.record_id else number)).differs(found)
        if words:
            sys.stdout.write(f"  {reader}, record {number}: {'; '.join(words)[:300]}\n")
            yield "; ".join(words)
    yield from (f"record {missing} is not there" for missing in range(number, len(entries)))
    yield from ("a record too many" for _ in seen)


if __name__ == "__main__":
    sys.exit(main())
