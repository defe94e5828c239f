"""Where the sensor's process spends its time, stage by stage, on a tape of this machine.

    pysmon run -c examples/everything.xml -o /dev/null --record TAPE -- COMMAND
    python -m bench.parts.stages TAPE [PIECES]

Each stage runs alone over all records, hot; the last row is all of them in turn with a pause after each batch, as live:
what is more there is caches that have gone cold and the waking up. Processor time in us for one exec of the tape, or
for one of PIECES; medians of rounds.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from bench.flow import flow_of, lines
from bench.parts.configurations import MEASURED
from bench.parts.table import table

from pysmon.assemble.enrich import Enricher
from pysmon.assemble.extras import facts_of
from pysmon.config.model import Configuration
from pysmon.formats.table import FORMATS, Render
from pysmon.host.hashes import Hashes
from pysmon.host.users import Users
from pysmon.layout.record import Record
from pysmon.pipeline.outcome import Journal
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.sensor.records import ExecRecord, TaskRecord, decode
from pysmon.sensor.tape import Tape
from pysmon.sinks.file import FileSink

ROUNDS, BATCH, PAUSE = 7, 250, 0.05  # records that gather in a pause (s), as live
ORIGIN = Origin("bench", 1, 1, 0)
Events = list[tuple[Event, Record]]


class Stages:
    """A tape, and the stages over it."""

    def __init__(self, path: Path, configuration: Configuration, log: Path, count: int | None) -> None:
        """Read the tape; what it tells of processes that were there before is only learnt."""
        records = [(raw, decode(raw)) for raw in Tape(path).records]
        self.tasks = [record for _, record in records if isinstance(record, TaskRecord)]
        self.raw = [raw for raw, record in records if not isinstance(record, TaskRecord)]
        self.records = [record for _, record in records if not isinstance(record, TaskRecord)]
        self.count = count or sum(isinstance(record, ExecRecord) for record in self.records)
        self.configuration, self.log = configuration, log
        self.rows: list[tuple[str, str]] = []

    def measure(self, what: str, work: Callable[[], object]) -> None:
        """Add a row for work that can be done again as it is."""
        self.measure_new(what, lambda: work)

    def measure_new(self, what: str, prepare: Callable[[], Callable[[], object]]) -> None:
        """Add a row for work that must be prepared anew each time."""
        took = []
        for _ in range(ROUNDS):
            work = prepare()
            gc.collect()
            began = time.thread_time()
            work()
            took.append(time.thread_time() - began)
        self.rows.append((what, f"{median(took) / self.count * 1e6:.2f}"))

    def builder(self) -> Callable[[], object]:
        """Process table and events, without rules."""
        flow = flow_of(self.configuration)
        self.learn(flow.learn)

        def run() -> None:
            for record in self.records:
                flow.learn(record)  # it only builds: `take` judges, too

        return run

    def learn(self, learn: Callable[[Record], None]) -> None:
        """Tell of the processes that were there before."""
        for task in self.tasks:
            learn(task)

    def before_the_formats(self) -> Events:
        """Measure all that comes before an event is text; gives the events with their records."""
        self.measure("decode", lambda: [decode(raw) for raw in self.raw])
        self.measure_new("process table and builder", self.builder)
        flow = flow_of(self.configuration)
        self.learn(flow.learn)
        made = [(event, record) for record in self.records for event in flow.take(record)]
        ruleset, users, processes = Ruleset.compile(self.configuration), Users(), flow._builder.processes
        self.measure("rules: decide", lambda: [ruleset.decide(event) for event, _ in made])
        hashes = Hashes(("SHA256",))
        for extras in (False, True):
            enricher = Enricher(processes, users, hashes, reads=ruleset.reads, extras=extras)
            what = "enrich, with what only JSON and text show" if extras else "enrich: hashes, birth, trim"
            self.measure(what, partial(enrich, enricher, made))
        self.measure("of it: the facts for JSON and text", lambda: [facts_of(r, processes, users) for _, r in made])
        journal = Journal(ORIGIN)
        self.measure("envelope", lambda: [journal.entry(event, record.time) for event, record in made])
        return made

    def formats(self, made: Events) -> None:
        """Measure the lines, and writing them to a file."""
        journal = Journal(ORIGIN)
        entries = [journal.entry(event, record.time) for event, record in made]
        for form in FORMATS.values():
            self.measure(f"line of {form.name}", partial(lines, form.render, entries))
        for form in FORMATS.values():
            self.measure(f"write {form.name}", partial(self.write, entries, known(form.render, entries)))

    def write(self, entries: list[Entry[Event]], render: Render) -> None:
        """Write them in batches, as live."""
        sink = FileSink(self.log, render)
        for begin in range(0, len(entries), BATCH):
            sink.write(entries[begin : begin + BATCH])
            sink.flush()
        sink.close()

    def together(self, pause: float) -> Callable[[], object]:
        """All stages in turn, for XML."""
        flow, journal = flow_of(self.configuration, extras=False), Journal(ORIGIN)
        self.learn(flow.learn)
        sink = FileSink(self.log, FORMATS["xml"].render)

        def run() -> None:
            for begin in range(0, len(self.raw), BATCH):
                records = map(decode, self.raw[begin : begin + BATCH])
                sink.write([journal.entry(event, r.time) for r in records for event in flow.take(r)])
                sink.flush()
                time.sleep(pause)

        return run


def known(render: Render, entries: list[Entry[Event]]) -> Render:
    """A renderer that has every line ready, so that writing is measured alone."""
    ready = {entry.record_id: render(entry) for entry in entries}
    return lambda entry: ready[entry.record_id]


def enrich(enricher: Enricher, made: Events) -> None:
    """Early and late facts for all of them."""
    for event, record in made:
        enricher.early(event, record)
        enricher.late(event, record)


def main() -> None:
    """Print the stages."""
    configuration = MEASURED[0].read()
    assert configuration
    path, *count = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        stages = Stages(Path(path), configuration, Path(folder) / "log", int(count[0]) if count else None)
        stages.formats(stages.before_the_formats())
        stages.measure_new("all for XML", lambda: stages.together(0))
        stages.measure_new(f"all for XML, {PAUSE * 1000:.0f} ms between batches", lambda: stages.together(PAUSE))
    table(f"{len(stages.records):,} records, {stages.count:,} pieces", ("us for one",), stages.rows)


if __name__ == "__main__":
    main()
