"""How fast `pysmon replay` is from end to end, as a command: EVTX and JSON, one process and two, and its memory.

    python -m bench.replay [EVENTS]

Beside it runs `sysmon_utils emulate` (the package sysmon-utils), the one other program that judges a log by a
configuration, on the same JSON in the same run. It is installed into build/; where that cannot be done it is left out
by name. It decides otherwise than Sysmon in several ways, so the events are counted on which the two disagree; which of
them is right is shown by the tests of the rule engine (tests/rules/test_oracle.py).

Times are those of the whole command, start included: on the clock, which is what a user waits for and what other work
on the machine makes longer, and of the processor, of all processes together. Medians, with the range. What the start
takes, reading the configuration and a log of 100 events included, is told for itself.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.evtx_read import CHANNEL, PROVIDER, made_up
from bench.machine import description
from bench.parts.commands import Run, largest, pysmon, rates, run, sysmon_utils
from bench.parts.configurations import MEASURED, REAL, ROOT, Measured
from bench.parts.table import table

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.evtx import EvtxFileSink

EVENTS, FEW, ROUNDS = 500_000, 100, 3
LONGEST = 5  # times the log, to see whether memory grows with it
AIM = 100_000  # events of EVTX a second of processor
PEER_AIM = 10  # times the peer
MEMORY_AIM = 200  # MB, whatever the log is
NAMES = ("swiftonsecurity.xml", "sysmon-modular.xml")
WORK = ROOT / "build" / "bench"

Row = tuple[str, ...]


def replay(configuration: Path, log: Path, jobs: int, *more: object) -> Run:
    """Run our command."""
    return pysmon("replay", "--json", configuration, log, "--jobs", jobs, *more)


def write_evtx(path: Path, events: int) -> None:
    """Write a log of that many events."""
    sink = EvtxFileSink(path)
    batch: list[Entry[Event]] = []
    for entry in made_up(events):
        batch.append(entry)
        if len(batch) == 5000:
            sink.write(batch)
            batch = []
    sink.write(batch)
    sink.close()


def evtx(log: Path, few: Path, events: int, measured: Sequence[Measured], rounds: int = ROUNDS) -> Iterator[Row]:
    """EVTX, one process and two; `few` is a log of hardly any events."""
    for each in measured:
        start = median(replay(each.path, few, 1).processor for _ in range(rounds))
        alone = 0.0
        for jobs in (1, 2):
            runs = [replay(each.path, log, jobs) for _ in range(rounds)]
            clock, processor = median(one.wall for one in runs), median(one.processor for one in runs)
            alone = alone or clock
            ratios = f"x {events / processor / AIM:.2f}", f"x {alone / clock:.2f}"
            reading = f"{events / max(processor - start, 0.001):,.0f}"
            told = (*rates(runs, events), *ratios, f"{start:.2f} s", reading, largest(runs))
            yield (f"{each.name}, --jobs {jobs}", *told)


def flat(entry: Entry[Event]) -> dict[str, object]:
    """An event as flat JSON that both programs read."""
    event = entry.event
    head = {"EventSourceName": PROVIDER, "SourceName": PROVIDER, "Channel": CHANNEL, "EventID": event.type.id}
    names = [field.name for field in event.type.fields]
    said = {"Hostname": "W", "RecordNumber": entry.record_id}
    return {**head, **said, **dict(zip(names, event.texts(), strict=True))}


def real_rows() -> Iterator[dict[str, object]]:
    """The events of Sysmon in the real logs that lie beside the project."""
    number = 0
    for path in sorted((REAL.parent / "json").glob("otrf-*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in (n for n in archive.namelist() if n.endswith(".json") and not n.startswith("__MACOSX")):
                for line in archive.open(name):
                    if b"Microsoft-Windows-Sysmon/Operational" in line:
                        number += 1
                        yield {"EventSourceName": PROVIDER, **json.loads(line), "RecordNumber": number}


def write_json(path: Path, rows: Iterable[dict[str, object]]) -> int:
    """Write them as lines, and say how many they are."""
    with path.open("w") as file:
        return sum(1 for row in rows if file.write(json.dumps(row) + "\n"))


def kept(path: Path) -> set[int]:
    """The numbers of the events that a program wrote."""
    with path.open("rb") as file:
        rows = map(json.loads, file)
        return {int(row.get("RecordNumber") or row["EventRecordID"]) for row in rows}


def beside(
    log: Path, events: int, measured: Sequence[Measured], other: Path | None, rounds: int = ROUNDS
) -> Iterator[Row]:
    """JSON, beside the other program, which runs once: it is slow, and nothing hangs on its spread.

    It writes what it keeps, which is ours with `-o`; alone ours counts. What a log of one event costs is the start.
    """
    one, ours, theirs = (log.with_suffix(f".{name}.json") for name in ("one", "ours", "theirs"))
    with log.open("rb") as lines:
        one.write_bytes(lines.readline())
    for each in measured:
        peer: Ratios | None = None
        written = replay(each.path, log, 1, "-o", ours)
        if other is not None:
            found = run(other, "emulate", each.path, log, "--outfile", theirs)
            peer = Ratios(found, run(other, "emulate", each.path, one, "--outfile", one.with_suffix(".out")))
            apart = len(kept(ours) ^ kept(theirs))
            ones = ("x 1.0",) * 3
            yield (f"{each.name}, sysmon-utils", *rates([found], events), *ones, f"{apart:,}", largest([found]))
        alone = replay(each.path, one, 1)
        counted = [(jobs, [replay(each.path, log, jobs) for _ in range(rounds)]) for jobs in (1, 2)]
        for name, runs in [("--jobs 1 -o FILE", [written]), *((f"--jobs {jobs}", runs) for jobs, runs in counted)]:
            words = peer.to(runs, alone) if peer else ("-",) * 3
            yield (f"{each.name}, {name}", *rates(runs, events), *words, "-", largest(runs))


@dataclass(frozen=True)
class Ratios:
    """How much longer the other program takes."""

    whole: Run
    start: Run

    def to(self, runs: Sequence[Run], start: Run) -> tuple[str, str, str]:
        """On the clock, of the processor, and of the processor without the start of both."""
        wall, used = median(each.wall for each in runs), median(each.processor for each in runs)
        own = self.whole.processor - self.start.processor
        ratios = self.whole.wall / wall, self.whole.processor / used, own / max(used - start.processor, 1e-6)
        clock, processor, alone = (f"x {ratio:.1f}" for ratio in ratios)
        return clock, processor, alone


def memory(configuration: Path, log: Path, lines: Path) -> Iterator[Row]:
    """What a log of several times the size takes: chunks of EVTX and lines of JSON put one behind the other."""
    for source, header in ((log, 4096), (lines, 0)):
        for times in (1, LONGEST):
            long = source.with_stem("long")
            with long.open("wb") as to, source.open("rb") as file:
                shutil.copyfileobj(file, to)
                for _ in range(times - 1):
                    file.seek(header)
                    shutil.copyfileobj(file, to)
            found = replay(configuration, long, 1).memory / 1e6
            form = long.suffix[1:].upper()
            row = f"{found:.0f} MB", f"x {found / MEMORY_AIM:.2f}"
            yield (f"{form}, {long.stat().st_size / 1e6:,.0f} MB", *row)
            long.unlink()


def main() -> None:
    """Print the figures."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    sys.stdout.write(f"{description()}\n\n")
    there = [Measured(REAL / name, windows=True) for name in NAMES if (REAL / name).exists()]
    measured = there or [MEASURED[1]]
    WORK.mkdir(parents=True, exist_ok=True)
    clock = ("events/s on the clock", "of processor")
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        names = ("made-up.evtx", "few.evtx", "made-up.json", "real.json")
        log, few, lines, real = (Path(name, each) for each in names)
        write_evtx(few, FEW)
        replay(measured[0].path, few, 1)  # the first run compiles the modules
        write_evtx(log, events)
        head: Sequence[str] = (*clock, f"to {AIM:,} (aim)", "to one process", "start", "without it", "memory")
        size = log.stat().st_size / events
        title = f"replay of EVTX, {events:,} made-up events of {size:,.0f} bytes"
        table(title, head, list(evtx(log, few, events, measured)))
        other = sysmon_utils(WORK / "sysmon-utils")
        if other is None:
            sys.stdout.write("sysmon-utils: absent, it cannot be installed here\n\n")
        ratios = (f"to the peer (aim {PEER_AIM})", "by processor", "without start", "judged otherwise", "memory")
        logs = ((lines, "made-up", map(flat, made_up(events // 5))), (real, "real", real_rows()))
        for path, kind, rows in logs:
            count = write_json(path, rows)
            size = path.stat().st_size / max(count, 1)
            title = f"replay of JSON, {count:,} {kind} events of {size:,.0f} bytes"
            table(title, (*clock, *ratios), list(beside(path, count, measured, other)) if count else [])
        head = ("resident at most", f"to {MEMORY_AIM} MB (aim)")
        table("memory by the size of the log", head, list(memory(measured[0].path, log, lines)))


if __name__ == "__main__":
    main()
