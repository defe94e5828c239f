"""What one record costs from the bytes of the ring to a line of the log: decoding, building and judging, writing.

The records are made up, of one process each time: it runs a program, makes and deletes files, connects, ends. No two
command lines and no two files are the same, which is the dear case. Medians of rounds, in processor time.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from bench.machine import description
from bench.parts.configurations import MEASURED
from bench.parts.table import table

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.config.model import Configuration
from pysmon.formats.table import FORMATS, Render
from pysmon.host.hashes import Hashes
from pysmon.host.machine import clock_offset, this_machine
from pysmon.host.users import Users
from pysmon.layout.record import Record
from pysmon.pipeline.flow import Flow
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.sensor.records import (
    OPENED,
    ExecRecord,
    ExitRecord,
    FileCreateRecord,
    FileDeleteRecord,
    FlowRecord,
    ForkRecord,
    components_of,
    decode,
)

PROCESSES, ROUNDS = 1000, 7
PROGRAM = Path(sys.executable).resolve()


def records() -> list[Record]:
    """The life of some processes."""
    return [record for number in range(PROCESSES) for record in life(1_000_000 + number, 10**9 * number)]


def life(tgid: int, start: int) -> list[Record]:
    """Every record of one process, which starts at `start`."""
    program = PROGRAM.stat()
    device = os.major(program.st_dev) << 20 | os.minor(program.st_dev)
    who = {"tgid": tgid, "tid": tgid, "start": start}
    parent = {"parent_tgid": 1, "parent_start": 1, "parent_exec_id": 1}
    shell = ExecRecord.make(
        **who,
        **parent,
        time=start + 2,
        exec_id=2,
        creator_tgid=1,
        creator_start=1,
        creator_exec_id=1,
        inode=program.st_ino,
        device=device,
        mode=program.st_mode,
        links=program.st_nlink,
        image_size=program.st_size,
        session=4294967295,
        login_uid=4294967295,
        image=components_of(str(PROGRAM)),
        filename=os.fsencode(PROGRAM) + b"\0",
        directory=components_of("/root"),
        args=b"python3\0-c\0print(%d)\0" % tgid,
        args_size=20,
    )
    name = components_of(f"/srv/bench/{tgid}/file.txt")
    files: list[Record] = []
    for number in range(4):
        at: dict[str, int | bytes] = {
            "time": start + 10 + number,
            "exec_id": 2,
            "mode": 0o100644,
            "inode": number,
            "path": name,
        }
        files.append(FileCreateRecord.make(**who, **at, how=OPENED))
        files.append(FileDeleteRecord.make(**who, **at, links=1))
    flow = FlowRecord.make(
        **who,
        time=start + 30,
        exec_id=2,
        source=bytes([127, 0, 0, 1]) + bytes(12),
        destination=bytes([127, 0, 0, 1]) + bytes(12),
        family=2,
        protocol=6,
        source_port=40000 + tgid % 20000,
        destination_port=8080,
        initiated=1,
    )
    fork = ForkRecord.make(**who, **parent, time=start + 1, exec_id=1)
    return [fork, shell, *files, flow, ExitRecord.make(**who, time=start + 40, exec_id=2)]


def flow_of(configuration: Configuration, *, extras: bool = True) -> Flow:
    """A new flow as the live run has it; `extras`: with what only JSON and text show."""
    users, ruleset = Users(), Ruleset.compile(configuration)
    builder = Builder(this_machine(), users, clock_offset=clock_offset())
    enricher = Enricher(builder.processes, users, Hashes(("SHA256",)), reads=ruleset.reads, extras=extras)
    return Flow(ruleset, builder, enricher)


def take(flow: Flow, made: list[Record]) -> list[Event]:
    """The events that it keeps of these records."""
    return [event for record in made for event in flow.take(record)]


def rounds(work: Callable[[], object]) -> float:
    """Seconds of processor time for some work, so that others on the machine count for less."""
    gc.collect()
    began = time.thread_time()
    work()
    return time.thread_time() - began


def pieces(what: str, count: int, took: list[float]) -> tuple[str, str, str]:
    """A row: microseconds for one of so many pieces, and how many a second."""
    each = median(took) / count
    return what, f"{each * 1e6:.2f}", f"{1 / each:,.0f}"


def through(configuration: Configuration, name: str, made: list[Record]) -> tuple[str, ...]:
    """A row: the events that these records become, by one configuration."""
    took = []
    for _ in range(ROUNDS):
        flow = flow_of(configuration)
        took.append(rounds(partial(take, flow, made)))
    kept, filtered = (sum(counts.values()) for counts in (flow.accounting.kept, flow.accounting.filtered))
    return (*pieces(name, kept + filtered, took), f"{kept / (kept + filtered):.0%}")


def lines(render: Render, entries: list[Entry[Event]]) -> list[bytes]:
    """All entries in one format."""
    return [render(entry) for entry in entries]


def main() -> None:
    """Print a table for the ends of the way, and one for the flow between them."""
    made = records()
    raw = [record.encode() for record in made]
    everything = MEASURED[0].read()
    assert everything
    origin = Origin("bench", 1, 1, 0)
    entries = [Entry(i, 10**18 + i, event, origin) for i, event in enumerate(take(flow_of(everything), made))]
    ends = [
        pieces("decode a record", len(raw), [rounds(lambda: [decode(data) for data in raw]) for _ in range(ROUNDS)])
    ]
    for form in FORMATS.values():
        took = [rounds(partial(lines, form.render, entries)) for _ in range(ROUNDS)]
        ends.append(pieces(f"an event as {form.name}", len(entries), took))
    flows = []
    for measured in MEASURED:
        configuration = measured.read()
        absent = (f"{measured.name}: absent", "-", "-", "-")
        flows.append(through(configuration, measured.name, made) if configuration else absent)
    sys.stdout.write(f"{len(made):,} records of {PROCESSES:,} processes\n")
    table("before and after the flow", ("us", "a second"), ends)
    table("events through the flow", ("us", "a second", "kept"), flows)
    sys.stdout.write(f"measured on {description()}\n\n")


if __name__ == "__main__":
    main()
