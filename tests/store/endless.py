"""A program for the tests that end it by force: writes short batches to a log until it is killed.

    python -m tests.store.endless LOG FIRST [TOTAL]

Tells on standard output, one line each: `open GAP` (the record id that the log says it ended with, or `-`), then for
each batch that is written `NUMBER`, its last record id.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.store.entries import created, made

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.store.classes import Limits
from pysmon.store.writer import Writer

BATCH = 7


def batch_from(number: int) -> list[Entry[Event]]:
    """The batch that begins with that record id."""
    return [_entry(n) for n in range(number, number + BATCH)]


def _entry(number: int) -> Entry[Event]:
    if number % 3:
        return made(number, 11, TargetFilename=f"/tmp/{number}", Image=f"/bin/{number % 40}")
    return created(number, CommandLine=f"command {number} " * (number % 50))


def main() -> None:
    """Write until killed."""
    path, first, total = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    writer = Writer(path, Limits(total=total), sync_every=0.005)
    gap = writer.gap.record_id if writer.gap else "-"
    os.write(1, f"open {gap}\n".encode())
    number = first
    while True:
        batch = batch_from(number)
        writer.write(batch)
        number += BATCH
        os.write(1, f"{number - 1}\n".encode())
        writer.tidy(batch[-1].time)


if __name__ == "__main__":
    main()
