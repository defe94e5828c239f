"""The live run: kernel records through the flow, as batches of entries."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.service import configuration_change, error_report, service_state
from pysmon.config.model import Configuration
from pysmon.errors import RecordError
from pysmon.host.hashes import Hashes
from pysmon.host.machine import clock_offset, host_name, this_machine
from pysmon.host.users import Users
from pysmon.pipeline.accounting import losses
from pysmon.pipeline.command import HeldCommand
from pysmon.pipeline.flow import Flow
from pysmon.pipeline.outcome import Journal, Outcome
from pysmon.pipeline.snapshot import with_texts
from pysmon.release import VERSION
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.schema.versions import newest
from pysmon.sensor.kernel import Count, Sensor
from pysmon.sensor.records import decode, family_of
from pysmon.sensor.scope import Scope
from pysmon.sensor.tape import TapeWriter

GATHER = 0.05  # s: records that come within it share one batch, which costs less than many small ones
_IDLE = 0.5  # s between looks at the stop signal when nothing happens
_LOOK_AFTER = 1.0  # s between looks at the counts of losses and at the clock
_CLOCK_SET = 50_000_000  # ns: a larger change of the wall clock is somebody setting it
_PATIENCE = 5.0  # s for the command to end after it was asked to
_FAMILY_OF_EVENT = {3: "network", 11: "file create", 23: "file delete", 26: "file delete"}


class Session:
    """One run of the sensor. Iterate over `batches`; then `outcome` tells what became of everything."""

    def __init__(
        self,
        configuration: Configuration | None,
        scope: Scope | None = None,
        *,
        command: Sequence[str] | None = None,
        record_to: Path | None = None,
        extras: bool = True,
        first_record: int = 0,
    ) -> None:
        """Load the sensor, and hold `command` (its process tree is then the scope) until `batches` begins.

        `extras`: gather what only JSON shows. `first_record` numbers the first entry, to go on with a log. SensorError
        and MisuseError tell what is in the way.
        """
        self._configuration = configuration
        ruleset = Ruleset.compile(configuration)
        self._sensor = Sensor({f for i, f in _FAMILY_OF_EVENT.items() if ruleset.wants(i)})
        self._command: HeldCommand | None = None
        try:
            self._command = HeldCommand(command) if command else None
            self._tape = TapeWriter(record_to) if record_to else None
        except BaseException:
            if self._command:
                self._command.stop()
            self._sensor.close()
            raise
        self._scope = Scope.of_tree(self._command.pid) if self._command else scope or Scope.machine()
        self._machine, self._users = this_machine(), Users()
        self._builder = Builder(self._machine, self._users, clock_offset=clock_offset())
        self._flow = Flow(ruleset, self._builder, _enricher(configuration, ruleset, self._builder, self._users, extras))
        self._journal = Journal(Origin(host_name(), os.getpid(), threading.get_native_id(), os.geteuid()), first_record)
        self._counts: dict[str, Count] = self._sensor.counts()
        self.outcome: Outcome | None = None

    def batches(self, stop: threading.Event) -> Iterator[list[Entry[Event]]]:
        """Entries as they come, until `stop` is set or the command ends. An empty batch says that nothing happens."""
        try:
            self._sensor.watch(self._scope)
            yield self._own(self._configured(), self._state("Started"))
            self._learn()
            if self._command:
                self._command.release()
            yield from self._run(stop)
            yield from self._end()
        finally:
            self._close()

    def _run(self, stop: threading.Event) -> Iterator[list[Entry[Event]]]:
        look = time.monotonic() + _LOOK_AFTER
        while not stop.is_set():
            if self._sensor.wait(GATHER if self._command else _IDLE):
                yield self._take(self._sensor.read())
            else:
                yield []
            if self._command and self._command.poll():
                return
            if time.monotonic() >= look:
                look = time.monotonic() + _LOOK_AFTER
                yield from self._look_after()
            if not self._sensor.behind:
                time.sleep(GATHER)

    def _end(self) -> Iterator[list[Entry[Event]]]:
        """Stop the command, drain what is left, and close the books."""
        if self._command:
            self._command.stop()
            give_up = time.monotonic() + _PATIENCE
            while not self._command.poll() and time.monotonic() < give_up:
                yield self._take(self._sensor.read())
                time.sleep(GATHER)
        self._sensor.watch(Scope("nobody"))
        time.sleep(GATHER)  # programs that were running when the scope changed have ended by then
        while data := self._sensor.read():
            yield self._take(data)
        yield from self._look_after()
        yield self._own(self._state("Stopped"))
        counts = self._flow.accounting
        self.outcome = Outcome(
            kept=dict(counts.kept),
            filtered=dict(counts.filtered),
            families=counts.families(self._sensor.counts()),
            services=self._sensor.services,
            exit_status=self._command.status if self._command else None,
        )

    def _take(self, data: list[bytes]) -> list[Entry[Event]]:
        entries, offset = [], self._builder.clock_offset
        for raw in data:
            if self._tape:
                self._tape.record(raw)
            try:
                record = decode(raw)
                kept = self._flow.take(record)
            except RecordError:
                self._flow.accounting.unreadable[family_of(raw)] += 1
                continue
            entries += [self._journal.entry(event, offset + record.time) for event in kept]
        return entries

    def _learn(self) -> None:
        for task in with_texts(self._sensor.snapshot()):
            if self._tape:
                self._tape.record(task.encode())
            self._flow.learn(task)

    def _look_after(self) -> Iterator[list[Entry[Event]]]:
        """Tell of losses, make up for them in the process table, and follow the clock if somebody sets it."""
        counts = self._sensor.counts()
        lost = losses(self._counts, counts)
        if lost:
            yield self._own(error_report(time.time_ns(), "QUEUE", lost))
            if any(counts[f].lost > self._counts[f].lost for f in ("process", "fork")):
                self._learn()
        self._counts = counts
        measured = clock_offset(tries=3)
        if abs(measured - self._builder.clock_offset) > _CLOCK_SET:
            self._builder.clock_offset = measured

    def _configured(self) -> Event:
        configuration = self._configuration
        if configuration is None:
            return configuration_change(time.time_ns(), "Defaults")
        return configuration_change(time.time_ns(), configuration.file, f"SHA256={configuration.sha256}")

    def _state(self, state: Literal["Started", "Stopped"]) -> Event:
        return service_state(time.time_ns(), state, VERSION, newest("linux").version)

    def _own(self, *events: Event) -> list[Entry[Event]]:
        return [self._journal.entry(event, time.time_ns()) for event in events]

    def _close(self) -> None:
        if self._command:
            self._command.stop()
        self._sensor.close()
        if self._command:
            self._command.poll()  # it has ended by now unless it will not: leave no zombie
        if self._tape:
            self._tape.facts(
                machine_id=self._machine.machine_id,
                boot_id=self._machine.boot_id,
                boot_time=self._machine.boot_time,
                clock_offset=self._builder.clock_offset,
                computer=self._journal.origin.computer,
                users=self._users.known(),
            )
            self._tape.close()


def _enricher(
    configuration: Configuration | None, ruleset: Ruleset, builder: Builder, users: Users, extras: bool
) -> Enricher:
    options = configuration.options if configuration else None
    algorithms = options.hash_algorithms if options and options.hash_algorithms else ("SHA256",)
    sizes = options.field_sizes if options else {}
    hashes = Hashes(algorithms)
    return Enricher(builder.processes, users, hashes, field_sizes=sizes, reads=ruleset.reads, extras=extras)
