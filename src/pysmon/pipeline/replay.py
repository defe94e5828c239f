"""A tape through the same flow: what a configuration keeps of recorded records."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.config.model import Configuration
from pysmon.errors import RecordError
from pysmon.host.guid import Machine
from pysmon.host.hashes import Hashes
from pysmon.host.users import Users
from pysmon.pipeline.flow import Flow
from pysmon.pipeline.outcome import Journal, Outcome
from pysmon.pipeline.texts import TapeTexts
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.sensor.kernel import Count
from pysmon.sensor.records import FAMILIES, TaskRecord, decode, family_of
from pysmon.sensor.tape import Tape, TapeWriter

_BATCH = 1000  # records


class Playback:
    """One run of a tape. Iterate over `batches`; then `outcome` tells what became of everything.

    What the tape does not hold stays unknown: files are not hashed, nobody says whose they are, and users have the
    names of the recorded machine where the tape knows them, else their numbers. The texts of files about persistence
    are on it.
    """

    def __init__(self, configuration: Configuration | None, path: Path) -> None:
        """Read the tape; RecordError if it is none, OSError if it cannot be read."""
        self._tape = Tape(path)
        facts = _Facts(path, self._tape.facts)
        names = facts.texts("users")
        users = Users(ask=lambda uid: names[str(uid)], database=os.devnull)
        machine = Machine(facts.number("machine_id", 32), facts.number("boot_id", 128), facts.number("boot_time", 64))
        self._offset = facts.number("clock_offset", 64)
        self._texts = TapeTexts(self._tape, closes_told=facts.flag("closes_told"))
        builder = Builder(machine, users, clock_offset=self._offset, reader=self._texts)
        ruleset = Ruleset.compile(configuration)
        sizes = configuration.options.field_sizes if configuration else {}
        enricher = Enricher(
            builder.processes,
            users,
            Hashes(()),
            field_sizes=sizes,
            reads=ruleset.reads,
            birth=lambda _path, _inode: None,
        )
        self._flow = Flow(ruleset, builder, enricher)
        self._journal = Journal(Origin(facts.text("computer"), 0, 0, 0))
        self._time = 0  # of the newest record
        self.outcome: Outcome | None = None

    def batches(self, stop: threading.Event) -> Iterator[list[Entry[Event]]]:
        """All entries in the order of the tape, until it ends or `stop` is set."""
        records = self._tape.records
        due: Counter[str] = Counter()
        for begin in range(0, len(records), _BATCH):
            if stop.is_set():
                break
            batch = enumerate(records[begin : begin + _BATCH], begin)
            yield [entry for number, raw in batch for entry in self._take(number, raw, due)]
        if late := self._flow.overdue(self._time, last=True):
            yield [self._journal.entry(event, self._offset + self._time) for event in late]
        counts = self._flow.accounting
        self.outcome = Outcome(
            kept=dict(counts.kept),
            filtered=dict(counts.filtered),
            families=counts.families({family: Count(due[family], 0) for family in FAMILIES}),
        )

    def _take(self, number: int, raw: bytes, due: Counter[str]) -> list[Entry[Event]]:
        self._texts.record = number
        try:
            record = decode(raw)
        except RecordError:
            due[family_of(raw)] += 1
            self._flow.accounting.unreadable[family_of(raw)] += 1
            return []
        if isinstance(record, TaskRecord):
            self._flow.learn(record)
            return []
        due[record.layout.family] += 1
        self._time = record.time
        return [self._journal.entry(event, self._offset + record.time) for event in self._flow.take(record)]


def note_facts(tape: TapeWriter, machine: Machine, clock_offset: int, computer: str, users: dict[int, str]) -> None:
    """Note on a tape what a playback asks of it."""
    tape.facts(
        machine_id=machine.machine_id,
        boot_id=machine.boot_id,
        boot_time=machine.boot_time,
        clock_offset=clock_offset,
        computer=computer,
        users=users,
    )


class _Facts:
    """The facts of a tape by their types: a tape may come from anybody."""

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self._path = path
        self._facts = facts

    def number(self, name: str, bits: int) -> int:
        value = self._facts.get(name, 0)
        if type(value) is not int or value >> bits:
            raise self._wrong(name, f"a number of {bits} bits")
        return value

    def text(self, name: str) -> str:
        value = self._facts.get(name, "-")
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def flag(self, name: str) -> bool:
        value = self._facts.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def texts(self, name: str) -> dict[str, str]:
        value = self._facts.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self._wrong(name, "an object of texts")
        return value

    def _wrong(self, name: str, expected: str) -> RecordError:
        return RecordError(f"{self._path}: the fact {name} is {expected} in a tape, not {self._facts[name]!r:.60}")
