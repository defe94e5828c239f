"""What the event log costs and how soon it answers: entries a second, bytes an entry, answers on a million entries.

    python -m bench.store [ENTRIES]

Batches of 200 entries come at 10,000 entries a second, of 5 at 250; here they follow each other without a pause. Every
question is asked of a log that was opened for it, in the same process; the file lies in the system's cache. Medians.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.machine import description
from bench.parts.day import ADDRESS, DIGEST, DOMAIN, FILE, START, STEP, Day
from bench.parts.table import table

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.store import StoreSink
from pysmon.store.classes import Limits
from pysmon.store.query import Condition, Query
from pysmon.store.store import Store

ENTRIES, BATCH, ROUNDS = 1_000_000, 200, 3
NEWEST = 50


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    sys.stdout.write(f"{description()}\n\n")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder) / "events.db"
        _fill(path, count)
        _ask(path, count)
        _keep_full(Path(folder) / "small.db", min(count, 300_000))


def _fill(path: Path, count: int) -> None:
    rows = []
    for batch, part in ((5, min(count, 50_000)), (BATCH, count)):
        path.unlink(missing_ok=True)
        wall, cpu, slowest = _written(StoreSink(path, Limits(total=4 << 30)), part, batch)
        figures = (f"{part / wall:,.0f}", f"{cpu / part * 1e6:.1f}", f"{slowest * 1e3:.0f}")
        rows.append((f"batches of {batch}", *figures, f"{path.stat().st_size / part:.0f}"))
    with Store(path) as log:
        parts = [(h.name, f"{h.entries:,}", f"{h.bytes / h.entries:.0f}") for h in log.holdings() if h.entries]
    table("a new log", ["entries/s", "CPU us/entry", "slowest batch ms", "bytes/entry"], rows)
    table("class", ["entries", "bytes/entry, about"], parts)


def _keep_full(path: Path, count: int) -> None:
    limits = Limits(total=16 << 20)
    wall, cpu, slowest = _written(StoreSink(path, limits), count)
    row = (
        f"{count / wall:,.0f}",
        f"{cpu / count * 1e6:.1f}",
        f"{slowest * 1e3:.0f}",
        f"{path.stat().st_size / limits.total:.2f}",
    )
    table("a full log", ["entries/s", "CPU us/entry", "slowest batch ms", "size / limit"], [("16 MB", *row)])


def _written(sink: StoreSink, count: int, size: int = BATCH) -> tuple[float, float, float]:
    wall = cpu = slowest = 0.0
    batch: list[Entry[Event]] = []
    for number, entry in enumerate(Day().entries(count), 1):
        batch.append(entry)
        if len(batch) == size or number == count:
            began, began_cpu = time.perf_counter(), time.process_time()
            sink.write(batch)
            sink.flush()
            took = time.perf_counter() - began
            wall, cpu, slowest = wall + took, cpu + time.process_time() - began_cpu, max(slowest, took)
            batch = []
    sink.close()
    return wall, cpu, slowest


def _ask(path: Path, count: int) -> None:
    culprit = _one(path, Query(conditions=(Condition("Image", "is", FILE),), ids=frozenset([1])))
    parent = culprit.event.text("ParentProcessGuid")
    middle = (START + count * STEP // 2) * 1_000_000
    newest = Query(order="newest first", limit=NEWEST)
    questions: dict[str, Callable[[Store], object]] = {
        "the newest 50": lambda log: list(log.select(newest)),
        "the newest 50 of one type": lambda log: list(log.select(replace(newest, ids=frozenset([3])))),
        "a field is, once": _all(Condition("QueryName", "is", DOMAIN)),
        "a field is, often, newest 50": lambda log: list(
            log.select(replace(newest, conditions=(Condition("User", "is", "alice"),)))
        ),
        "a field begins with": _all(Condition("TargetFilename", "begin with", "/srv/cache/.x")),
        "a field contains": _all(Condition("CommandLine", "contains", "--quiet")),
        "a field contains, nowhere": _all(Condition("CommandLine", "contains", "no such text")),
        "a number is": _all(Condition("ProcessId", "is", "4711")),
        "a port is, newest 50": lambda log: list(
            log.select(replace(newest, conditions=(Condition("SourcePort", "is", "40000"),)))
        ),
        "a minute": lambda log: list(log.select(Query(since=middle, until=middle + 60 * 10**9))),
        "what a process did": lambda log: list(log.events_of([culprit.event.text("ProcessGuid")])),
        "descendants, 1,000 of the first": lambda log: log.descendants(Day().first, 1000),
        "ancestors": lambda log: _ancestors(log, parent),
        "text, rare": lambda log: list(log.select(Query(text="dropper"))),
        "text, nowhere": lambda log: list(log.select(Query(text="no such text"))),
        "text, newest 50": lambda log: list(log.select(replace(newest, text="alice"))),
        "text, a number": lambda log: list(log.select(replace(newest, text="40000"))),
        "who: domain": lambda log: list(log.find("domain", "evil.example")),
        "who: ip": lambda log: list(log.find("ip", ADDRESS)),
        "who: file": lambda log: list(log.find("file", FILE)),
        "who: file name": lambda log: list(log.find("file", "dropper.bin")),
        "who: hash": lambda log: list(log.find("hash", DIGEST)),
        "10,000 entries": lambda log: list(log.select(Query(limit=10_000))),
        "opening": lambda log: log.end(),
    }
    rows = []
    for what, ask in questions.items():
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            with Store(path) as log:
                answer = ask(log)
            times.append(time.perf_counter() - began)
        found = f"{len(answer):,}" if isinstance(answer, list) else ""
        rows.append((what, found, f"{median(times) * 1e3:.1f}", f"{max(times) * 1e3:.1f}"))
    table(f"of {count:,} entries", ["found", "ms", "slowest ms"], rows)


def _all(condition: Condition) -> Callable[[Store], object]:
    return lambda log: list(log.select(Query(conditions=(condition,))))


def _one(path: Path, query: Query) -> Entry[Event]:
    with Store(path) as log:
        return next(log.select(query))


def _ancestors(log: Store, guid: str) -> list[Entry[Event]]:
    found: list[Entry[Event]] = []
    while made := log.process(guid):
        found.append(made)
        guid = made.event.ParentProcessGuid
    return found


if __name__ == "__main__":
    main()
