"""The ring's reader against a producer that writes as the kernel does (kernel/bpf/ringbuf.c), in a file in memory."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from pysmon.sensor.ring import Ring

PAGE = mmap.PAGESIZE
SIZE = PAGE
BUSY, DISCARDED = 1 << 31, 1 << 30
State = Literal["busy", "committed", "discarded"]
FLAGS: dict[State, int] = {"busy": BUSY, "committed": 0, "discarded": DISCARDED}


@dataclass
class Written:
    """One record as the producer knows it."""

    position: int
    data: bytes
    state: State

    @property
    def end(self) -> int:
        return self.position + (len(self.data) + 8 + 7) // 8 * 8


class Producer:
    """The kernel's end of a ring. `pending` is what it wrote and the reader has not consumed."""

    def __init__(self, start: int = 0) -> None:
        self.name = f"ring-{uuid4()}"
        self.fd = os.memfd_create(self.name)
        os.truncate(self.fd, 2 * PAGE + SIZE)
        self._made = 0
        self.pending: list[Written] = []
        self.produced = start
        for page in (0, PAGE):
            os.pwrite(self.fd, struct.pack("<Q", start), page)

    @property
    def consumed(self) -> int:
        return int(struct.unpack("<Q", os.pread(self.fd, 8, 0))[0])

    def put(self, size: int, state: State) -> bytes | None:
        """Reserve room for a record of `size` bytes and fill it; None if there is no room."""
        self._made += 1
        made = Written(self.produced, bytes((self._made + i) % 251 for i in range(size)), state)
        if made.end - self.consumed > SIZE - 1:
            return None
        self._write(made.position, struct.pack("<II", size | FLAGS[state], 7))
        self._write(made.position + 8, made.data)
        self.pending.append(made)
        self.produced = made.end
        os.pwrite(self.fd, struct.pack("<Q", self.produced), PAGE)
        return made.data

    def settle(self, record: Written, state: State) -> None:
        """Commit or discard a record that was busy."""
        record.state = state
        self._write(record.position, struct.pack("<I", len(record.data) | FLAGS[state]))

    def complete(self) -> list[bytes]:
        """What a reader may take now, by the book; it is pending no more."""
        taken: list[bytes] = []
        while self.pending and self.pending[0].state != "busy":
            record = self.pending.pop(0)
            taken += [record.data] if record.state == "committed" else []
        return taken

    def _write(self, position: int, data: bytes) -> None:
        at = position % SIZE
        first = data[: SIZE - at]
        os.pwrite(self.fd, first, 2 * PAGE + at)
        os.pwrite(self.fd, data[len(first) :], 2 * PAGE)


@contextmanager
def ring(start: int = 0, **options: int) -> Iterator[tuple[Producer, Ring]]:
    producer = Producer(start)
    reader = Ring(producer.fd, SIZE, **options)
    try:
        yield producer, reader
    finally:
        reader.close()
        os.close(producer.fd)


def test_a_process_that_is_forked_has_no_part_in_its_memory() -> None:
    with ring() as (producer, _):
        assert producer.name in Path("/proc/self/maps").read_text()
        child = os.fork()
        if child == 0:
            os._exit(producer.name in Path("/proc/self/maps").read_text())
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def room(record: bytes) -> int:
    """What it takes in the ring."""
    return (len(record) + 8 + 7) // 8 * 8


Step = tuple[str, int | None, State | None]
states: st.SearchStrategy[State] = st.sampled_from(["committed", "committed", "discarded", "busy"])
puts = st.tuples(st.just("put"), st.one_of(st.integers(0, 40), st.integers(0, SIZE)), states)
settlings = st.tuples(st.just("settle"), st.integers(0, 5), st.sampled_from(["committed", "discarded"]))
drains = st.tuples(st.just("drain"), st.one_of(st.none(), st.integers(1, 2 * SIZE)), st.none())


