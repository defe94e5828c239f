"""Questions that wait: bounds, and when they are given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pysmon.assemble.questions import CALL_PATIENCE, PATIENCE, Asked, Questions, Waiting
from pysmon.schema.catalogue import DnsQuery
from pysmon.sensor.records import DnsMessageRecord

RECORD = DnsMessageRecord.make()


def asked(number: int) -> Asked:
    return Asked(1, 2, 3, number, "a", 1)


def waiting(time: int = 0) -> Waiting:
    event = DnsQuery(UtcTime="2026-01-01 00:00:00.000", ProcessGuid="{0}", ProcessId=1)
    return Waiting(event, RECORD, time + PATIENCE)


def test_an_empty_table_is_never_due() -> None:
    made = Questions()
    assert made.overdue(made.due - 1) == []
    assert made.overdue(0, last=True) == []


def test_the_oldest_is_told_when_there_are_too_many() -> None:
    made = Questions(limit=2)
    kept = [waiting(i) for i in range(3)]
    for i, each in enumerate(kept):
        made.ask(asked(i), each)
    assert made.due == 0
    assert made.overdue(3) == kept[:1]
    assert made.due == kept[1].due


def test_too_many_look_ups_let_the_oldest_go_with_what_it_asked() -> None:
    made = Questions(limit=2)
    first = waiting()
    made.call((1, 1, 1), 0).ask(asked(1), first)
    made.call((1, 1, 2), 1)
    assert made.due == CALL_PATIENCE
    made.call((1, 1, 3), 2)
    assert made.overdue(3) == [first]


def test_what_a_look_up_asks_is_bounded() -> None:
    call = Questions().call((1, 1, 1), 0)
    for i in range(100):
        call.ask(asked(i), waiting())
    assert len(call.asked) == 32


def test_what_was_told_is_remembered_for_so_many() -> None:
    made = Questions(limit=2)
    assert [made.tell(asked(i), "0", 0) for i in (1, 1, 2, 3, 1)] == [True, False, True, True, True]


def test_the_same_is_told_again_after_a_while_and_something_else_at_once() -> None:
    made = Questions()
    steps = [("9002", 0), ("9002", 1), ("0", 2), ("0", PATIENCE + 1), ("0", PATIENCE + 2)]
    assert [made.tell(asked(1), *step) for step in steps] == [True, False, True, False, True]


def test_after_no_answer_only_a_new_question_is_told() -> None:
    made = Questions()
    made.ask(asked(1), waiting())
    made.overdue(0, last=True)
    assert not made.tell(asked(1), "0", 100 * PATIENCE)
    made.ask(asked(1), waiting())
    assert made.tell(asked(1), "0", 1)


STEPS = st.sampled_from(["ask", "answer", "overdue"])


@given(st.lists(st.tuples(STEPS, st.integers(0, 9)), max_size=60))
def test_every_question_is_given_back_once(steps: list[tuple[str, int]]) -> None:
    made, time = Questions(limit=4), 0
    waits, got, put = dict[Asked, Waiting](), list[Waiting](), list[Waiting]()
    for step, number in steps:
        time += number * PATIENCE // 9
        if step == "ask":
            if asked(number) not in waits:
                waits[asked(number)] = waiting(time)
                put.append(waits[asked(number)])
            made.ask(asked(number), waits[asked(number)])
        elif step == "answer":
            found = made.answer(asked(number))
            assert found is waits.pop(asked(number), None)
            got += [found] if found else []
        else:
            late = made.overdue(time)
            assert all(each.due > time for each in waits.values() if not any(each is gone for gone in late))
            waits = {key: each for key, each in waits.items() if not any(each is gone for gone in late)}
            assert len(waits) <= 4
            got += late
    got += made.overdue(time, last=True)
    assert sorted(map(id, got)) == sorted(map(id, put))
