"""Delivery: every batch goes to every sink, and what a sink could not take is counted and told of once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from pysmon.assemble.service import error_report
from pysmon.errors import SinkError
from pysmon.pipeline.run import Delivery, deliver
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.sinks.sink import ReaderGoneError, WriteError

ORIGIN = Origin("host", 1, 2, 0)


def batch(*numbers: int) -> list[Entry[Event]]:
    return [Entry(n, n, error_report(n, "QUEUE", str(n)), ORIGIN) for n in numbers]


@dataclass
class ListSink:
    """Keeps what it is given, or fails: at the calls of these numbers, from 0."""

    name: str = "list"
    on_write: dict[int, SinkError] = field(default_factory=dict)
    on_flush: dict[int, SinkError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        self._call("write", self.on_write)
        self.taken += [e.record_id for e in entries]

    def flush(self) -> None:
        self._call("flush", self.on_flush)

    def close(self) -> None:
        self.calls.append("close")

    def _call(self, name: str, failures: dict[int, SinkError]) -> None:
        self.calls.append(name)
        failure = failures.get(self.calls.count(name) - 1)
        if failure:
            raise failure


def delivered(sinks: list[ListSink], *batches: list[Entry[Event]]) -> tuple[Delivery, list[str], threading.Event]:
    stop, told = threading.Event(), list[str]()
    return deliver(batches, sinks, stop, lambda error: told.append(str(error))), told, stop


def test_every_sink_gets_every_batch_in_order() -> None:
    sinks = [ListSink("a"), ListSink("b")]
    delivery, told, stop = delivered(sinks, batch(0, 1), batch(2))
    assert [s.taken for s in sinks] == [[0, 1, 2], [0, 1, 2]]
    assert (sum(delivery.unwritten.values()), delivery.troubles, told) == (0, [], [])
    assert not stop.is_set()


def test_each_batch_is_flushed_and_an_empty_one_is_only_flushed() -> None:
    sink = ListSink()
    delivered([sink], batch(0), [], batch(1))
    assert sink.calls == ["write", "flush", "flush", "write", "flush"]


def test_a_sink_is_given_each_batch_as_it_comes() -> None:
    sink, seen = ListSink(), list[list[int]]()

    def source() -> Iterator[list[Entry[Event]]]:
        for number in range(2):
            seen.append(list(sink.taken))
            yield batch(number)

    deliver(source(), [sink], threading.Event(), lambda _: None)
    assert seen == [[], [0]]


def test_a_sink_that_fails_costs_its_entries_and_the_rest_goes_on() -> None:
    failing, other = ListSink("failing", on_write={0: SinkError("no room")}), ListSink("other")
    delivery, told, stop = delivered([failing, other], batch(0, 1, 2), batch(3))
    assert failing.taken == [3]
    assert other.taken == [0, 1, 2, 3]
    assert delivery.unwritten == {"failing": 3}
    assert told == ["no room"]
    assert not stop.is_set()


def test_entries_that_went_out_before_a_failure_are_not_counted_as_lost() -> None:
    sink = ListSink(on_write={0: WriteError("no room", written=2)})
    delivery, told, _ = delivered([sink], batch(0, 1, 2))
    assert delivery.unwritten == {"list": 1}
    assert told == ["no room"]


def test_a_sink_that_goes_on_failing_is_told_of_once_and_counted_each_time() -> None:
    failures: dict[int, SinkError] = {n: SinkError(f"failure {n}") for n in range(3)}
    sink = ListSink(on_write=failures)
    delivery, told, _ = delivered([sink], batch(0), batch(1, 2), batch(3))
    assert delivery.unwritten == {"list": 4}
    assert told == ["failure 0"]
    assert delivery.troubles == [failures[0]]


def test_each_failing_sink_is_told_of() -> None:
    sinks = [ListSink(name, on_write={0: SinkError(name)}) for name in ("a", "b")]
    delivery, told, _ = delivered(sinks, batch(0))
    assert told == ["a", "b"]
    assert delivery.unwritten == {"a": 1, "b": 1}


def test_a_flush_that_fails_while_nothing_happens_is_told_of_once() -> None:
    sink = ListSink(on_flush={n: SinkError("no room") for n in range(3)})
    delivery, told, _ = delivered([sink], [], [], [])
    assert told == ["no room"]
    assert len(delivery.troubles) == 1
    assert sum(delivery.unwritten.values()) == 0


def test_a_reader_that_is_gone_ends_the_run_without_complaint() -> None:
    sink = ListSink(on_write={0: ReaderGoneError("broken pipe", written=1)})
    delivery, told, stop = delivered([sink], batch(0, 1, 2))
    assert stop.is_set()
    assert (told, delivery.troubles) == ([], [])
    assert delivery.unwritten == {"list": 2}


def test_what_is_no_failure_of_a_sink_is_not_swallowed() -> None:
    class Broken(ListSink):
        def flush(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        delivered([Broken()], batch(0))


def test_closing_the_sinks_is_left_to_their_owner() -> None:
    sink = ListSink()
    delivered([sink], batch(0))
    assert "close" not in sink.calls
