"""What one record costs from the bytes of the ring to a line of the log: decoding, building and judging, writing.

The records are made up, of one process each time: it runs a program, makes and deletes files, connects, ends.
Nothing is filtered, which is the dear case. Medians of rounds, in microseconds for one record.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench.machine import description

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.config.read import read_configuration
from pysmon.formats.json_line import json_line
from pysmon.formats.linux_xml import linux_xml_line
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

PROCESSES, ROUNDS = 400, 7
EVERYTHING = b"""<Sysmon schemaversion="4.90"><EventFiltering>
<ProcessCreate onmatch="exclude"/><NetworkConnect onmatch="exclude"/><ProcessTerminate onmatch="exclude"/>
<FileCreate onmatch="exclude"/><FileDelete onmatch="exclude"/></EventFiltering></Sysmon>"""
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


def take(made: Sequence[Record]) -> list[Event]:
    """The events of these records, by a new flow as the live run has it, with nothing filtered."""
    configuration = read_configuration(EVERYTHING, "everything.xml").configuration
    users, ruleset = Users(), Ruleset.compile(configuration)
    builder = Builder(this_machine(), users, clock_offset=clock_offset())
    flow = Flow(ruleset, builder, Enricher(builder.processes, users, Hashes(("SHA256",)), reads=ruleset.reads))
    return [event for record in made for event in flow.take(record)]


def rounds(work: Callable[[], object], count: int) -> float:
    """Microseconds for one of `count` pieces of work."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return median(took) / count * 1e6


def main() -> None:
    """Print one row for each stage."""
    made = records()
    raw = [record.encode() for record in made]
    events = take(made)
    origin = Origin("bench", 1, 1, 0)
    entries: Sequence[Entry[Event]] = [Entry(i, 10**18 + i, event, origin) for i, event in enumerate(events)]
    rows = {
        "decode a record": rounds(lambda: [decode(data) for data in raw], len(raw)),
        "flow: build, decide, hash": rounds(lambda: take(made), len(made)),
        "line of JSON, an event": rounds(lambda: [json_line(entry) for entry in entries], len(entries)),
        "line of XML, an event": rounds(lambda: [linux_xml_line(entry) for entry in entries], len(entries)),
    }
    sys.stdout.write(f"measured on {description()}\n")
    sys.stdout.write(f"flow: {len(made)} records of {PROCESSES} processes, {len(events)} events kept\n")
    for what, cost in rows.items():
        sys.stdout.write(f"  {what:28}{cost:8.2f} us\n")


if __name__ == "__main__":
    main()
