"""How long a run sleeps: never longer than it may while something happens, and long when nothing does."""

from __future__ import annotations

from pysmon.pipeline.rest import DEADLINE, LOOK, SELDOM, Rest


def idle(rest: Rest, turns: int) -> Rest:
    for _ in range(turns):
        rest.turned(happened=False)
    return rest


def test_who_finds_records_comes_again_soon_and_does_not_lie_down() -> None:
    rest = Rest(100.0)
    assert rest.patience(100.0, expects=False) == DEADLINE
    assert not rest.may_lie_down
    rest.turned(happened=True)
    assert rest.patience(100.0, expects=False) == DEADLINE
    assert not rest.may_lie_down


def test_who_finds_nothing_lies_down_and_looks_once_more_before_it_sleeps_long() -> None:
    rest = Rest(100.0)
    rest.look(100.0)
    idle(rest, 1)
    assert rest.may_lie_down
    assert rest.patience(100.0, expects=False) == DEADLINE
    idle(rest, 1)
    assert rest.patience(100.0, expects=False) == SELDOM


def test_it_sleeps_no_longer_than_until_it_looks_after_itself() -> None:
    rest = Rest(100.0)
    rest.look(100.0)
    idle(rest, 2)
    assert rest.patience(103.0, expects=False) == SELDOM - 3.0
    assert rest.patience(100.0 + 2 * SELDOM, expects=False) == 0.0


def test_one_look_follows_soon_on_what_happened_and_then_they_are_seldom() -> None:
    rest = Rest(100.0)
    rest.turned(happened=True)
    idle(rest, 3)
    assert rest.patience(100.2, expects=False) == 100.0 + LOOK - 100.2
    assert not rest.is_time_to_look(100.0 + LOOK / 2, expects=False)
    assert rest.is_time_to_look(100.0 + LOOK, expects=False)
    assert rest.look(101.0)
    assert not rest.is_time_to_look(101.0 + LOOK, expects=False)
    assert rest.is_time_to_look(101.0 + SELDOM, expects=False)
    assert not rest.look(101.0 + SELDOM)


def test_who_expects_what_no_record_tells_of_looks_often() -> None:
    rest = Rest(100.0)
    rest.look(100.0)
    idle(rest, 5)
    assert rest.patience(100.0, expects=True) == LOOK
    assert rest.is_time_to_look(100.0 + LOOK, expects=True)


def test_the_longest_sleep_may_be_shorter() -> None:
    rest = Rest(100.0, longest=1.2)
    rest.look(100.0)
    idle(rest, 5)
    assert rest.patience(100.0, expects=False) == 1.2
    assert rest.is_time_to_look(101.2, expects=False)
