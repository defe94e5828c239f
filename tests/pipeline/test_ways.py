"""Ways from bytes to events: what is written out for a kind of record and for some rules."""

from __future__ import annotations

from typing import Any

import pytest
from tests.assemble.stage import BOOT, CHILD, builder, flow, head
from tests.tapes.play import configured

from pysmon.pipeline.accounting import Accounting
from pysmon.pipeline.batch import Batch
from pysmon.pipeline.ways import Kind, Taker, Way, event_lines
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import ProcessTerminate
from pysmon.schema.event import Event
from pysmon.sensor.records import ASKS, ExitRecord, FlowRecord

# Not a kind that there is: a connection is told as if a process had ended.
KIND = Kind(
    record=FlowRecord,
    members=("uid", "source_port"),
    odd=("source_port == 1",),
    needs={"said": "known.get(uid)"},
    made={"port": "f'{source_port}'"},
    event=ProcessTerminate,
    of_actor=frozenset({"User"}),
    is_more="source_port == 2",
    values={
        "UtcTime": "batch.now",
        "ProcessGuid": "said.user",
        "ProcessId": "tgid",
        "Image": "port",
        "User": "said.user",
    },
    extra="None",
)
WRITTEN = """\
try:
    cpu, time, start, exec_id, tgid, uid, source_port = unpack(data)
except error:
    return False
if source_port == 1 or cpu & ASKS or tgid in batch.apart or (time >= batch.until and batch.is_due(time)):
    return False
said = known.get(uid)
if not said:
    return False
port = f'{source_port}'
when = batch.offset + time
if when // 1_000_000 != batch.milli:
    batch.tick(when)
verdict = judge((tgid, port, ))
if not verdict.keep:
    taker.dropped += 1
    return True
if source_port == 2:
    return False
event = new(cls)
event.RuleName = verdict.rule_name
event.UtcTime = batch.now
event.ProcessGuid = event.User = said.user
event.ProcessId = tgid
event.Image = port
event.extra = None
batch.keep_event(event)
batch.keep_time(when)
taker.kept += 1
return True"""


class Joe:
    """What is said of him."""

    user = "joe"

    def __init__(self, ruleset: Ruleset) -> None:
        names, judge = ruleset.by_values(5)
        self.verdict = judge(("joe",) * len(names))


class Taken:
    """A taker, and what it kept."""

    def __init__(self, rules: str = "", kind: Kind = KIND, onmatch: str = "exclude") -> None:
        text = f'<ProcessTerminate onmatch="{onmatch}">{rules}</ProcessTerminate>'
        ruleset = Ruleset.compile(
            configured(f'<Sysmon schemaversion="4.90"><EventFiltering>{text}</EventFiltering></Sysmon>')
        )
        self.times, self.events, self.batch = list[int](), list[Event](), Batch(builder())
        self.batch.begin(self.times, self.events, [99], None)
        self.batch.until = 9
        self.taker = Taker(kind, ruleset, self.batch, {"known": {1000: Joe(ruleset)}})

    def way(self, **more: Any) -> bool:
        values = {"uid": 1000, "source_port": 3} | more
        return self.taker.way(FlowRecord.make(**head(CHILD, 2) | values).encode())

    def counts(self) -> tuple[int, int, int, int]:
        """Kept and filtered, of events and of records."""
        books = Accounting()
        self.taker.count(books)
        number = FlowRecord.layout.kind
        return (
            *(books.events_kept[5], books.events_filtered[5]),
            *(books.records_kept[number], books.records_filtered[number]),
        )


def test_a_way_is_written_as_one_would_write_it() -> None:
    assert "\n".join(event_lines(KIND, ("ProcessId", "Image"))) == WRITTEN


def test_a_record_becomes_an_event_with_its_time() -> None:
    made = Taken()
    assert made.way()
    assert made.events == [
        ProcessTerminate(
            UtcTime="2026-11-21 05:46:40.000", ProcessGuid="joe", ProcessId=CHILD[0], Image="3", User="joe"
        )
    ]
    assert made.times == [BOOT + 2]
    assert made.counts() == (1, 0, 1, 0)
    assert made.counts() == (0, 0, 0, 0)


@pytest.mark.parametrize("field", ["<User>joe</User>", "<Image>3</Image>", "<ProcessId>11</ProcessId>"])
def test_what_the_rules_drop_is_counted_and_no_event(field: str) -> None:
    made = Taken(field)
    assert made.way()
    assert not made.events
    assert made.counts() == (0, 1, 0, 1)


def test_the_name_of_the_rule_is_told() -> None:
    made = Taken('<Image name="R">3</Image>', onmatch="include")
    assert [made.way(source_port=port) for port in (3, 4)] == [True, True]
    assert [event.text("RuleName") for event in made.events] == ["R"]
    assert made.counts() == (1, 1, 1, 1)


@pytest.mark.parametrize("more", [{"source_port": 1}, {"uid": 1}, {"source_port": 2}, {"cpu": ASKS}, {"tgid": 99}])
def test_what_is_not_plain_is_left_alone(more: dict[str, int]) -> None:
    made = Taken()
    assert not made.way(**more)
    assert not made.events
    assert made.counts() == (0, 0, 0, 0)


def test_when_the_builder_has_more_to_do_a_record_is_left_to_it_and_what_hangs_on_users_is_forgotten() -> None:
    made, forgotten = Taken(), list[int]()
    made.batch.on_due(lambda: forgotten.append(made.batch.until))
    assert [made.way(time=time) for time in (8, 9)] == [True, False]
    assert forgotten == [0]


def test_what_is_no_news_is_a_record_without_an_event() -> None:
    made = Taken(kind=Kind(**vars(KIND) | {"is_news": "source_port != 4"}))
    assert [made.way(source_port=port) for port in (4, 5)] == [True, True]
    assert made.counts() == (1, 0, 1, 1)


@pytest.mark.parametrize(
    ("rules", "asked"),
    [("<User>joe</User>", []), ("<Image>3</Image>", [3]), ("<Image>4</Image>", [3])],
)
def test_who_takes_what_is_dropped_is_asked_first_unless_the_actor_decides(rules: str, asked: list[int]) -> None:
    made, seen = Taken(rules), list[int]()

    def drops(data: bytes) -> bool:
        seen.append(FlowRecord.decode(data).source_port)
        return False

    way: Way = made.taker.beside(drops)
    assert way(flow(CHILD, time=2, uid=1000, source_port=3).encode())
    assert seen == asked


def test_a_member_that_the_record_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="ExitRecord has no member source_port"):
        Taken(kind=Kind(**vars(KIND) | {"record": ExitRecord}))
