"""Every event of Sysmon in the real logs is written as EVTX and read by three readers of others: `make judge-evtx`.

    python -m tests.formats.judge_evtx [READER...]

It takes a quarter of an hour, most of it in python-evtx; name `evtx libevtx` for less than a minute. At the end stands
a file of half a million events. The exit status is 1 if a reader shows anything else than what was written.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.conftest import SHARED
from tests.formats.entries import any_event, entry
from tests.formats.evtx_readers import READERS, shown_by
from tests.formats.evtx_written import expected

from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sources.open import open_sources

MANY = 500_000
_FAST = ("evtx", "libevtx")


def main() -> int:
    """Judge, and print a line for each log."""
    readers = sys.argv[1:] or list(READERS)
    logs = [path for pattern in ("data/evtx/*", "data/json/*") for path in sorted(SHARED.glob(pattern))]
    total = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in logs:
            entries = [found for source in open_sources([path]) for found in source.entries()]
            wrong += _judge(path.name, Path(folder) / "log.evtx", entries, readers)
            total += len(entries)
        wrong += _judge("made up", Path(folder) / "many.evtx", _many(), [name for name in readers if name in _FAST])
    sys.stdout.write(f"{total} events of {len(logs)} logs, and {MANY} made up: {wrong} not as they were written\n")
    return 1 if wrong else 0


def _many() -> list[Entry[Event]]:
    kinds = list(EVENTS.values())
    events = [any_event(kinds[number % len(kinds)], UtcTime=f"number {number}") for number in range(MANY)]
    return [entry(event, number) for number, event in enumerate(events, 1)]


def _judge(name: str, path: Path, entries: list[Entry[Event]], readers: Iterable[str]) -> int:
    path.unlink(missing_ok=True)
    began = time.process_time()
    sink = EvtxFileSink(path)
    sink.write(entries)
    sink.close()
    took = time.process_time() - began
    wrong, told = 0, []
    for reader in readers:
        began = time.monotonic()
        count = sum(1 for words in _differences(reader, path, entries) if words)
        told.append(f"{reader} {count} differ, {time.monotonic() - began:.0f} s")
        wrong += count
    sys.stdout.write(f"{name[:60]}: {len(entries)} in {took:.1f} s; {'; '.join([*told, *sink.remarks()])}\n")
    sys.stdout.flush()
    return wrong


def _differences(reader: str, path: Path, entries: list[Entry[Event]]) -> Iterator[str]:
    seen = READERS[reader](path)
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
