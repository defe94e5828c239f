"""The pure core: a record goes in, the events that the rules keep come out. No clock, file, socket or thread."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.layout.record import Record
from pysmon.pipeline.accounting import Accounting
from pysmon.pipeline.batch import Batch
from pysmon.pipeline.lives import Lives
from pysmon.pipeline.pushdown import Answer, Approvers
from pysmon.pipeline.sieve import Sieve
from pysmon.pipeline.starts import Starts
from pysmon.pipeline.straight import Straight
from pysmon.pipeline.ways import Way
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import EVENTS, Event
from pysmon.sensor.records import ASKS

_NETWORK = "network"


class Flow:
    """Records to kept events, by one ruleset. What the enricher reads of the machine is its border."""

    def __init__(
        self, ruleset: Ruleset, builder: Builder, enricher: Enricher, approvers: Approvers | None = None
    ) -> None:
        """Begin with empty counts. `approvers`: for `answers`."""
        self._books = Accounting()
        self._answers: list[Answer] = []
        self._builder = builder
        self._questions = builder.questions
        self._batch = Batch(builder)
        self.lives, self._sieve = Lives(builder, self._batch), Sieve(builder, self._batch)
        self._straight, self._starts = Straight(builder, self._batch), Starts(builder, self._batch)
        self.use(ruleset, enricher, approvers)

    def use(self, ruleset: Ruleset, enricher: Enricher, approvers: Approvers | None = None) -> None:
        """Judge by these rules from the next record on. Counts and the process table go on."""
        self._count()
        self._decide = ruleset.decide
        self._enricher, self._first = enricher, enricher.first
        self._approvers = {f: own for f, own in (approvers or {}).items() if all(each.learns for each in own)}
        self._answers.clear()
        self.lives.use(ruleset)
        self._sieve.use(ruleset, enricher)
        self._builder.want(i for i in EVENTS if ruleset.wants(i))
        self._straight.use(ruleset, enricher)
        self._starts.use(ruleset, enricher)

    @property
    def accounting(self) -> Accounting:
        """What became of all records so far."""
        self._count()
        return self._books

    def prepare(self) -> None:
        """What takes a while, before the first record under these rules; it may begin threads."""
        self._enricher.prepare()
        self._builder.prepare()

    def learn(self, record: Record) -> None:
        """Take what only informs: a process that was there before."""
        self._builder.take(record)

    def ways(
        self,
        times: list[int] | None = None,
        events: list[Event] | None = None,
        *,
        apart: Collection[int] = (),
        notice: Callable[[Record], None] | None = None,
    ) -> dict[int, Way]:
        """For the next batch: by the first byte of a record, who may take its bytes, and tells whether he has.

        What is taken so is counted as `take` would; what is kept of it goes to `events`, and to `times` when it
        happened (ns since 1970): without these only what is dropped is taken. What is not taken is untouched. Of the
        processes `apart` somebody else wants to hear, and whoever gives `notice` of programs that begin to run.
        """
        keeps = () if times is None or events is None else (*self._straight.takers, *self._starts.takers)
        self._batch.begin([] if times is None else times, [] if events is None else events, apart, notice)
        ways = {**self.lives.ways(), **self._sieve.ways()}
        for taker in keeps:
            ways[taker.record] = taker.beside(ways.get(taker.record))
        return ways

    def take(self, record: Record) -> tuple[Event, ...]:
        """The kept events of one record, with their RuleName; counted either way.

        Before them come those that have waited until its time for something that has not come.
        """
        late = self.overdue(record.time) if record.time >= self._questions.due else ()
        kept: tuple[Event, ...] = self._builder.take(record)
        if self._questions.due < self._batch.until:
            self._batch.until = self._questions.due
        if len(kept) == 1:
            if not self._judge(kept[0], record):
                kept = ()
        elif kept:
            kept = tuple([event for event in kept if self._judge(event, record)])
        if kept:
            self._books.records_kept[record.kind] += 1
        else:
            self._books.records_filtered[record.kind] += 1
        if record.cpu & ASKS:
            self._answer((record.tgid, record.start, record.exec_id), getattr(record, "uid", None))
        return late + kept if late else kept

    def overdue(self, now: int, *, last: bool = False) -> tuple[Event, ...]:
        """The kept events that wait for something that has not come by `now` (ns since boot), or never will."""
        kept = []
        for event, record in self._builder.unanswered(now, last=last):
            if self._judge(event, record):
                kept.append(event)
                self._books.records_filtered[record.kind] -= 1  # where it was as long as it waited
                self._books.records_kept[record.kind] += 1
        return tuple(kept)

    def knows(self, tgid: int) -> bool:
        """Is a process of this id among those that records have told of?"""
        return self._builder.processes.lately(tgid) is not None

    def skip(self, record: Record) -> None:
        """A record that is nobody's business: it is counted as filtered."""
        self._books.records_filtered[record.kind] += 1

    def answers(self) -> list[Answer]:
        """What is dropped of whoever the records since the last call have asked for."""
        found, self._answers = self._answers, []
        return found

    def answers_to_all(self) -> list[Answer]:
        """The same for all processes that run now, whether they were asked for or not."""
        self._answers.clear()
        for image in self._builder.processes.live() if self._approvers else ():
            self._answer(image.key, image.uid)
        return self.answers()

    def _count(self) -> None:
        for each in (self.lives, self._sieve, self._straight, self._starts):
            each.count(self._books)

    def _answer(self, process: tuple[int, int, int], uid: int | None) -> None:
        found = self._builder.who(process, uid) if uid is not None else None
        if uid is None or not found:
            return
        refused = [f for f, own in self._approvers.items() if not any(each.by_actor(*found) for each in own)]
        within = [e.refused_within(*found) for e in self._approvers.get(_NETWORK, ()) if e.minds_ends]
        brief = self.lives.drops_begin(found[0], uid)
        self._answers.append(Answer(found[0], uid, tuple(refused), process, within[0] if within else (), brief))

    def _judge(self, event: Event, record: Record) -> bool:
        for step in self._first.get(type(event), ()):
            step(event, record)
        verdict = self._decide(event)
        if not verdict.keep:
            self._books.events_filtered[event.type.id] += 1
            return False
        self._books.events_kept[event.type.id] += 1
        if event.type.tag:
            event.RuleName = verdict.rule_name  # type: ignore[attr-defined]  # all that rules speak of have one
        self._enricher.late(event, record)
        return True
