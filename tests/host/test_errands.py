"""Questions that may stay unanswered: nobody waits longer than he said."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from tests.host.gate import Gate

from pysmon.host.errands import Errands

SOON = 0.01  # s
EVER = 60.0  # s


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        """At a thousand seconds."""
        self.now = 1000.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


@pytest.fixture(name="gate")
def _gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()


def ended(gate: Gate, errands: Errands, about: str = "a disk") -> None:
    """The errand that the gate held up is back; that it passed the gate is a moment earlier."""
    gate.open()
    gate.wait()
    give_up = time.monotonic() + EVER
    while errands.ask(about, lambda: "there", patience=EVER) is None:
        assert time.monotonic() < give_up


def test_an_answer_comes_back_and_so_does_an_error() -> None:
    errands = Errands(patience=EVER)
    assert errands.ask("a disk", lambda: 7) == 7
    with pytest.raises(ValueError, match="of the question"):
        errands.ask("a disk", _fail)
    assert errands.ask("a disk", lambda: 8) == 8
    assert errands.reports() == []
    errands.close()


def _fail() -> int:
    raise ValueError("of the question")


def test_the_question_is_asked_in_another_thread_and_always_in_the_same_as_long_as_it_answers() -> None:
    errands = Errands(patience=EVER)
    threads = {errands.ask(about, threading.get_ident) for about in ("a disk", "another") for _ in range(3)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    errands.close()


def test_who_asks_a_place_that_does_not_answer_goes_on_without(gate: Gate) -> None:
    errands = Errands(patience=SOON)
    assert errands.ask("a disk", gate) is None
    assert errands.reports() == ["a disk did not answer within 0.01 s: events do without it until it does"]
    assert errands.reports() == []


def test_nothing_more_is_asked_there_until_it_has_answered(gate: Gate) -> None:
    errands = Errands(patience=SOON)
    assert [errands.ask("a disk", gate) for _ in range(5)] == [None] * 5
    assert gate.came == 1


def test_other_places_are_asked_meanwhile(gate: Gate) -> None:
    errands = Errands()
    assert errands.ask("a disk", gate, patience=SOON) is None
    assert errands.ask("another", lambda: "there", patience=EVER) == "there"


def test_after_it_answered_nobody_waits_for_a_while_and_then_all_is_as_before(gate: Gate) -> None:
    clock = Clock()
    errands = Errands(patience=SOON, clock=clock)
    assert errands.ask("a disk", gate) is None
    gate.open()
    gate.wait()
    slow = Gate()
    while not slow.came:  # the thread needs a moment to be free
        assert errands.ask("a disk", slow, patience=EVER) is None  # without waiting: the gate is closed
        time.sleep(SOON)
    errands.reports()
    clock.now += 5 * SOON + 0.001
    ended(slow, errands)
    assert errands.reports() == ["a disk answers in time again"]
    assert errands.ask("a disk", lambda: "there", patience=EVER) == "there"
    assert errands.reports() == []


def test_what_was_told_is_not_told_again_within_a_minute() -> None:
    clock = Clock()
    errands = Errands(patience=SOON, clock=clock)
    told = []
    for _ in range(2):
        gate = Gate()
        assert errands.ask("a disk", gate) is None
        clock.now += 1
        ended(gate, errands)
        told += errands.reports()
    assert len(told) == 2
    clock.now += 60
    gate = Gate()
    assert errands.ask("a disk", gate) is None
    assert len(errands.reports()) == 1
    gate.open()


def test_when_all_threads_are_held_up_nobody_is_asked_and_nobody_waits() -> None:
    gates = [Gate(), Gate()]
    errands = Errands(patience=SOON, threads=2)
    for number, gate in enumerate(gates):
        assert errands.ask(f"disk {number}", gate) is None
    assert errands.ask("a third", lambda: "there", patience=EVER) is None
    ended(gates[0], errands, "a third")
    gates[1].open()


def test_threads_end_when_they_are_not_needed_any_more() -> None:
    before = threading.active_count()
    errands = Errands(patience=EVER)
    errands.ask("a disk", lambda: 7)
    assert threading.active_count() == before + 1
    errands.close()
    give_up = time.monotonic() + EVER
    while threading.active_count() > before:
        assert time.monotonic() < give_up
        time.sleep(SOON)
