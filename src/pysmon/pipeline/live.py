"""The live run: kernel records through the flow, as batches of entries."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.questions import NEVER
from pysmon.assemble.service import error_report, service_state
from pysmon.config.model import Configuration
from pysmon.errors import RecordError
from pysmon.host.archive import Archive
from pysmon.host.dconf.reader import DconfReader
from pysmon.host.errands import Errands
from pysmon.host.machine import clock_offset, clock_offset_after, host_name, since_boot, this_machine
from pysmon.host.user_database import UserDatabase
from pysmon.host.users import Users
from pysmon.pipeline.accounting import Books, losses
from pysmon.pipeline.beside import Beside
from pysmon.pipeline.canary import Sight
from pysmon.pipeline.changes import Changes
from pysmon.pipeline.defects import Defects
from pysmon.pipeline.early import Early
from pysmon.pipeline.elsewhere import Elsewhere
from pysmon.pipeline.eyes import By, open_eyes
from pysmon.pipeline.files import files_for
from pysmon.pipeline.flights import Flights
from pysmon.pipeline.flow import Flow
from pysmon.pipeline.learner import Learner
from pysmon.pipeline.needs import LACKING, Capability, lacking_here
from pysmon.pipeline.outcome import Journal, Outcome
from pysmon.pipeline.policy import Policy
from pysmon.pipeline.replay import note_facts
from pysmon.pipeline.rest import DEADLINE, Rest
from pysmon.pipeline.teacher import Teacher
from pysmon.pipeline.texts import noted
from pysmon.release import VERSION
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.schema.versions import newest
from pysmon.sensor.kernel import Count
from pysmon.sensor.last_words import LastWords
from pysmon.sensor.records import decode, family_of
from pysmon.sensor.scope import Scope
from pysmon.sensor.tape import TapeWriter

GATHER = 0.05  # s: records that come within it share one batch, which costs less than many small ones
_PATIENCE = 5.0  # s for the command to end after it was asked to


class Session:
    """One run of the sensor. Iterate over `batches`; then `outcome` tells what became of everything.

    `reconfigure` and `report` may be called from any thread meanwhile; `books`, `policy` and `sight` tell how it goes.
    """

    def __init__(
        self,
        configuration: Configuration | Policy | None,
        scope: Scope | None = None,
        *,
        command: Sequence[str] | None = None,
        by: By = "kernel",
        reloads: bool = True,
        record_to: Path | None = None,
        extras: bool = True,
        first_record: int = 0,
        canary: Path | None = None,
        guarded: bool = False,
        last_words: LastWords | None = None,
        mounts: Sequence[Path] | None = None,
        archive: Archive | None = None,
        displays: Sequence[Path] | None = None,
        early: Early | None = None,
    ) -> None:
        """Load the sensor, and hold `command` (its process tree is then the scope) until `batches` begins.

        `by`: the kernel's sensor, or ptrace for a command, or the one where the other is refused; `traced` tells why.
        `reloads`: there may be a `reconfigure`; without one the start is faster. `extras`: gather what only JSON shows.
        `first_record` numbers the first entry, to go on with a log. `canary`: a folder in which a process of our own
        may prove that the sensor sees it, unless the scope is too narrow for that.
        `guarded`: tell who reaches for this process, and, from its `last_words`, who did for the one before it.
        `mounts`: watch what files hold on the file systems of these paths; None means on all local ones if the whole
        machine is watched, else on none; `displays` the same of clipboards, by sockets. `archive` takes copies of both.
        `early`: what sees its own scope and mounts already; the configuration holds, as event 16 tells, once it is not
        `starting`. SensorError and MisuseError tell what is in the way.
        """
        self.policy = own = configuration if isinstance(configuration, Policy) else Policy.of(configuration)
        self.scope = early.scope if early else scope or Scope.machine()
        whole = self.scope.kind == "machine" and command is None
        begun = early.files if early else files_for(own.ruleset, mounts, whole=whole)
        with ExitStack() as undo:
            self._beside = Beside(own.configuration, own.ruleset, archive, begun, displays, whole=whole)
            undo.callback(self._beside.close)
            eyes = open_eyes(own.families, command, by, undo, others_later=reloads, early=early)
            self.sensor, self._command, self.traced = eyes
            self.starting = early.sensor if early else None  # until it is whole
            self._tape = TapeWriter(record_to) if record_to else None
            undo.pop_all()
        self.scope = Scope.of_tree(self._command.pid) if self._command else self.scope
        self._machine, self._extras, self._errands = this_machine(), extras, Errands()
        self._users = Users(ask=UserDatabase(self._errands))
        reader, databases = noted(self._beside.texts(self._errands), self._tape), DconfReader(self._errands)
        self._builder = Builder(
            self._machine, self._users, clock_offset=clock_offset(), reader=reader, databases=databases
        )
        self._elsewhere = Elsewhere(self.sensor, lambda: "dns" in self.policy.families)
        self._flow = Flow(self.policy.ruleset, self._builder, self._enricher(), self.policy.approvers)
        self._learner = Learner(self.sensor, self._flow, self._elsewhere, self._tape, early)
        self._teacher = Teacher(self.sensor.pushdown, self._flow, self._users, mute=bool(self._tape))  # it needs all
        self.journal = Journal(Origin(host_name(), os.getpid(), threading.get_native_id(), os.geteuid()), first_record)
        self._changes, self._defects, self._counts = Changes(), Defects(), dict.fromkeys(self._count(), Count(0, 0))
        self._reports: SimpleQueue[Event] = SimpleQueue()
        self._guarded, self._last_words, self._closed, self._looked_at = guarded, last_words, False, since_boot()
        self.rest = Rest(time.monotonic())  # between batches, while `patient` holds
        self.wake = self.sensor.wake  # to have a batch soon, if an empty one; from any thread, or a signal handler
        self.canaries = Flights(self.sensor, canary if self.scope.kind in ("machine", "tree") else None)
        self.lacks: tuple[Capability, ...] = ()  # what the policy asks for and cannot be had here
        self.books = self._books()
        self.unbalanced: list[str] = []  # families whose books did not add up when last looked at; a defect of pysmon
        self.outcome: Outcome | None = None

    def reconfigure(self, policy: Policy) -> threading.Event:
        """Go on by this policy: it takes the place of the other between two records, and event 16 stands between.

        What is given back is set once it holds, or the run is over.
        """
        self.sensor.prepare(policy.families)
        asked = self._changes.ask(policy)
        self.wake()
        return asked

    def put(self, event: Event) -> None:
        """Put an event of our own into the log."""
        self._reports.put(event)
        self.wake()

    @property
    def patient(self) -> bool:
        """Whether entries may come late, up to `DEADLINE`, in fewer and larger batches: it costs less."""
        return self.sensor.patient

    @patient.setter
    def patient(self, value: bool) -> None:
        self.sensor.patient = value

    def report(self, error: str, description: str) -> None:
        """Put an event 255 into the log."""
        self.put(error_report(time.time_ns(), error, description))

    def batches(self, stop: threading.Event) -> Iterator[list[Entry[Event]]]:
        """Entries as they come, until `stop` is set or the command ends. An empty batch says that nothing happens."""
        try:
            self._teacher.begin(self.policy.approvals)
            since = self._learner.watch(self.scope)
            told = [] if self.starting else self._in_force(since)
            started = service_state(since, "Started", VERSION, newest("linux").version)
            yield self._own(*told[:1], started, *told[1:], when=since)
            self._flow.prepare()
            self._learner.learn()
            self._teacher.answer_all()
            self._beside.use(self.policy.configuration, self.policy.ruleset)
            self.sensor.wake_by(*self._beside.filenos)
            if not self.starting:
                yield from self._now_guarded()
                self._send_canary()
            if self._command:
                self._command.release()
            yield from self._run(stop)
            yield from self._end()
        finally:
            self.close()

    @property
    def sight(self) -> Sight | None:
        """What came of the last canary."""
        return self.canaries.sight

    def close(self) -> None:
        """Let go of everything; for a session whose `batches` were never asked for. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._changes.close()
        if self._command:
            self._command.stop()
        self.canaries.stop()
        self._beside.close()
        self._elsewhere.close()
        self.sensor.close()
        self._errands.close()
        self._learner.close()
        if self._command:
            self._command.poll()  # it has ended by now unless it will not: leave no zombie
        if self._tape:
            users = self._users.known()
            note_facts(self._tape, self._machine, self._builder.clock_offset, self.journal.origin.computer, users)
            self._tape.close()

    def _run(self, stop: threading.Event) -> Iterator[list[Entry[Event]]]:
        while not stop.is_set():
            patient = self.sensor.patient
            if (due := self._beside.due) or self._wait(patient=patient) or patient:
                data = self.sensor.read()
                entries = self._take(data) + self._take_beside()
                self.rest.turned(happened=bool(data or entries or due))
                yield entries
            else:
                yield []
            if self._command and self._command.poll():
                return
            if self.starting and self.starting.whole:
                yield from self._now_whole()
            if self._changes.waiting or not self._reports.empty():
                self.rest.turned(happened=True)
                yield self._heed()
            if self.rest.is_time_to_look(time.monotonic(), expects=self._expects or not patient):
                yield from self._look_after(idle=not self.rest.look(time.monotonic()))
            if not (self.sensor.behind or patient):
                time.sleep(GATHER)

    def _wait(self, *, patient: bool) -> bool:
        """Sleep until there may be records, or for as long as may be; True if there may be."""
        if not patient or self._command:
            return self.sensor.wait(GATHER if self._command else DEADLINE)
        self.sensor.asleep = self.rest.may_lie_down
        return self.sensor.wait(self.rest.patience(time.monotonic(), expects=self._expects))

    @property
    def _expects(self) -> bool:
        """Is there something to come that no record tells of?"""
        return self.canaries.fly or self._learner.is_due or self._builder.questions.due < NEVER

    def _end(self) -> Iterator[list[Entry[Event]]]:
        """Stop the command, drain what is left, and close the books."""
        if self._command:
            self._command.stop()
            give_up = time.monotonic() + _PATIENCE
            while not self._command.poll() and time.monotonic() < give_up:
                yield self._take(self.sensor.read())
                time.sleep(GATHER)
        self.sensor.watch(Scope("nobody"))
        if self._guarded:
            self.sensor.unguard()
        time.sleep(GATHER)  # programs that were running when the scope changed have ended by then
        while data := self.sensor.read():
            yield self._take(data)
        yield self._take_beside(last=True)
        yield self._heed()
        yield from self._look_after(last=True)
        yield self._own(service_state(time.time_ns(), "Stopped", VERSION, newest("linux").version))
        self.books = self._books()
        services = tuple(s for s in self.sensor.services if s.ability.family in self._asked())
        status, lacks = self._command.status if self._command else None, tuple(map(str, self.lacks))
        self.outcome = Outcome(self.books.kept, self.books.filtered, self.books.families, services, lacks, status)

    def _take(self, data: list[bytes]) -> list[Entry[Event]]:
        offset, times, events = self._builder.clock_offset, list[int](), list[Event]()
        canaries, heeds = self.canaries.numbers, self._elsewhere.heeds
        ways = self._flow.ways(times, events, apart=canaries, notice=self._elsewhere.notice if heeds else None)
        for raw in data:
            if self._tape:
                self._tape.record(raw)
            try:
                if (way := ways.get(raw[0])) and way(raw):
                    continue
                record = decode(raw)
                if record.tgid in canaries and self.canaries.own(record):
                    self._flow.skip(record)
                    continue
                if heeds:
                    self._elsewhere.notice(record)
                kept = self._flow.take(record)
            except RecordError:
                self._flow.accounting.unreadable[family_of(raw)] += 1
                continue
            except Exception as defect:
                self._survive(defect, family_of(raw))
                continue
            if kept:
                events += kept
                times += [offset + record.time] * len(kept)
        self._teacher.answer()
        return self.journal.entries(events, times)

    def _take_beside(self, *, last: bool = False) -> list[Entry[Event]]:
        """What came of the content of files, and of clipboards."""
        offset, kept = self._builder.clock_offset, self._beside.take(self._flow, self._tape, self._survive, last=last)
        return [self.journal.entry(event, offset + time) for event, time in kept]

    def _survive(self, defect: Exception, family: str) -> None:
        """Count the record as lost, and tell it the first time: one odd record must not be a way to end the service."""
        if not self._guarded:
            raise defect
        self._flow.accounting.unreadable[family] += 1
        if words := self._defects.words(defect, family):
            self.report("DEFECT", words)

    def _heed(self) -> list[Entry[Event]]:
        """What other threads asked for: events of their own, and a new policy."""
        events = [self._reports.get() for _ in range(self._reports.qsize())]
        for policy in self._changes.take():
            self.policy = policy
            self.sensor.pushdown.suspend()
            self._flow.use(policy.ruleset, self._enricher(), policy.approvers)
            self._flow.prepare()
            self.sensor.want(policy.families)
            self._beside.use(policy.configuration, policy.ruleset)
            self._teacher.begin(policy.approvals)
            self._send_canary()
            events += self._in_force()
        return self._own(*events)

    def _in_force(self, when: int | None = None) -> list[Event]:
        """The policy holds, from now on or since `when`; what it asks for and cannot be had, each as an event 255."""
        self.lacks = lacking_here(self.sensor.services, self._beside, self.policy)
        now = when or time.time_ns()
        return [self.policy.told(now), *(error_report(now, LACKING, str(each)) for each in self.lacks)]

    def _now_whole(self) -> Iterator[list[Entry[Event]]]:
        """All is there that the policy asks for."""
        self.sensor.want(self.policy.families)
        yield self._own(*self._in_force())
        self.starting = None
        yield from self._now_guarded()
        self._send_canary()

    def _now_guarded(self) -> Iterator[list[Entry[Event]]]:
        """If that was asked for. What was done to the run before this one is told now: it had no time to."""
        if self._guarded:
            self.sensor.guard()
            offset, found = self._builder.clock_offset, self._last_words.read() if self._last_words else []
            yield [self.journal.entry(e, offset + record.time) for record in found for e in self._builder.take(record)]

    def _repeated(self, *, last: bool) -> list[Entry[Event]]:
        """Deeds against us that were done again since they were told; what was told needs to outlive us no longer."""
        before, self._looked_at = self._looked_at, since_boot()
        if not self.sensor.behind and self.books.families["guard"].seen:
            self.sensor.last_words.forget(self._looked_at if last else before)
        return self._own(*self._builder.overdue(self._looked_at, last=last))

    def _look_after(self, *, idle: bool = False, last: bool = False) -> Iterator[list[Entry[Event]]]:
        """Tell of losses and blindness, make up for missed processes, follow the clock. `idle`: nothing has come."""
        for trouble in self._beside.look():
            yield self._own(error_report(time.time_ns(), *trouble))
        before, self._counts = self._counts, self._count()
        if lost := losses(before, self._counts):
            yield self._own(error_report(time.time_ns(), "QUEUE", lost))
        if self._learner.make_up(missed=any(self._counts[f].lost > before[f].lost for f in ("process", "fork"))):
            self._teacher.answer_all()
        if late := [*self._errands.reports(), *self._learner.reports()]:
            yield self._own(*(error_report(time.time_ns(), "HOST", words) for words in late))
        if unseen := self.sensor.reports():
            yield self._own(*(error_report(time.time_ns(), "HOOK", words) for words in unseen))
        if not idle or self._counts != before:
            self.books = self._books()
        if self._guarded:
            yield self._repeated(last=last)
        if (last or not self.sensor.behind) and (waited := self._flow.overdue(since_boot(), last=last)):
            yield self._own(*waited)
        if not self.sensor.behind:
            self.unbalanced = self.books.unbalanced(before)
        if sight := self.canaries.landed():
            if sight.blind:
                yield self._own(error_report(time.time_ns(), "CANARY", str(sight)))
            if not last:
                self._send_canary()  # for what came to be wanted while it flew
        if self._teacher.is_outdated:
            self._teacher.begin(self.policy.approvals)
        self.journal.is_on(host_name())  # early in a boot it is not set yet
        self._builder.clock_offset = clock_offset_after(self._builder.clock_offset)

    def _send_canary(self) -> None:
        """Prove that what is wanted is seen, for families that no canary was sent for yet."""
        if why := self.canaries.send(self._asked()):
            self.report("CANARY", why)

    def _asked(self) -> frozenset[str]:
        """The families that the sensor is asked for now."""
        return self.policy.families | {"process", *(("guard",) if self._guarded else ())}

    def _enricher(self) -> Enricher:
        return self.policy.enricher(self._builder, self._users, self._errands, extras=self._extras, beside=self._beside)

    def _count(self) -> dict[str, Count]:
        return self.sensor.counts() | self._beside.counts()

    def _books(self) -> Books:
        counts = self._flow.accounting
        return Books(dict(counts.kept), dict(counts.filtered), counts.families(self._counts), dict(counts.unreadable))

    def _own(self, *events: Event, when: int | None = None) -> list[Entry[Event]]:
        return [self.journal.entry(event, when or time.time_ns()) for event in events]