@given(st.integers(0, 1 << 50).map(lambda n: n * 8), st.lists(st.one_of(puts, settlings, drains), max_size=60))
def test_the_reader_gets_what_was_committed_once_and_in_order(start: int, steps: list[tuple[str, Any, Any]]) -> None:
    due, told = list[bytes](), list[bytes]()
    with ring(start) as (producer, reader):
        for step, number, state in [*steps, ("drain", None, None)]:
            busy = [r for r in producer.pending if r.state == "busy"]
            if step == "put" and number is not None and state:
                producer.put(number, state)
            elif step == "settle" and number is not None and state:
                if number < len(busy):
                    producer.settle(busy[number], state)
            else:
                due += producer.complete()
                limit = sum(map(room, due)) + 1 if number is None else number
                found = reader.drain(limit)
                assert sum(map(room, found[:-1])) < limit
                assert found or told == due
                told += found
                assert told == due[: len(told)]
                assert told == due or number is not None
                assert reader.more == (told != due or bool(producer.pending))
                assert producer.consumed == (producer.pending[0].position if producer.pending else producer.produced)


def test_an_empty_ring_gives_nothing() -> None:
    with ring() as (_, reader):
        assert reader.drain() == []
        assert not reader.more


def test_a_record_that_goes_over_the_end_is_joined() -> None:
    with ring(SIZE - 24) as (producer, reader):
        data = producer.put(100, "committed")
        assert reader.drain() == [data]


def test_a_record_that_ends_with_the_ring_is_whole() -> None:
    with ring(SIZE - 24) as (producer, reader):
        data = [producer.put(16, "committed"), producer.put(3, "committed")]
        assert reader.drain() == data


def test_the_reader_stops_at_a_busy_record_and_goes_on_when_it_is_done() -> None:
    with ring() as (producer, reader):
        first, second, third = producer.put(8, "committed"), producer.put(8, "busy"), producer.put(8, "committed")
        assert reader.drain() == [first]
        assert reader.more
        assert reader.drain() == []
        assert reader.more
        producer.settle(producer.pending[1], "committed")
        assert reader.drain() == [second, third]
        assert not reader.more


def test_a_discarded_record_is_passed_over_and_its_room_given_back() -> None:
    with ring() as (producer, reader):
        producer.put(SIZE // 2, "discarded")
        assert producer.put(SIZE // 2, "committed") is None
        assert reader.drain() == []
        assert not reader.more
        assert producer.put(SIZE // 2, "committed")


def test_a_limit_leaves_the_rest_for_the_next_time() -> None:
    with ring() as (producer, reader):
        data = [producer.put(24, "committed") for _ in range(5)]  # 32 bytes each
        assert reader.drain(64) == data[:2]
        assert reader.more
        assert producer.consumed == producer.produced  # the kernel has room again for all of it
        assert reader.drain(65) == data[2:5]
        assert not reader.more


def test_no_more_is_set_aside_than_may_be() -> None:
    with ring(reserve=64) as (producer, reader):
        data = [producer.put(24, "committed") for _ in range(5)]
        assert reader.drain(32) == data[:1]
        assert producer.consumed == 64
        assert [reader.drain(32) for _ in range(4)] == [[each] for each in data[1:]]
        assert not reader.more


def test_a_record_longer_than_the_limit_is_read_all_the_same() -> None:
    with ring() as (producer, reader):
        data = producer.put(1000, "committed")
        assert reader.drain(1) == [data]


def test_what_was_read_stays_when_its_room_is_written_again() -> None:
    with ring() as (producer, reader):
        data = producer.put(SIZE // 2, "committed")
        read = reader.drain()
        producer.put(SIZE // 2 + 100, "committed")
        assert read == [data]


def test_a_closed_ring_is_mapped_no_more() -> None:
    producer = Producer()
    reader = Ring(producer.fd, SIZE)
    assert producer.name in maps()
    reader.close()
    assert producer.name not in maps()
    os.close(producer.fd)


def maps() -> str:
    with open("/proc/self/maps") as file:
        return file.read()
